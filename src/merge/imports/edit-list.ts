import { insertItem, readList, removeItem, writeList, type ListItem, type NameList } from "./name-list.ts";
import { commonOrder, placeOf } from "./order.ts";
import type { Lexis } from "./scan.ts";
import type { ImportedName, NameEdit } from "./statement.ts";

/**
 * Takes names out of a list and puts others in, where they stand in their own list, or where the order of the alphabet
 * wants them if both lists are in it. All else stays as it is.
 *
 * @param names the list's names, one for each of its items
 */
export function editList(
  inner: string,
  names: readonly ImportedName[],
  { removed, added, from, isFirst }: NameEdit,
  lexis: Lexis,
): string | undefined {
  let list = readList(inner, lexis);
  const kept = [...names];
  for (let at = kept.length - 1; at >= 0; at -= 1) {
    if (!removed.has((kept[at] as ImportedName).key)) continue;
    kept.splice(at, 1);
    list = removeItem(list, at);
  }
  const listed = from?.names.filter(({ isBefore }) => isBefore !== true) ?? [];
  const order = commonOrder(names.map(sortKeyOf), listed.map(sortKeyOf));
  for (const name of added) {
    const place = placeOf({
      placed: kept,
      from: listed,
      at: listed.indexOf(name),
      keyOf: ({ key }) => key,
      compare: order && ((a, b) => order(sortKeyOf(a), sortKeyOf(b))),
      isFirst,
    });
    kept.splice(place, 0, name);
    const next = list.items.length === 0 ? onlyItem(list, inner, name.item) : insertItem(list, place, name.item);
    if (next === undefined) return undefined;
    list = next;
  }
  return writeList(list);
}

function onlyItem(list: NameList, inner: string, item: ListItem): NameList | undefined {
  if ((item.lead + item.trail).trim() !== "") return undefined;
  const plain = { ...item, lead: "", trail: "" };
  if (list.head !== "") return insertItem(list, 0, plain);
  const space = inner === "" || /^\s/.test(inner) ? " " : "";
  return { head: "", items: [{ ...plain, lead: space }], tail: space, hasLastComma: false };
}

function sortKeyOf({ item: { spec } }: ImportedName): string {
  return spec.replace(/^(type|typeof) (?!as\b)/, "");
}
