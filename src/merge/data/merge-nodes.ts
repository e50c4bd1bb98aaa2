import type { PolicyDrop } from "../resolution.ts";
import { orderKeys } from "./key-order.ts";
import { keysOfList } from "./list-keys.ts";
import { areSame, areSameItems, textOfNode, type DataItem, type DataNode, type DataTable } from "./node.ts";
import { mergeSpace, surround } from "./surroundings.ts";
import { formTable, unifyStyles, type TableVersions } from "./table-form.ts";
import type { Ruling, ValueRules } from "./value-rules.ts";

/** What there is in each version. */
export interface Trio<Thing> {
  readonly base: Thing | undefined;
  readonly ours: Thing | undefined;
  readonly theirs: Thing | undefined;
}

/** An item whose edits contradict each other. */
export interface DataConflict {
  /** The keys that lead to it. */
  readonly place: readonly string[];
  readonly items: Trio<DataItem>;
}

/** What a merge of data comes to know on its way. */
export interface DataMergeState {
  readonly rules: ValueRules;
  readonly drops: PolicyDrop[];
  /** The places that a rule has decided about, each as JSON. */
  readonly decided: Set<string>;
  /** The items whose edits contradict each other. A whole document has none. */
  readonly conflicts: DataConflict[];
  isInsertedTogether: boolean;
}

/** Stands for an item that is not in the result. */
type Gone = "gone";

/**
 * Merges three versions of a value, key by key; what only one side changed is as that side has it.
 *
 * @returns nothing where edits contradict each other: the state says which
 */
export function mergeNodes(
  state: DataMergeState,
  place: readonly string[],
  { base, ours, theirs }: Trio<DataNode>,
): DataNode | undefined {
  if (ours === undefined || theirs === undefined) return undefined;
  if (areSame(ours, theirs) || areSame(base, theirs)) return ours;
  if (areSame(base, ours)) return theirs;
  if (ours.type === "leaf" || theirs.type === "leaf" || ours.type !== theirs.type) return undefined;
  const before = base?.type === ours.type ? base : undefined;
  return ours.type === "map"
    ? mergeTables(state, place, { base: before, ours, theirs })
    : mergeLists(state, place, { base: before, ours, theirs });
}

function mergeLists(
  state: DataMergeState,
  place: readonly string[],
  { base, ours, theirs }: TableVersions,
): DataNode | undefined {
  const keyed = keysOfList({ base, ours, theirs });
  return keyed && mergeTables(state, place, keyed);
}

function mergeTables(state: DataMergeState, place: readonly string[], versions: TableVersions): DataTable | undefined {
  const unified = unifyStyles(versions);
  if (unified === undefined) return undefined;
  const { base, ours, theirs } = unified;
  const items = {
    base: new Map(base?.items.map((item) => [item.key, item])),
    ours: new Map(ours.items.map((item) => [item.key, item])),
    theirs: new Map(theirs.items.map((item) => [item.key, item])),
  };
  const order = orderKeys({
    base: [...items.base.keys()],
    ours: [...items.ours.keys()],
    theirs: [...items.theirs.keys()],
  });
  if (ours.type === "list" && order.isMovedTwice) return undefined;
  const merged: DataItem[] = [];
  let isOpen = false;
  for (const key of order.keys) {
    const trio = { base: items.base.get(key), ours: items.ours.get(key), theirs: items.theirs.get(key) };
    const item = mergeItems(state, [...place, key], trio);
    if (item === undefined) isOpen = true;
    else if (item !== "gone") merged.push(item);
  }
  state.isInsertedTogether ||= order.isInsertedTogether;
  const open = mergeSpace(base?.open, ours.open, theirs.open);
  const close = mergeSpace(base?.close, ours.close, theirs.close);
  if (isOpen || open === undefined || close === undefined) return undefined;
  return formTable({ base, ours, theirs }, merged, open, close);
}

function mergeItems(
  state: DataMergeState,
  place: readonly string[],
  versions: Trio<DataItem>,
): DataItem | Gone | undefined {
  const { base, ours, theirs } = versions;
  const known = state.conflicts.length;
  const merged = ours && theirs ? mergePresent(state, place, { base, ours, theirs }) : mergeAbsent(versions);
  if (merged !== undefined || state.conflicts.length > known) return merged;
  const ruling = state.rules.decide(place, {
    base: base?.value,
    ours: ours?.value,
    theirs: theirs?.value,
  });
  return ruling === undefined ? openItem(state, place, versions) : applyRuling(state, place, versions, ruling);
}

function mergePresent(
  state: DataMergeState,
  place: readonly string[],
  { base, ours, theirs }: { base: DataItem | undefined; ours: DataItem; theirs: DataItem },
): DataItem | undefined {
  const value = mergeNodes(state, place, { base: base?.value, ours: ours.value, theirs: theirs.value });
  return value && surround({ base, ours, theirs }, value);
}

function mergeAbsent({ base, ours, theirs }: Trio<DataItem>): DataItem | Gone | undefined {
  const left = ours ?? theirs;
  if (left === undefined) return "gone";
  if (base === undefined) return left;
  return areSameItems(base, left) ? "gone" : undefined;
}

function openItem(state: DataMergeState, place: readonly string[], items: Trio<DataItem>): undefined {
  state.conflicts.push({ place, items });
}

function applyRuling(
  state: DataMergeState,
  place: readonly string[],
  versions: Trio<DataItem>,
  ruling: Ruling,
): DataItem | Gone | undefined {
  const { base, ours, theirs } = versions;
  if (ruling.type === "table") {
    const value = mergeTables(state, place, ruling.versions);
    if (value === undefined) return openItem(state, place, versions);
    const like = ours ?? theirs;
    return value.items.length === 0 || like === undefined ? "gone" : { ...like, value };
  }
  const kept = ruling.kept === undefined ? "gone" : keepValue({ base, ours, theirs }, ruling.kept);
  if (kept === undefined) return openItem(state, place, versions);
  state.decided.add(JSON.stringify(place));
  const keptText = kept === "gone" ? "" : textOfItem(kept);
  for (const side of ruling.dropped) {
    const dropped = versions[side];
    if (dropped !== undefined)
      state.drops.push({ policy: ruling.policy, side, dropped: textOfItem(dropped), kept: keptText });
  }
  return kept;
}

function keepValue({ base, ours, theirs }: Trio<DataItem>, kept: string): DataItem | undefined {
  if (ours === undefined || theirs === undefined) return undefined;
  return surround({ base, ours, theirs }, { type: "leaf", source: kept });
}

function textOfItem({ head, value }: DataItem): string {
  return (head + textOfNode(value)).trim();
}
