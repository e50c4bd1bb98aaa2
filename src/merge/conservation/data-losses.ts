import type { PieceVersions, PolicyDrop } from "../resolution.ts";
import { readData, type DataValue } from "./data-value.ts";
import { rangeOf } from "./edit-range.ts";
import { countLines, findCountLosses, shorten } from "./line-count.ts";
import type { TextLoss } from "./loss.ts";

/** A value in the three versions and in what was made of them. */
interface FourValues {
  readonly base: DataValue | undefined;
  readonly ours: DataValue | undefined;
  readonly theirs: DataValue | undefined;
  readonly result: DataValue | undefined;
}

interface Finder {
  readonly losses: TextLoss[];
  readonly drops: readonly PolicyDrop[];
}

/**
 * Finds what a merged data file lacks of either side's edits: key by key, lists by what is in them, comments line by line.
 *
 * @returns nothing where a version cannot be read, so that nothing can be said about keys
 */
export function findDataLosses(
  path: string,
  versions: PieceVersions,
  result: string,
  drops: readonly PolicyDrop[],
): TextLoss[] | undefined {
  const [base, ours, theirs] = [versions.base, versions.ours, versions.theirs].map((text) => readData(path, text));
  if (base === undefined || ours === undefined || theirs === undefined) return undefined;
  const after = readData(path, result);
  if (after === undefined) return [{ kind: "parse-error", detail: "the result cannot be read", count: 1 }];
  const known = new Set([...base.doubleKeys, ...ours.doubleKeys, ...theirs.doubleKeys]);
  const doubled = after.doubleKeys.filter((key) => !known.has(key));
  const finder: Finder = { drops, losses: doubled.map((key) => ({ kind: "duplicate-key", detail: key, count: 1 })) };
  check(finder, [], { base: base.value, ours: ours.value, theirs: theirs.value, result: after.value });
  return [...finder.losses, ...findCommentLosses(versions, result)];
}

function check(finder: Finder, place: readonly string[], four: FourValues): void {
  const { base, ours, theirs } = four;
  if (areSame(ours, theirs)) expectValue(finder, place, four, ours);
  else if (areSame(ours, base)) expectValue(finder, place, four, theirs);
  else if (areSame(theirs, base)) expectValue(finder, place, four, ours);
  else checkContested(finder, place, four);
}

function expectValue(finder: Finder, place: readonly string[], { base, result }: FourValues, wanted?: DataValue): void {
  if (areSame(result, wanted)) return;
  if (wanted?.kind === "map" && result?.kind === "map") {
    const keys = new Set([...wanted.entries.keys(), ...result.entries.keys()]);
    for (const key of keys) {
      const before = base?.kind === "map" ? base.entries.get(key) : undefined;
      const four = { base: before, ours: undefined, theirs: undefined, result: result.entries.get(key) };
      expectValue(finder, [...place, key], four, wanted.entries.get(key));
    }
    return;
  }
  const kind = wanted !== undefined ? "lost-line" : base === undefined ? "foreign-line" : "resurrected-line";
  finder.losses.push({ kind, detail: shorten(`${nameOf(place)} = ${textOf(wanted ?? result)}`), count: 1 });
}

/** Both sides made something else of it. */
function checkContested(finder: Finder, place: readonly string[], four: FourValues): void {
  const maps = allOf(four, "map");
  if (maps !== undefined) {
    const all = [maps.base, maps.ours, maps.theirs, maps.result];
    for (const key of new Set(all.flatMap((map) => [...map.keys()]))) {
      const [base, ours, theirs, result] = all.map((map) => map.get(key));
      check(finder, [...place, key], { base, ours, theirs, result });
    }
    return;
  }
  const lists = allOf(four, "list");
  if (lists !== undefined) return checkList(finder, place, lists);
  const open = (["ours", "theirs"] as const).filter(
    (side) => !areSame(four.result, four[side]) && !isDropped(finder, place, side, four[side]),
  );
  if (open.length === 0 || isComposed(four)) return;
  const [side = "ours"] = open;
  const detail = `${nameOf(place)} = ${textOf(four[side])}`;
  finder.losses.push({ kind: "overwritten-line", detail: shorten(detail), count: open.length });
}

type Tables<Table> = { readonly [Version in keyof FourValues]: Table };

function allOf(four: FourValues, kind: "map"): Tables<ReadonlyMap<string, DataValue>> | undefined;
function allOf(four: FourValues, kind: "list"): Tables<readonly DataValue[]> | undefined;
/** What all four hold, where each is a table of a kind or is not there, which is to be empty. */
function allOf(four: FourValues, kind: "map" | "list"): unknown {
  const values = [four.base, four.ours, four.theirs, four.result];
  if (!values.every((value) => value === undefined || value.kind === kind)) return undefined;
  const [base, ours, theirs, result] = values.map((value) => {
    if (value?.kind === "map") return value.entries;
    if (value?.kind === "list") return value.items;
    return kind === "map" ? new Map<string, DataValue>() : [];
  });
  return { base, ours, theirs, result };
}

