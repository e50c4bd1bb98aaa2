/**
 * A data file seen as maps, lists and leaves, each with the text it stands in: the parts of a document, written one
 * after the other, are its text.
 */
export interface DataDocument {
  /** What stands before the value: comments, white space. */
  readonly lead: string;
  readonly root: DataNode;
  readonly tail: string;
}

export type DataNode = DataTable | DataLeaf;

/** A value whose parts are not looked at. */
interface DataLeaf {
  readonly type: "leaf";
  readonly source: string;
}

/** A map or a list. */
export interface DataTable {
  readonly type: "map" | "list";
  /** Its whole text, where it is as it was read. */
  readonly source: string | undefined;
  readonly open: string;
  readonly items: readonly DataItem[];
  /** What stands after the last item, with the closing bracket. */
  readonly close: string;
  /** What stands between two items. */
  readonly separator: "," | "";
  /** Whether a separator follows the last item too. */
  readonly endsWithSeparator: boolean;
  /** Where lines part the items: what stands before each that does not share its line with what is around the table. */
  readonly indentation: string | undefined;
}

/** An entry of a map, or an element of a list. */
export interface DataItem {
  /** The name in a map; in a list, what it is recognised by. */
  readonly key: string;
  /** White space and comments before it. */
  readonly lead: string;
  /** The name as it is written, up to the value. */
  readonly head: string;
  readonly value: DataNode;
  /** What stands between the value and the separator. */
  readonly tail: string;
  /** What stands behind the separator on the same line: a comment. */
  readonly trail: string;
  /** Offsets of the name, or of the element, and of the value's end, in the version it was read from. */
  readonly start: number;
  readonly end: number;
}

/** A document as text; the inverse of reading it. */
export function writeDocument({ lead, root, tail }: DataDocument): string {
  const parts: string[] = [lead];
  writeNode(parts, root);
  parts.push(tail);
  return parts.join("");
}

/** A value as text. */
export function textOfNode(node: DataNode): string {
  if (node.source !== undefined) return node.source;
  const parts: string[] = [];
  writeNode(parts, node);
  return parts.join("");
}

function writeNode(parts: string[], node: DataNode): void {
  if (node.type === "leaf") parts.push(node.source);
  else if (node.source !== undefined) parts.push(node.source);
  else writeTable(parts, node);
}

function writeTable(parts: string[], { open, items, close, separator, endsWithSeparator }: DataTable): void {
  parts.push(open);
  for (const [at, item] of items.entries()) {
    parts.push(item.lead, item.head);
    writeNode(parts, item.value);
    parts.push(item.tail);
    if (at < items.length - 1 || endsWithSeparator) parts.push(separator);
    parts.push(item.trail);
  }
  parts.push(close);
}

/** Whether two values are the same edit of whatever was there: same data in the same order, same comments;
 * white space does not count. */
export function areSame(a: DataNode | undefined, b: DataNode | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.source !== undefined && a.source === b.source) return true;
  if (a.type === "leaf" || b.type === "leaf") return false;
  if (a.type !== b.type || a.items.length !== b.items.length) return false;
  if (!areSameComments(a.open, b.open) || !areSameComments(a.close, b.close)) return false;
  return a.items.every((item, at) => areSameItems(item, b.items[at]));
}

/** Whether two items are the same: value, and comments around it. */
export function areSameItems(a: DataItem | undefined, b: DataItem | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.key === b.key &&
    areSameComments(a.lead, b.lead) &&
    areSameComments(a.head, b.head) &&
    areSameComments(a.tail + a.trail, b.tail + b.trail) &&
    areSame(a.value, b.value)
  );
}

/** Whether what stands around values is the same but for white space. */
export function areSameComments(a: string, b: string): boolean {
  return a === b || commentsOf(a) === commentsOf(b);
}

/** What stands around values without its white space: comments, and brackets. */
export function commentsOf(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
}
