import type { ImportedName, ImportRun } from "./statement.ts";

/** Three runs of imports that are merged. */
export interface Runs {
  readonly base: ImportRun;
  readonly ours: ImportRun;
  readonly theirs: ImportRun;
}

/**
 * The keys of all names that a merge has to have: what either side added, and what neither removed.
 * Nothing, where both sides changed what one name stands for, or one changed what the other removed.
 */
export function wantedNames({ base, ours, theirs }: Runs): ReadonlySet<string> | undefined {
  const [inBase, inOurs, inTheirs] = [keysOf(base), keysOf(ours), keysOf(theirs)];
  if (isContested(inBase, inOurs, inTheirs)) return undefined;
  const wanted = new Map<string, ImportedName>();
  for (const [key, name] of [...inOurs, ...inTheirs]) {
    if (inBase.has(key) ? inOurs.has(key) && inTheirs.has(key) : true) wanted.set(key, name);
  }
  for (const [key, { coveredBy }] of wanted) {
    if (coveredBy !== undefined && wanted.has(coveredBy) && !inBase.has(key)) wanted.delete(key);
  }
  const most = [inOurs, inTheirs].map(countLocals);
  for (const [local, count] of countLocals(wanted)) {
    if (most.every((counts) => count > (counts.get(local) ?? 0))) return undefined;
  }
  return new Set(wanted.keys());
}

type Names = ReadonlyMap<string, ImportedName>;

function keysOf({ statements }: ImportRun): Map<string, ImportedName> {
  return new Map(statements.flatMap(({ names }) => names.map((name) => [name.key, name])));
}

function countLocals(names: Names): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { local } of names.values()) if (local !== undefined) counts.set(local, (counts.get(local) ?? 0) + 1);
  return counts;
}

// Whether both sides changed, each differently, what the base has under one name or of one thing.
function isContested(base: Names, ours: Names, theirs: Names): boolean {
  for (const aspect of [({ local }: ImportedName) => local, ({ target }: ImportedName) => target]) {
    const [inBase, inOurs, inTheirs] = [base, ours, theirs].map((names) => groupBy(names, aspect)) as [
      Groups,
      Groups,
      Groups,
    ];
    for (const [what, before] of inBase) {
      const [byOurs, byTheirs] = [inOurs.get(what) ?? "", inTheirs.get(what) ?? ""];
      if (byOurs !== before && byTheirs !== before && byOurs !== byTheirs) return true;
    }
  }
  return false;
}

type Groups = ReadonlyMap<string, string>;

function groupBy(names: Names, aspect: (name: ImportedName) => string | undefined): Groups {
  const groups = new Map<string, string[]>();
  for (const [key, name] of names) {
    const what = aspect(name);
    if (what === undefined) continue;
    const group = groups.get(what);
    if (group === undefined) groups.set(what, [key]);
    else group.push(key);
  }
  return new Map([...groups].map(([what, keys]) => [what, keys.sort().join("\n")]));
}