/** Elements that a name tells apart are looked into; others are counted whole. */
function checkList(finder: Finder, place: readonly string[], lists: Tables<readonly DataValue[]>): void {
  const { base, ours, theirs, result } = lists;
  const name = ["id", "name", "key"].find((one) => [base, ours, theirs, result].every((list) => areNamed(list, one)));
  if (name !== undefined) {
    const [before, own, other, after] = [base, ours, theirs, result].map((items): DataValue => ({
      kind: "map",
      entries: new Map(items.map((item) => [nameIn(item, name) ?? "", item])),
    }));
    return checkContested(finder, place, { base: before, ours: own, theirs: other, result: after });
  }
  const counts = { base: countOf(base), ours: countOf(ours), theirs: countOf(theirs), result: countOf(result) };
  for (const text of new Set([base, ours, theirs, result].flatMap((list) => list.map(textOf)))) {
    const [before, own, other, after] = [counts.base, counts.ours, counts.theirs, counts.result].map(
      (count) => count.get(text) ?? 0,
    );
    const { fewest, most } = rangeOf({ base: before ?? 0, ours: own ?? 0, theirs: other ?? 0 });
    const detail = shorten(`${nameOf(place)}[] = ${text}`);
    if ((after ?? 0) < fewest) finder.losses.push({ kind: "lost-line", detail, count: fewest - (after ?? 0) });
    if ((after ?? 0) > most) finder.losses.push({ kind: "resurrected-line", detail, count: (after ?? 0) - most });
  }
}

function areNamed(list: readonly DataValue[], name: string): boolean {
  const names = list.map((item) => nameIn(item, name));
  return !names.includes(undefined) && new Set(names).size === names.length;
}

function nameIn(item: DataValue, name: string): string | undefined {
  const value = item.kind === "map" ? item.entries.get(name) : undefined;
  return value?.kind === "leaf" ? value.text : undefined;
}

function countOf(list: readonly DataValue[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of list) counts.set(textOf(item), (counts.get(textOf(item)) ?? 0) + 1);
  return counts;
}

/** Whether a drop names exactly this key with what the side had made of it. */
function isDropped(
  { drops }: Finder,
  place: readonly string[],
  side: "ours" | "theirs",
  value: DataValue | undefined,
): boolean {
  // A side that took something out has nothing that could be named: what stands there instead was dropped or kept.
  if (value === undefined) return false;
  const key = place.at(-1) ?? "";
  return drops.some((drop) => drop.side === side && drop.dropped.includes(key) && drop.dropped.endsWith(textOf(value)));
}

/** Whether both changed words of one text, and the result has the words of both. */
function isComposed({ base, ours, theirs, result }: FourValues): boolean {
  if (base?.kind !== "leaf" || ours?.kind !== "leaf" || theirs?.kind !== "leaf" || result?.kind !== "leaf")
    return false;
  const [before, own, other, after] = [base, ours, theirs, result].map(({ text }) => text.split(/[\s"']+/));
  if (before === undefined || own === undefined || other === undefined || after === undefined) return false;
  return findCountLosses(countLines({ base: before, ours: own, theirs: other, result: after })).length === 0;
}

function findCommentLosses(versions: PieceVersions, result: string): TextLoss[] {
  const read = (text: string): string[] =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => /^(#|\/\/|\/\*|\*)/.test(line));
  const { base, ours, theirs } = versions;
  return findCountLosses(
    countLines({ base: read(base), ours: read(ours), theirs: read(theirs), result: read(result) }),
  );
}

function areSame(a: DataValue | undefined, b: DataValue | undefined): boolean {
  if (a === b) return true;
  if (a?.kind === "leaf") return b?.kind === "leaf" && a.text === b.text;
  if (a?.kind === "list") {
    return (
      b?.kind === "list" && a.items.length === b.items.length && a.items.every((item, at) => areSame(item, b.items[at]))
    );
  }
  if (a === undefined || b?.kind !== "map" || a.entries.size !== b.entries.size) return false;
  return [...a.entries].every(([key, value]) => b.entries.has(key) && areSame(value, b.entries.get(key)));
}

function nameOf(place: readonly string[]): string {
  return place.join("/");
}

function textOf(value: DataValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value.kind === "leaf") return value.text;
  if (value.kind === "list") return `[${value.items.map(textOf).join(",")}]`;
  return `{${[...value.entries].map(([key, inner]) => `${JSON.stringify(key)}:${textOf(inner)}`).join(",")}}`;
}
