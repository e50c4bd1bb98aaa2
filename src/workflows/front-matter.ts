import type { Document } from "yaml";

import { AnabranchError } from "../base/errors.ts";

/** A file with YAML between two lines of dashes at its start, taken apart. */
export interface FrontMatter {
  /** Absent where the file begins with something else. */
  readonly keys: Readonly<Record<string, unknown>> | undefined;
  /** What follows, without the space around it. */
  readonly body: string;
  /** Whether a `---` inside of a value has ended it early. */
  readonly endsEarly: boolean;
  /** Where a key stands. */
  placeOf(key: string): Place;
}

/** A place in a file, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

// Claude Code reads files with this very pattern, also where it is odd: a --- inside of a value ends the block.
const FRONT_MATTER = /^(---\s*\n)([\s\S]*?)---\s*\n?/;
const OPENING = /^---[ \t]*\r?(?:\n|$)/;

/**
 * Takes a file apart as Claude Code does.
 *
 * @param path is for messages
 * @throws {AnabranchError} `AGENT_INVALID`, with file, line and column
 */
export async function readFrontMatter(text: string, path: string): Promise<FrontMatter> {
  const [whole, opening = "", block = ""] = FRONT_MATTER.exec(text) ?? [];
  if (whole === undefined) {
    if (OPENING.test(text)) throw invalid(path, START, "the front matter has no closing ---");
    return { keys: undefined, body: text.trim(), endsEarly: false, placeOf: () => START };
  }
  return {
    ...(await readBlock(block, opening.split("\n").length, path)),
    body: text.slice(whole.length).trim(),
    endsEarly: block !== "" && !/\n\s*$/.test(block),
  };
}

const START: Place = { line: 1, column: 1 };

async function readBlock(
  block: string,
  firstLine: number,
  path: string,
): Promise<Pick<FrontMatter, "keys" | "placeOf">> {
  const yaml = await import("yaml");
  const parse = (text: string): Parsed => {
    const lines = new yaml.LineCounter();
    const options = { lineCounter: lines, uniqueKeys: false, merge: true, logLevel: "silent" } as const;
    const document = yaml.parseDocument(text, options);
    const placeAt = (offset: number): Place => {
      const { line, col } = lines.linePos(offset);
      return { line: line + firstLine - 1, column: col };
    };
    return { document, placeAt, ...contentOf(document) };
  };
  const written = parse(block);
  const quoted = (): Parsed => parse(withQuotes(block, (value) => Array.isArray(parse(value).content)));
  const parsed = written.problem === undefined ? written : quoted();
  if (parsed.problem !== undefined) {
    const { offset, why } = written.problem ?? parsed.problem;
    throw invalid(path, written.placeAt(offset), why);
  }
  const { content } = parsed;
  if (typeof content !== "object" || content === null || Array.isArray(content))
    throw invalid(path, parsed.placeAt(0), "the front matter is not a table of keys");
  return { keys: content as Record<string, unknown>, placeOf: (key) => parsed.placeAt(offsetOf(parsed.document, key)) };
}

interface Parsed extends Content {
  readonly document: Document;
  readonly placeAt: (offset: number) => Place;
}

interface Content {
  readonly content?: unknown;
  readonly problem?: { readonly offset: number; readonly why: string };
}

function contentOf(document: Document): Content {
  const [problem] = document.errors;
  if (problem !== undefined)
    return { problem: { offset: problem.pos[0], why: problem.message.replace(/ at line \d+, column \d+:?/, "") } };
  try {
    return { content: document.toJS({ maxAliasCount: 100 }) ?? {} };
  } catch (cause) {
    return { problem: { offset: 0, why: (cause as Error).message } };
  }
}

interface Ranged {
  readonly items?: readonly {
    readonly key?: { readonly value?: unknown; readonly range?: readonly number[] | null };
  }[];
}

function offsetOf(document: Document, key: string): number {
  const { items = [] } = (document.contents ?? {}) as Ranged;
  return items.find((item) => String(item.key?.value) === key)?.key?.range?.[0] ?? 0;
}

const NEEDS_QUOTES = /[{}[\]*&#!|>%@`]|: /;
const PLAIN_VALUE = /^([a-zA-Z_-]+):\s+(\S.*)$/;

/**
 * What people write without quotes, such as `description: Use when: …`, is no YAML; Claude Code reads it all the same,
 * by putting such values in quotes, and so must we.
 */
function withQuotes(text: string, isListed: (value: string) => boolean): string {
  return text
    .split("\n")
    .map((line) => {
      const [, key, value] = PLAIN_VALUE.exec(line) ?? [];
      if (key === undefined || value === undefined || isQuoted(value) || !NEEDS_QUOTES.test(value)) return line;
      if (value.startsWith("[") && value.endsWith("]") && isListed(value)) return line;
      return `${key}: "${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
    })
    .join("\n")
    .replace(/^\t+/gm, (tabs) => "  ".repeat(tabs.length));
}

function isQuoted(value: string): boolean {
  return (value.startsWith('"') && value.endsWith('"')) || (value.startsWith("'") && value.endsWith("'"));
}

/** What is wrong with a file that describes an agent. */
export function invalid(path: string, { line, column }: Place, why: string): AnabranchError {
  return new AnabranchError("AGENT_INVALID", {
    message: `${path}:${line}:${column}: ${why.split("\n", 1)[0]}`,
    hint: `edit ${path}, line ${line}`,
    data: { file: path, line, column },
  });
}
