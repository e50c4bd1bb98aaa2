import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Document, LineCounter } from "yaml";
import type { z } from "zod";

import { AnabranchError, systemCodeOf } from "../base/errors.ts";
import { repositoryFile, type RepositoryFile } from "./schema.ts";
import { explainIssue } from "./explain.ts";

/** The name of the file at a repository's root. */
export const FILE_NAME = "anabranch.yaml";

/**
 * Reads `anabranch.yaml`; a repository without one has an empty one.
 *
 * @throws {AnabranchError} `CONFIG_SYNTAX` or `CONFIG_INVALID`, with file, line and column.
 */
export async function loadRepositoryFile(root: string): Promise<RepositoryFile> {
  const path = join(root, FILE_NAME);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return {};
    throw new AnabranchError("CONFIG_SYNTAX", {
      message: `${path} cannot be read: ${systemCodeOf(cause) ?? String(cause)}`,
      hint: `make it a readable file`,
      cause,
    });
  }
  return parseRepositoryFile(text, path);
}

/** Parses the text of `anabranch.yaml`; `path` is for messages. */
export async function parseRepositoryFile(text: string, path: string): Promise<RepositoryFile> {
  // Loaded when there is a file to read: it is a fifth of a cold start.
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw invalid("CONFIG_SYNTAX", path, lines.linePos(problem.pos[0]), firstLine(problem.message), undefined);
  }
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (cause) {
    throw invalid("CONFIG_SYNTAX", path, { line: 1, col: 1 }, firstLine(String(cause)), undefined);
  }
  const parsed = repositoryFile.safeParse(content);
  if (parsed.success) return parsed.data;
  throw describe(parsed.error, document, lines, path);
}

function describe(error: z.ZodError, document: Document, lines: LineCounter, path: string): AnabranchError {
  const [issue] = error.issues;
  const { at, why, mend } = explainIssue(repositoryFile, issue);
  return invalid("CONFIG_INVALID", path, positionOf(document, lines, at), why, mend);
}

function positionOf(document: Document, lines: LineCounter, at: readonly PropertyKey[]): { line: number; col: number } {
  // A key that is not allowed, or a value that is missing, has no node of its own: then its parent's place is told.
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
  if (pair?.key?.range?.[0] !== undefined) return pair.key.range[0];
  return (document.getIn(at, true) as Ranged | undefined)?.range?.[0];
}

function invalid(
  code: "CONFIG_SYNTAX" | "CONFIG_INVALID",
  path: string,
  { line, col }: { line: number; col: number },
  why: string,
  mend: string | undefined,
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
