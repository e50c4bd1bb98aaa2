import type { Cause } from "../engine/cause.ts";
import type { OwnChange } from "../store/own-changes.ts";

/** By whom some things were changed: nobody we know, or one run. */
export interface Share<Item> {
  readonly run: string | undefined;
  readonly cause: Cause | undefined;
  readonly items: readonly Item[];
  /** What was expected of the run and is seen now. */
  readonly seen: readonly OwnChange[];
}

/**
 * Sorts changes by who made them. A change is a run's where Anabranch has said that it would bring exactly this about;
 * when it happened says nothing, and what somebody has made of it since is theirs.
 *
 * @param statesOf all the ways to name what the item is like now
 */
export function attribute<Item>(
  items: readonly Item[],
  own: readonly OwnChange[],
  nameOf: (item: Item) => string,
  statesOf: (item: Item) => readonly (string | undefined)[],
): Share<Item>[] {
  const byName = new Map<string, OwnChange[]>();
  for (const change of own) byName.set(change.name, [...(byName.get(change.name) ?? []), change]);
  const shares = new Map<string | undefined, { cause: Cause | undefined; items: Item[]; seen: OwnChange[] }>();
  for (const item of items) {
    const states = statesOf(item);
    // Of two runs that write the same, the later one has written last.
    const author = byName.get(nameOf(item))?.findLast(({ state }) => states.includes(state));
    const share = shares.get(author?.run) ?? { cause: author?.cause, items: [], seen: [] };
    share.items.push(item);
    if (author !== undefined) share.seen.push(author);
    shares.set(author?.run, share);
  }
  return [...shares].map(([run, share]) => ({ run, ...share }));
}
