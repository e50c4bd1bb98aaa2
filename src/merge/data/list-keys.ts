import { textOfNode, type DataItem, type DataNode, type DataTable } from "./node.ts";

interface ListVersions {
  readonly base: DataTable | undefined;
  readonly ours: DataTable;
  readonly theirs: DataTable;
}

const NAMES: readonly string[] = ["id", "name", "key"];

/**
 * Gives each element of three lists the key by which it is known in all of them: words by themselves, maps by a name or
 * an id that no two of them share.
 *
 * @returns nothing where elements are only known by their place, or both sides put something else in an element's place
 */
export function keysOfList({ base, ours, theirs }: ListVersions): ListVersions | undefined {
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
  return undefined;
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
function isReplacedTwice({ base, ours, theirs }: ListVersions): boolean {
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
