import { TreeEditor } from "../git/tree-editor.ts";
import type { PathChange } from "../merge/change.ts";
import type { Vault } from "../workspaces/vault.ts";
import { editTo, type OpenPath } from "./decision.ts";
import { entriesAt, type Sides } from "./sides.ts";

/**
 * Opens the names that each side gave by itself and that some file systems take for one: they differ only in case, or in
 * how letters are composed. A checkout there would show one of the files under both names.
 */
export async function openNameClashes(vault: Vault, sides: Sides, tree: string): Promise<OpenPath[]> {
  const pairs = findPairs([...sides.oursChanges.values()], [...sides.theirsChanges.values()]);
  if (pairs.length === 0) return [];
  const [base, result] = [new TreeEditor(vault.objects, sides.base), new TreeEditor(vault.objects, tree)];
  const open: OpenPath[] = [];
  for (const [own, other] of pairs) {
    if (!(await hasBoth(result, own, other)) || (await hasBoth(base, own, other))) continue;
    if (!open.some(({ held }) => held.some((path) => other.startsWith(`${path}/`))))
      open.push(openPair(sides, own, other));
  }
  return open;
}

async function hasBoth(tree: TreeEditor, one: string, other: string): Promise<boolean> {
  return (await tree.has(one)) && tree.has(other);
}

/** Names that only ours added, each with one that only theirs added and that looks the same; folders come first. */
function findPairs(ours: readonly PathChange[], theirs: readonly PathChange[]): [own: string, other: string][] {
  const [oursNames, theirsNames] = [addedNames(ours), addedNames(theirs)];
  const byFold = new Map([...oursNames].filter((name) => !theirsNames.has(name)).map((name) => [fold(name), name]));
  const pairs = [...theirsNames].flatMap((other): [string, string][] => {
    const own = byFold.get(fold(other));
    return own === undefined || oursNames.has(other) ? [] : [[own, other]];
  });
  return pairs.sort((a, b) => a[1].length - b[1].length);
}

function addedNames(changes: readonly PathChange[]): Set<string> {
  const names = new Set<string>();
  for (const { path, kind } of changes) {
    if (kind !== "added") continue;
    for (let name = path; name !== "" && !names.has(name); name = name.slice(0, Math.max(0, name.lastIndexOf("/")))) {
      names.add(name);
    }
  }
  return names;
}

function fold(name: string): string {
  return name.normalize("NFD").toUpperCase().normalize("NFC").toLowerCase();
}

function openPair(sides: Sides, own: string, other: string): OpenPath {
  const [{ ours }, { theirs }] = [entriesAt(sides, own), entriesAt(sides, other)];
  const areFiles = ours !== undefined && theirs !== undefined;
  return {
    type: "open",
    conflict: {
      path: other,
      kind: "name-clash",
      ours,
      theirs,
      message: `ours added ${own} and theirs added ${other}: where case or the composition of letters does not count, these are one name`,
    },
    held: [other],
    // A folder cannot be dropped for another: what ours has in it may be nowhere else.
    choices: { ours: [], ...(areFiles ? { theirs: [editTo(own, undefined), editTo(other, theirs)] } : {}) },
  };
}
