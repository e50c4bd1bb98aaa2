import type { Document, LineCounter } from "yaml";
import type { z } from "zod";

import { AnabranchError } from "../base/errors.ts";
import { explainIssues } from "./explain.ts";

/** A place in a text file, counted from 1. */
interface Position {
  readonly line: number;
  readonly col: number;
}

/**
 * Reads YAML against a schema. What is wrong is told with file, line and column, and with the key that was meant.
 *
 * @param path is for messages
 * @throws {AnabranchError} `CONFIG_SYNTAX`, `CONFIG_INVALID`
 */
export async function readYaml<Value>(text: string, path: string, schema: z.ZodType<Value>): Promise<Value> {
  // Loaded when there is a file to read: it would be a fifth of a cold start.
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: true });
  const [problem] = document.errors;
  if (problem !== undefined)
    throw invalid("CONFIG_SYNTAX", path, lines.linePos(problem.pos[0]), firstLine(problem.message));
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (cause) {
    throw invalid("CONFIG_SYNTAX", path, { line: 1, col: 1 }, firstLine((cause as Error).message));
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const { at, why, mend } = explainIssues(schema, parsed.error.issues);
  throw invalid("CONFIG_INVALID", path, positionOf(document, lines, at), why, mend);
}

// A key that is not allowed, or a value that is missing, has no node of its own: then its parent's place is told.
function positionOf(document: Document, lines: LineCounter, at: readonly PropertyKey[]): Position {
  for (let length = at.length; length >= 0; length -= 1) {
    const offset = offsetOf(document, at.slice(0, length));
    if (offset !== undefined) return lines.linePos(offset);
  }
  return { line: 1, col: 1 };
}

interface Ranged {
  readonly range?: readonly number[] | null;
  readonly items?: readonly { readonly key?: { readonly value?: unknown } & Ranged }[];
}

// The place of the key, not of its value, is where a person looks.
function offsetOf(document: Document, at: readonly PropertyKey[]): number | undefined {
  const key = at.at(-1);
  if (key === undefined) return (document.contents as Ranged | null)?.range?.[0];
  const parent = (at.length === 1 ? document.contents : document.getIn(at.slice(0, -1), true)) as Ranged | null;
  if (parent === null || parent === undefined) return undefined;
  const pair = parent.items?.find((item) => String(item.key?.value) === String(key));
  return pair?.key?.range?.[0] ?? (document.getIn(at, true) as Ranged | undefined)?.range?.[0];
}

function invalid(
  code: "CONFIG_SYNTAX" | "CONFIG_INVALID",
  path: string,
  { line, col }: Position,
  why: string,
  mend?: string,
): AnabranchError {
  return new AnabranchError(code, {
    message: `${path}:${line}:${col}: ${why}`,
    hint: mend ?? `edit ${path}, line ${line}`,
    data: { file: path, line, column: col },
  });
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? text).replace(/ at line \d+, column \d+:?$/, "");
}
