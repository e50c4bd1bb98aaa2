import { areSameComments, type DataItem, type DataTable } from "./node.ts";

/** Three versions of a table; without a base, both sides added it. */
export interface TableVersions {
  readonly base: DataTable | undefined;
  readonly ours: DataTable;
  readonly theirs: DataTable;
}

/**
 * Gives three versions of a table one style, on lines or between brackets: an empty table has that of the others.
 *
 * @returns nothing where the sides wrote their items in different styles
 */
export function unifyStyles({ base, ours, theirs }: TableVersions): TableVersions | undefined {
  const model = ours.items.length > 0 ? ours : theirs;
  const unify = (table: DataTable): DataTable | undefined => {
    if (isOnLines(table) === isOnLines(model)) return table;
    return table.items.length === 0 ? { ...model, source: undefined, items: [], endsWithSeparator: false } : undefined;
  };
  const [own, other] = [unify(ours), unify(theirs)];
  // How the base was written says nothing of what there is now.
  const before = base && (unify(base) ?? { ...base, open: model.open, close: model.close });
  return own && other && { base: before, ours: own, theirs: other };
}

/** Whether the items of a table stand on lines, not between brackets. */
export function isOnLines({ indentation }: DataTable): boolean {
  return indentation !== undefined;
}

/** Makes a table of merged items, laid out as in ours; where ours has no items, as in theirs. */
export function formTable(
  { base, ours, theirs }: TableVersions,
  items: readonly DataItem[],
  open: string,
  close: string,
): DataTable {
  const model = ours.items.length > 0 ? ours : theirs;
  const other = model === ours ? theirs : ours;
  const isKept = base !== undefined && ours.endsWithSeparator === base.endsWithSeparator;
  const endsWithSeparator = (isKept ? theirs : ours).endsWithSeparator && items.length > 0;
  const table = { ...model, source: undefined, open, endsWithSeparator };
  if (items.length === 0) return { ...table, items, close: isBlank(close) ? close.trimStart() : close };
  const closing = model === theirs && areSameComments(close, theirs.close) ? theirs.close : close;
  return { ...table, items: layOut(items, model, other), close: closing };
}

function isBlank(close: string): boolean {
  return close.trim().length <= 1;
}

function layOut(items: readonly DataItem[], model: DataTable, other: DataTable): readonly DataItem[] {
  if (model.indentation !== undefined) return layOutLines(items, model, model.indentation);
  const leads = new Map(model.items.map(({ key, lead }) => [key, lead]));
  const lineLead = lineLeadOf(model);
  if (lineLead !== undefined) {
    return items.map((item) => (leads.has(item.key) || isOnLine(item) ? item : { ...item, lead: lineLead }));
  }
  // What stands before an item of a line depends on whether it is the first.
  const first = model.items[0]?.lead ?? "";
  const next = model.items[1]?.lead ?? (lineLeadOf(other) === undefined ? other.items[1]?.lead : undefined) ?? " ";
  return items.map((item, at) => (item.lead.trim() === "" ? { ...item, lead: at === 0 ? first : next } : item));
}

// What stands before most items of a table that has them on lines of their own.
function lineLeadOf({ items }: DataTable): string | undefined {
  return items.find((item) => isOnLine(item))?.lead;
}

function isOnLine({ lead }: DataItem): boolean {
  return lead.includes("\n") || lead.trim() !== "";
}

// The first item may share its line with what is before the table: then nothing stands before it.
function layOutLines(items: readonly DataItem[], model: DataTable, indentation: string): readonly DataItem[] {
  const isCompact = indentation !== "" && model.items[0]?.lead === "";
  return items.map((item, at) => {
    if (at === 0 && isCompact) return { ...item, lead: item.lead.trim() === "" ? "" : item.lead };
    return item.lead === "" && indentation !== "" ? { ...item, lead: indentation } : item;
  });
}
