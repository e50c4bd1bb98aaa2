import { areSameComments, type DataItem, type DataNode } from "./node.ts";

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
  const [first, second] = value === theirs.value ? [theirs, ours] : [ours, theirs];
  const lead = mergeSpace(base?.lead, ours.lead, theirs.lead);
  const head = mergeSpace(base?.head, first.head, second.head);
  const tail = mergeSpace(base?.tail, first.tail, second.tail);
  const trail = mergeSpace(base?.trail, first.trail, second.trail);
  if (lead === undefined || head === undefined || tail === undefined || trail === undefined) return undefined;
  return { ...ours, lead, head, value, tail, trail };
}
