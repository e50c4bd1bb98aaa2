import { ABSENT_MODE, type Entry, type PathChange } from "../change.ts";
import type { Loss } from "./loss.ts";
import type { Rename } from "../paths.ts";

/** Three sets of changes of one base, and what to make allowance for. */
export interface TreeVersions {
  readonly ours: readonly PathChange[];
  readonly theirs: readonly PathChange[];
  readonly result: readonly PathChange[];
  readonly renames?: readonly Rename[];
  /** Paths of the result whose content was composed, and is checked as text. */
  readonly merged: ReadonlySet<string>;
  /** Paths on which a named drop was agreed to. */
  readonly waived: ReadonlySet<string>;
}

/** What the versions hold at one path; `undefined` where it does not exist. */
interface PathVersions {
  base: Entry | undefined;
  ours: Entry | undefined;
  theirs: Entry | undefined;
  result: Entry | undefined;
}

/** Finds the paths at which a result lacks what a side did, or has what no side did. Follows renames. */
export function findTreeLosses(input: TreeVersions): Loss[] {
  return [...readPaths(input)].flatMap(([path, versions]) =>
    input.waived.has(path) ? [] : checkPath(path, versions, input.merged.has(path)),
  );
}

function readPaths(input: TreeVersions): Map<string, PathVersions> {
  const paths = new Map<string, PathVersions>();
  for (const side of ["ours", "theirs", "result"] as const) {
    for (const change of input[side]) {
      const versions = paths.get(change.path) ?? unchangedPath(change);
      paths.set(change.path, versions);
      versions[side] = entryOf(change.newMode, change.newOid);
    }
  }
  const renames = input.renames ?? [];
  for (const rename of renames) followRename(paths, rename, renames);
  return paths;
}

function unchangedPath(change: PathChange): PathVersions {
  const base = entryOf(change.oldMode, change.oldOid);
  return { base, ours: base, theirs: base, result: base };
}

// What the other side did at the old path counts as done at the new one.
function followRename(paths: Map<string, PathVersions>, { from, to, side }: Rename, renames: readonly Rename[]): void {
  const before = paths.get(from);
  const other = side === "ours" ? "theirs" : "ours";
  if (before === undefined || areSame(before[other], before.base)) return;
  if (renames.some((rename) => rename.from === from && rename.side === other)) return;
  const after = paths.get(to) ?? { base: undefined, ours: undefined, theirs: undefined, result: undefined };
  if (after[other] !== undefined) return;
  paths.set(to, { ...after, base: before.base, [other]: before[other] });
  paths.set(from, { ...before, [other]: before.base });
}

function entryOf(mode: string, oid: string): Entry | undefined {
  return mode === ABSENT_MODE ? undefined : { mode, oid };
}

function areSame(a: Entry | undefined, b: Entry | undefined): boolean {
  return a?.mode === b?.mode && a?.oid === b?.oid;
}

function checkPath(path: string, versions: PathVersions, isMerged: boolean): Loss[] {
  const { base, ours, theirs, result } = versions;
  if (ours !== undefined && theirs !== undefined && result !== undefined) {
    return checkEntry(path, { base, ours, theirs, result }, isMerged);
  }
  const isContested = !areSame(ours, theirs) && !areSame(ours, base) && !areSame(theirs, base);
  const expected = areSame(ours, base) ? theirs : ours;
  if (!isContested && areSame(result, expected)) return [];
  if (!isContested && areSame(expected, base)) return [lossAt(path, "foreign-change", "changed by neither side")];
  if (result === undefined) return [lossAt(path, "lost-change", "is missing")];
  if (isContested || expected === undefined) return [lossAt(path, "resurrected-path", "was deleted by a side")];
  return [lossAt(path, "lost-change", "is not as the side that changed it has it")];
}

// All versions but the base exist: content and mode are each taken from the side that changed them.
function checkEntry(
  path: string,
  { base, ours, theirs, result }: { base: Entry | undefined; ours: Entry; theirs: Entry; result: Entry },
  isMerged: boolean,
): Loss[] {
  const losses: Loss[] = [];
  const [mode, oid] = [choose(base?.mode, ours.mode, theirs.mode), choose(base?.oid, ours.oid, theirs.oid)];
  if (!isMerged && oid !== result.oid) {
    if (oid === undefined) losses.push(lossAt(path, "lost-change", "both sides changed it, and it was not merged"));
    else if (oid === base?.oid) losses.push(lossAt(path, "foreign-change", "changed by neither side"));
    else losses.push(lossAt(path, "lost-change", "is not as the side that changed it has it"));
  }
  if (mode !== result.mode) losses.push(lossAt(path, "mode", `${result.mode} instead of ${mode ?? "a decision"}`));
  return losses;
}

function choose(base: string | undefined, ours: string, theirs: string): string | undefined {
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}

function lossAt(path: string, kind: Loss["kind"], detail: string): Loss {
  return { path, kind, detail, count: 1 };
}
