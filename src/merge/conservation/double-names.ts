import type { FourSources } from "./line-ledger.ts";
import type { TextLoss } from "./loss.ts";

/**
 * Finds definitions and import bindings that are in a result more often than in any version. A name that the base has
 * more than once already, in the text of tests say, is none that is there once: of such, each edit at its place is right.
 */
export function findDoubleNames(sources: FourSources, arePlaced: () => boolean): TextLoss[] {
  const namesOf = (what: "definitions" | "bindings"): ReadonlyMap<string, number>[] =>
    VERSIONS.map((version) => sources[version][what]);
  const found = [
    ...findRepeated("duplicate-definition", sources.result.definitions, namesOf("definitions")),
    ...findRepeated("duplicate-import", sources.result.bindings, namesOf("bindings")),
  ];
  const isPlaced = found.some(({ isRepeatedInBase }) => isRepeatedInBase) && arePlaced();
  return found.flatMap(({ isRepeatedInBase, loss }) => (isRepeatedInBase && isPlaced ? [] : [loss]));
}

const VERSIONS = ["base", "ours", "theirs"] as const;

interface DoubleName {
  readonly loss: TextLoss;
  readonly isRepeatedInBase: boolean;
}

function findRepeated(
  kind: "duplicate-definition" | "duplicate-import",
  result: ReadonlyMap<string, number>,
  versions: readonly ReadonlyMap<string, number>[],
): DoubleName[] {
  const found: DoubleName[] = [];
  for (const [name, times] of result) {
    const [inBase = 0, ...inSides] = versions.map((version) => version.get(name) ?? 0);
    const before = Math.max(1, inBase, ...inSides);
    if (times <= before) continue;
    found.push({ loss: { kind, detail: name, count: times - before }, isRepeatedInBase: inBase > 1 });
  }
  return found;
}
