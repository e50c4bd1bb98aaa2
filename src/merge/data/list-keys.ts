import { findRegions, type Region } from "../three-way.ts";
import { commentsOf, textOfNode, type DataItem, type DataNode, type DataTable } from "./node.ts";
import type { TableVersions } from "./table-form.ts";

const NAMES: readonly string[] = ["id", "name", "key"];

/**
 * Gives each element of three lists the key by which it is known in all of them: words by themselves, maps by a name or
 * an id that no two of them share, else all by what stands around them.
 *
 * @returns nothing where both sides put something else in an element's place
 */
export function keysOfList({ base, ours, theirs }: TableVersions): TableVersions | undefined {
  const lists = base === undefined ? [ours, theirs] : [base, ours, theirs];
  for (const keyOf of [wordOf, ...NAMES.map((name) => (node: DataNode) => nameOf(node, name))]) {
    if (!lists.every((list) => areKnown(list, keyOf))) continue;
    const withKeys = (list: DataTable): DataTable => ({
      ...list,
      items: list.items.map((item) => ({ ...item, key: keyOf(item.value) ?? "" })),
    });
    const keyed = { base: base && withKeys(base), ours: withKeys(ours), theirs: withKeys(theirs) };
    return isReplacedTwice(keyed) ? undefined : keyed;
  }
  return base && alignElements({ base, ours, theirs });
}

function areKnown({ items }: DataTable, keyOf: (node: DataNode) => string | undefined): boolean {
  const keys = new Set(items.map(({ value }) => keyOf(value)));
  return keys.size === items.length && !keys.has(undefined);
}

// Numbers are mostly of a tuple, where the place says what they are.
function wordOf(node: DataNode): string | undefined {
  if (node.type !== "leaf" || !/^["'\p{L}@*./$!_]/u.test(node.source)) return undefined;
  return /^(?:true|false|null)$/i.test(node.source) ? undefined : node.source;
}

function nameOf(node: DataNode, name: string): string | undefined {
  if (node.type !== "map") return undefined;
  const value = node.items.find(({ key }) => key === name)?.value;
  return value?.type === "leaf" ? textOfNode(value).trim() : undefined;
}

// Where both took out an element, and each put in something that the other did not, one edit may answer the other.
function isReplacedTwice({ base, ours, theirs }: TableVersions): boolean {
  if (base === undefined) return false;
  const [inBase, inOurs, inTheirs] = [keysOf(base.items), keysOf(ours.items), keysOf(theirs.items)];
  const isTakenOutByBoth = [...inBase].some((key) => !inOurs.has(key) && !inTheirs.has(key));
  const addsAlone = (side: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
    [...side].some((key) => !inBase.has(key) && !other.has(key));
  return isTakenOutByBoth && (addsAlone(inOurs, inTheirs) || addsAlone(inTheirs, inOurs));
}

function keysOf(items: readonly DataItem[]): Set<string> {
  return new Set(items.map(({ key }) => key));
}

// Elements that nothing names are known by the equal ones around them; maps and lists between these, by their count.
function alignElements({
  base,
  ours,
  theirs,
}: TableVersions & { readonly base: DataTable }): TableVersions | undefined {
  const textsOf = ({ items }: DataTable): string[] => items.map(({ value }) => commentsOf(textOfNode(value)));
  const keys = { base: [] as string[], ours: [] as string[], theirs: [] as string[] };
  for (const region of findRegions({ base: textsOf(base), ours: textsOf(ours), theirs: textsOf(theirs) })) {
    const counts = { base: lengthOf(region.base), ours: lengthOf(region.ours), theirs: lengthOf(region.theirs) };
    const isEven = counts.base === counts.ours && counts.base === counts.theirs;
    if (region.type === "conflict" && !(isEven && areTables({ base, ours, theirs }, region))) return undefined;
    const isMade = region.type !== "same" && region.type !== "conflict";
    const made = region.type === "both" ? "both" : "made";
    for (const side of ["base", "ours", "theirs"] as const) {
      const isMaker = isMade && (region.type === "both" ? side !== "base" : side === region.type);
      for (let at = 0; at < counts[side]; at += 1)
        keys[side].push(`${isMaker ? made : "old"} ${region.base.start} ${at}`);
    }
  }
  const withKeys = (list: DataTable, own: readonly string[]): DataTable => ({
    ...list,
    items: list.items.map((item, at) => ({ ...item, key: own[at] ?? "" })),
  });
  return { base: withKeys(base, keys.base), ours: withKeys(ours, keys.ours), theirs: withKeys(theirs, keys.theirs) };
}

/** Whether a key only says where an element stands. */
export function isAlignedKey(key: string): boolean {
  return /^(?:old|made|both) \d+ \d+$/.test(key);
}

function lengthOf({ start, end }: { readonly start: number; readonly end: number }): number {
  return end - start;
}

function areTables(versions: TableVersions & { readonly base: DataTable }, region: Region): boolean {
  return (["base", "ours", "theirs"] as const).every((side) =>
    versions[side].items.slice(region[side].start, region[side].end).every(({ value }) => value.type !== "leaf"),
  );
}
