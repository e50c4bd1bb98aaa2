import type { Entry, PathChange } from "../merge/change.ts";
import { ABSENT_MODE } from "../merge/change.ts";

/** Three trees, and what each side made of the base. */
export interface Sides {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly oursChanges: ReadonlyMap<string, PathChange>;
  readonly theirsChanges: ReadonlyMap<string, PathChange>;
}

/** What the three trees hold at a path. */
export interface PathEntries {
  readonly base?: Entry | undefined;
  readonly ours?: Entry | undefined;
  readonly theirs?: Entry | undefined;
}

/** What the trees hold at a path that a side changed. */
export function entriesAt({ oursChanges, theirsChanges }: Sides, path: string): PathEntries {
  const [own, other] = [oursChanges.get(path), theirsChanges.get(path)];
  const some = own ?? other;
  const base = some === undefined ? undefined : entryOf(some.oldMode, some.oldOid);
  return {
    base,
    ours: own === undefined ? base : entryOf(own.newMode, own.newOid),
    theirs: other === undefined ? base : entryOf(other.newMode, other.newOid),
  };
}

/** What a change leaves at its path. */
export function entryAfter(change: PathChange): Entry | undefined {
  return entryOf(change.newMode, change.newOid);
}

/** Changes by their paths. */
export function byPath(changes: readonly PathChange[]): ReadonlyMap<string, PathChange> {
  return new Map(changes.map((change) => [change.path, change]));
}

/** Whether an entry is a file: no link, folder or submodule. */
export function isFile(entry: Entry | undefined): entry is Entry {
  return entry?.mode.startsWith("100") === true;
}

function entryOf(mode: string, oid: string): Entry | undefined {
  return mode === ABSENT_MODE ? undefined : { mode, oid };
}
