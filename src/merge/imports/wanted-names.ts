import { UNKNOWN, type ImportedName, type ImportRun } from "./statement.ts";

/** Three runs of imports that are merged. */
export interface Runs {
  readonly base: ImportRun;
  readonly ours: ImportRun;
  readonly theirs: ImportRun;
}

/** What a merge has to have. */
export interface WantedNames {
  readonly keys: ReadonlySet<string>;
  /** Names that one side imports otherwise than the base and the other one no more: right to leave out if unused. */
  readonly leftOut: readonly LeftOut[];
}

/** A name that one side's edit is left out for. */
export interface LeftOut {
  readonly name: ImportedName;
  /** What the base has in its place. */
  readonly before: ImportedName;
  readonly side: "ours" | "theirs";
}

/**
 * The keys of all names that a merge has to have: what either side added, and what neither removed.
 * Nothing, where both sides changed what one name stands for.
 */
export function wantedNames({ base, ours, theirs }: Runs): WantedNames | undefined {
  const [inBase, inOurs, inTheirs] = [keysOf(base), keysOf(ours), keysOf(theirs)];
  const contested = findContested(inBase, inOurs, inTheirs);
  if (contested === undefined || mayHideAnEdit(inBase, inOurs, inTheirs)) return undefined;
  const leftOut = new Map(contested.map((one) => [one.name.key, one]));
  const wanted = new Map<string, ImportedName>();
  for (const [key, name] of [...inOurs, ...inTheirs]) {
    if (leftOut.has(key) || (inBase.has(key) && !(inOurs.has(key) && inTheirs.has(key)))) continue;
    wanted.set(key, name);
  }
  for (const [key, { coveredBy }] of wanted) {
    if (coveredBy !== undefined && wanted.has(coveredBy) && !inBase.has(key)) wanted.delete(key);
  }
  const most = [inOurs, inTheirs].map(countLocals);
  for (const [local, count] of countLocals(wanted)) {
    if (most.every((counts) => count > (counts.get(local) ?? 0))) return undefined;
  }
  return { keys: new Set(wanted.keys()), leftOut: [...leftOut.values()] };
}

type Names = ReadonlyMap<string, ImportedName>;

function keysOf({ statements }: ImportRun): Map<string, ImportedName> {
  return new Map(statements.flatMap(({ names }) => names.map((name) => [name.key, name])));
}

// What is not understood may be what one side made of an import that the other one removed.
function mayHideAnEdit(base: Names, ours: Names, theirs: Names): boolean {
  const isNewAndUnknown = (key: string): boolean => key.startsWith(UNKNOWN) && !base.has(key);
  if (![...ours.keys(), ...theirs.keys()].some(isNewAndUnknown)) return false;
  return [...base.keys()].some((key) => !ours.has(key) && !theirs.has(key));
}

function countLocals(names: Names): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { local } of names.values()) if (local !== undefined) counts.set(local, (counts.get(local) ?? 0) + 1);
  return counts;
}

// What both sides changed, each differently, of what the base has under one name or of one thing.
function findContested(base: Names, ours: Names, theirs: Names): LeftOut[] | undefined {
  const found: LeftOut[] = [];
  for (const aspect of [({ local }: ImportedName) => local, ({ target }: ImportedName) => target]) {
    const [inBase, inOurs, inTheirs] = [groupBy(base, aspect), groupBy(ours, aspect), groupBy(theirs, aspect)];
    for (const [what, before] of inBase) {
      const [byOurs, byTheirs] = [inOurs.get(what) ?? [], inTheirs.get(what) ?? []];
      if (isSame(byOurs, before) || isSame(byTheirs, before) || isSame(byOurs, byTheirs)) continue;
      if (byOurs.length > 0 && byTheirs.length > 0) return undefined;
      const side = byOurs.length > 0 ? "ours" : "theirs";
      const changed = [...byOurs, ...byTheirs].filter(({ key }) => !base.has(key));
      if (changed.some(({ local }) => local === undefined)) return undefined;
      const [first, second] = before;
      if (first === undefined || second !== undefined) return undefined;
      found.push(...changed.map((name) => ({ name, before: first, side }) as const));
    }
  }
  return found;
}

type Groups = ReadonlyMap<string, readonly ImportedName[]>;

function groupBy(names: Names, aspect: (name: ImportedName) => string | undefined): Groups {
  const groups = new Map<string, ImportedName[]>();
  for (const name of names.values()) {
    const what = aspect(name);
    if (what === undefined) continue;
    const group = groups.get(what);
    if (group === undefined) groups.set(what, [name]);
    else group.push(name);
  }
  return groups;
}

function isSame(a: readonly ImportedName[], b: readonly ImportedName[]): boolean {
  if (a.length !== b.length) return false;
  const keys = new Set(b.map(({ key }) => key));
  return a.every(({ key }) => keys.has(key));
}
