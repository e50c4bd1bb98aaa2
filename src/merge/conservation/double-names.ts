import type { FourSources } from "./line-ledger.ts";
import type { TextLoss } from "./loss.ts";

/** Finds definitions and import bindings that are in a result more often than in any version. */
export function findDoubleNames({ base, ours, theirs, result }: FourSources): TextLoss[] {
  return [
    ...findRepeated(
      "duplicate-definition",
      result.definitions,
      [base, ours, theirs].map((one) => one.definitions),
    ),
    ...findRepeated(
      "duplicate-import",
      result.bindings,
      [base, ours, theirs].map((one) => one.bindings),
    ),
  ];
}

function findRepeated(
  kind: "duplicate-definition" | "duplicate-import",
  result: ReadonlyMap<string, number>,
  versions: readonly ReadonlyMap<string, number>[],
): TextLoss[] {
  const losses: TextLoss[] = [];
  for (const [name, times] of result) {
    const before = Math.max(1, ...versions.map((version) => version.get(name) ?? 0));
    if (times > before) losses.push({ kind, detail: name, count: times - before });
  }
  return losses;
}
