import { areSameComments, type DataItem, type DataNode } from "./node.ts";
import { isOnLines } from "./table-form.ts";

/**
 * Merges what stands around values, comments and white space: it is that of ours, unless only theirs changed more than
 * white space.
 *
 * @returns nothing where both sides changed a comment, each otherwise
 */
export function mergeSpace(base: string | undefined, ours: string, theirs: string): string | undefined {
  if (areSameComments(ours, theirs) || areSameComments(base ?? "", theirs)) return ours;
  return areSameComments(base ?? "", ours) ? theirs : undefined;
}

/** Puts what stands around an item in its versions around its merged value. */
export function surround(
  { base, ours, theirs }: { base: DataItem | undefined; ours: DataItem; theirs: DataItem },
  value: DataNode,
): DataItem | undefined {
  // How the name ends, and what follows the value, go with the value: a list may begin on a new line, a word may not.
  const isLikeTheirs = value === theirs.value || (value !== ours.value && styleOf(value) !== styleOf(ours.value));
  const [first, second] = isLikeTheirs ? [theirs, ours] : [ours, theirs];
  const lead = mergeSpace(base?.lead, ours.lead, theirs.lead);
  const head = mergeSpace(base?.head, first.head, second.head);
  const tail = mergeSpace(base?.tail, first.tail, second.tail);
  const trail = mergeSpace(base?.trail, first.trail, second.trail);
  if (lead === undefined || head === undefined || tail === undefined || trail === undefined) return undefined;
  return withoutEmptyLines({ ...ours, lead, head, value, tail, trail });
}

function styleOf(value: DataNode): "leaf" | "lines" | "brackets" {
  return value.type === "leaf" ? "leaf" : isOnLines(value) ? "lines" : "brackets";
}

// A table without items cannot stand on lines.
function withoutEmptyLines(item: DataItem): DataItem {
  const value = emptyAs(item.value);
  if (value === undefined || item.head.includes("#")) return item;
  return { ...item, head: `${item.head.trimEnd()} `, value, trail: "\n" };
}

/** What stands for a table on lines that has no items; nothing for any other value. */
export function emptyAs(value: DataNode): DataNode | undefined {
  if (value.type === "leaf" || !isOnLines(value) || value.items.length > 0 || value.close.trim() !== "")
    return undefined;
  return { type: "leaf", source: value.type === "map" ? "{}" : "[]" };
}
