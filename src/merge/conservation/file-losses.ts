import { languageOf } from "../language.ts";
import type { PolicyDrop } from "../resolution.ts";
import type { Parsers } from "../syntax/parsers.ts";
import type { TextVersions } from "../versions.ts";
import type { Loss } from "./loss.ts";
import { findSourceLosses } from "./source-losses.ts";
import { findFormLosses, findTextLosses } from "./text-losses.ts";

/** Whole files as they stand, and what became of them. */
export interface FileCheck {
  readonly path: string;
  readonly versions: TextVersions;
  readonly result: string;
  /** Edits that a policy dropped by name. */
  readonly drops: readonly PolicyDrop[];
  /** Where the grammar of the file's language is not loaded, it is not looked at whether the result parses. */
  readonly parsers: Parsers;
}

/**
 * Finds what a file that was merged, by whomever, lacks of either side's edits, and what is in it that no side put
 * there. Byte order mark, line ends and the end of the last line are looked at by themselves.
 *
 * @example
 * findFileLosses({ path: "a.ts", versions, result: versions.ours, drops: [], parsers }) // what theirs had changed
 */
export function findFileLosses({ path, versions, result, drops, parsers }: FileCheck): Loss[] {
  const pieces = [versions.base, versions.ours, versions.theirs, result].map(pieceOf);
  const [base, ours, theirs, after] = pieces;
  if (base === undefined || ours === undefined || theirs === undefined || after === undefined) {
    return findTextLosses(path, versions, result);
  }
  const check = { path, language: languageOf(path), versions: { base, ours, theirs }, result: after, drops, parsers };
  const form = findFormLosses(versions, result);
  return [...findSourceLosses(check), ...form.map((loss) => ({ path, ...loss }))];
}

/** The lines of a file, each with a line feed; nothing where line ends differ from line to line. */
function pieceOf(text: string | undefined): string | undefined {
  const lines = text?.replace(/^(?:\ufeff|\u00ef\u00bb\u00bf)/, "").replaceAll("\r\n", "\n");
  if (lines === undefined || lines.includes("\r") || hasMixedEnds(text ?? "")) return undefined;
  return lines === "" || lines.endsWith("\n") ? lines : `${lines}\n`;
}

function hasMixedEnds(text: string): boolean {
  return text.includes("\r\n") && /(^|[^\r])\n/.test(text);
}
