import type { Language } from "../language.ts";
import type { PieceVersions, PolicyDrop } from "../resolution.ts";
import type { ParsedVersions } from "../syntax/parse-versions.ts";
import type { Parsers } from "../syntax/parsers.ts";
import { findDataLosses } from "./data-losses.ts";
import { findDoubleNames } from "./double-names.ts";
import { findLineLosses } from "./line-losses.ts";
import type { Loss } from "./loss.ts";
import { findMarkerLosses } from "./marker-losses.ts";
import { findParseLosses } from "./parse-losses.ts";
import { KnownLines } from "./known-lines.ts";
import { readSourceLines, type SourceLines } from "./source-lines.ts";
import { findTextLosses } from "./text-losses.ts";

/** A result, whoever made it, and what it was made of. */
export interface SourceCheck {
  readonly path: string;
  readonly language: Language | undefined;
  readonly versions: PieceVersions;
  readonly result: string;
  /** Edits that a policy dropped by name. */
  readonly drops: readonly PolicyDrop[];
  /** The trees of the versions, where somebody has them. */
  readonly parsed?: ParsedVersions;
  readonly parsers: Parsers;
}

/**
 * Finds what a merged source lacks of either side's edits, what is in it that no side put there, and what is in it
 * twice. It knows nothing of how the result was made and shares no code with what merges: edits are counted, line by
 * line and definition by definition, and a line that both sides changed is counted by its tokens.
 *
 * @example
 * findSourceLosses({ path: "a.ts", language: "typescript", versions, result, drops: [], parsers }) // [] if all is kept
 */
export function findSourceLosses(check: SourceCheck): Loss[] {
  const { path, language, versions, result } = check;
  const markers = findMarkerLosses(versions, result);
  if (markers.length > 0) return markers.map((loss) => ({ path, ...loss }));
  const data = /\.(json|jsonc|ya?ml)$/i.test(path) ? findDataLosses(path, versions, result, check.drops) : undefined;
  if (data !== undefined) return data.map((loss) => ({ path, ...loss }));
  if (language === undefined) return findTextLosses(path, versions, result);
  const known = new KnownLines(language);
  const read = (text: string): SourceLines => readSourceLines(text, language, known);
  const { base, ours, theirs } = versions;
  const sources = { base: read(base), ours: read(ours), theirs: read(theirs), result: read(result) };
  const losses = [
    ...findLineLosses(sources, { ...versions, result }, [...check.drops, ...importDrops(check.drops, language)]),
    ...findDoubleNames(sources),
    ...findParseLosses(check, language),
  ];
  return losses.map((loss) => ({ path, ...loss }));
}

// A dropped import is looked for by what it imports, as all imports are.
function importDrops(drops: readonly PolicyDrop[], language: Language): PolicyDrop[] {
  return drops.flatMap((drop) =>
    readSourceLines(drop.dropped, language)
      .lines.filter(({ isImport }) => isImport)
      .map(({ text }) => ({ ...drop, dropped: text })),
  );
}
