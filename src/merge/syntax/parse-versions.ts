import type { Language } from "../language.ts";
import type { PieceVersions } from "../resolution.ts";
import type { ParsedText, Parsers } from "./parsers.ts";

/** Three parsed versions of a file. Who has them disposes of them: their memory is not the garbage collector's. */
export interface ParsedVersions {
  readonly base: ParsedText;
  readonly ours: ParsedText;
  readonly theirs: ParsedText;
  dispose(): void;
}

/**
 * Parses three versions of a file, all in one language.
 *
 * @example
 * const parsed = parseVersions(parsers, "python", versions);
 * try { … } finally { parsed?.dispose(); }
 *
 * @returns nothing where the grammar is not loaded, or time is over
 */
export function parseVersions(
  parsers: Parsers,
  language: Language,
  versions: PieceVersions,
): ParsedVersions | undefined {
  const parsed: ParsedText[] = [];
  for (const text of [versions.base, versions.ours, versions.theirs]) {
    const one = parsers.parse(language, text, parsed[0]);
    if (one === undefined) break;
    parsed.push(one);
  }
  const dispose = (): void => parsed.forEach(({ tree }) => tree.delete());
  const [base, ours, theirs] = parsed;
  if (base !== undefined && ours !== undefined && theirs !== undefined) return { base, ours, theirs, dispose };
  dispose();
  return undefined;
}
