import type { Language } from "../language.ts";
import type { PieceVersions, PolicyDrop } from "../resolution.ts";
import type { ParsedVersions } from "../syntax/parse-versions.ts";
import type { Parsers } from "../syntax/parsers.ts";
import { findDataLosses } from "./data-losses.ts";
import { findDoubleNames } from "./double-names.ts";
import type { FourSources } from "./line-ledger.ts";
import { findLineLosses } from "./line-losses.ts";
import { countLines, findCountLosses, type CountedLines } from "./line-count.ts";
import type { Loss, TextLoss } from "./loss.ts";
import { findMarkerLosses } from "./marker-losses.ts";
import { findParseLosses } from "./parse-losses.ts";
import { areEditsPlaced } from "./placed-edits.ts";
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
 * line and definition by definition, and a line that both sides changed is counted by its tokens. Where the count does
 * not add up, every edit may still be found at its place.
 *
 * @example
 * findSourceLosses({ path: "a.ts", language: "typescript", versions, result, drops: [], parsers }) // [] if all is kept
 */
export function findSourceLosses(check: SourceCheck): Loss[] {
  const { path, versions, result } = check;
  const markers = findMarkerLosses(versions, result);
  return (markers.length > 0 ? markers : findLossesIn(check)).map((loss) => ({ path, ...loss }));
}

function findLossesIn(check: SourceCheck): readonly TextLoss[] {
  const { path, language, versions, result } = check;
  const data = /\.(json|jsonc|ya?ml)$/i.test(path) ? findDataLosses(path, versions, result, check.drops) : undefined;
  if (data !== undefined) return data;
  if (language === undefined) return findTextLosses(path, versions, result);
  const known = new KnownLines(language);
  const read = (text: string): SourceLines => readSourceLines(text, language, known);
  const { base, ours, theirs } = versions;
  const sources = { base: read(base), ours: read(ours), theirs: read(theirs), result: read(result) };
  const drops = [...check.drops, ...importDrops(check.drops, language)];
  const counted = findLineLosses(sources, { ...versions, result }, drops);
  let placed: boolean | undefined;
  const arePlaced = (): boolean => (placed ??= areEditsPlaced(splitLines({ ...versions, result })));
  return [
    ...(counted.length > 0 && arePlaced() && areInDefinitions(sources) ? [] : counted),
    ...findDoubleNames(sources, arePlaced),
    ...findParseLosses(check, language, arePlaced),
  ];
}

function splitLines({ base, ours, theirs, result }: PieceVersions & { readonly result: string }): CountedLines {
  const split = (text: string): string[] => text.split("\n");
  return { base: split(base), ours: split(ours), theirs: split(theirs), result: split(result) };
}

// Where one side cut a function in two, what the other added to it may be at its place and in the wrong one.
function areInDefinitions({ base, ours, theirs, result }: FourSources): boolean {
  const lines = { base: base.placed, ours: ours.placed, theirs: theirs.placed, result: result.placed };
  return findCountLosses(countLines(lines)).length === 0;
}

// A dropped import is looked for by what it imports, as all imports are.
function importDrops(drops: readonly PolicyDrop[], language: Language): PolicyDrop[] {
  return drops.flatMap((drop) =>
    readSourceLines(drop.dropped, language)
      .lines.filter(({ isImport }) => isImport)
      .map(({ text }) => ({ ...drop, dropped: text })),
  );
}
