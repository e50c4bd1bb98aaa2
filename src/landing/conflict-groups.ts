import type { Stage } from "../git/merge-tree.ts";
import type { TreeEdit } from "../git/tree-editor.ts";
import type { Entry } from "../merge/change.ts";
import type { Rename } from "../merge/paths.ts";
import { editOf, editTo, type OpenPath } from "./decision.ts";
import type { QuarantinedMerge } from "./quarantine.ts";
import { entriesAt, type Sides } from "./sides.ts";
import type { ConflictKind } from "./tree-merge.ts";

/** Paths whose conflicts hang together: a file under its old and its new names, for instance. */
export interface ConflictGroup {
  readonly paths: ReadonlySet<string>;
  readonly stages: readonly Stage[];
  readonly types: ReadonlySet<string>;
}

/** Puts the conflicts that git tells of together by the paths they share. */
export function groupConflicts(merged: QuarantinedMerge, renames: readonly Rename[]): ConflictGroup[] {
  const links = [...merged.stages.map(({ path }) => [path]), ...merged.conflicts.map(({ paths }) => paths)];
  const staged = new Set(links.flat());
  for (const { from, to } of renames) if (staged.has(to)) links.push([from, to]);
  const groups = connect(links).map((paths) => ({ paths, stages: [] as Stage[], types: new Set<string>() }));
  const groupOf = new Map(groups.flatMap((group) => [...group.paths].map((path) => [path, group] as const)));
  for (const stage of merged.stages) groupOf.get(stage.path)?.stages.push(stage);
  for (const { paths, type } of merged.conflicts) for (const path of paths) groupOf.get(path)?.types.add(type);
  return groups;
}

function connect(links: readonly (readonly string[])[]): Set<string>[] {
  const groupOf = new Map<string, Set<string>>();
  for (const paths of links) {
    const group = new Set(paths);
    for (const path of paths) for (const other of groupOf.get(path) ?? []) group.add(other);
    for (const path of group) groupOf.set(path, group);
  }
  return [...new Set(groupOf.values())];
}

/** A group as a conflict, with what each choice would do. */
export function openGroup(
  found: ConflictGroup,
  merged: QuarantinedMerge,
  sides: Sides,
  known: ReadonlySet<string>,
): OpenPath {
  const group = { ...found, stages: found.stages.flatMap((stage) => asSidesHaveIt(stage, sides, known)) };
  const [base, ours, theirs] = ([1, 2, 3] as const).map((stage) => group.stages.find((one) => one.stage === stage));
  const kind = kindOf(group);
  const names = namesOf(group, { base, ours, theirs });
  return {
    type: "open",
    conflict: {
      path: names.path,
      kind,
      base: entryOf(base),
      ours: entryOf(ours),
      theirs: entryOf(theirs),
      message: isOfMovedFolder(group) ? ofMovedFolder(names) : MESSAGES[kind](names),
      renamedTo: names.renamedTo,
    },
    held: [...group.paths],
    choices: choicesOf(kind, group, merged, known),
  };
}

/** Git may have merged contents into a version already; a choice is between what the sides have themselves. */
function asSidesHaveIt(stage: Stage, sides: Sides, known: ReadonlySet<string>): Stage[] {
  if (known.has(stage.oid)) return [stage];
  const { base, ours, theirs } = entriesAt(sides, stage.path);
  const own = [base, ours, theirs][stage.stage - 1];
  return own === undefined ? [] : [{ ...stage, ...own }];
}

function isOfMovedFolder({ types }: ConflictGroup): boolean {
  return [...types].some((type) => /directory rename suggested/.test(type));
}

function ofMovedFolder({ from, to, changer, other }: Names): string {
  return `${changer} has ${from} in a folder that ${other} moved: it may belong at ${to}`;
}

interface Names {
  readonly path: string;
  readonly renamedTo: string | undefined;
  readonly from: string;
  readonly to: string;
  readonly changer: string;
  readonly other: string;
}

function namesOf(
  group: ConflictGroup,
  { base, ours, theirs }: { base: Stage | undefined; ours: Stage | undefined; theirs: Stage | undefined },
): Names {
  const unstaged = [...group.paths].find((path) => group.stages.every((stage) => stage.path !== path));
  const from = base === undefined || base.path === (ours ?? theirs)?.path ? (unstaged ?? base?.path) : base.path;
  const to = ours?.path ?? theirs?.path ?? base?.path ?? "";
  const path = ours?.path ?? from ?? to;
  return {
    path,
    renamedTo: theirs !== undefined && theirs.path !== path ? theirs.path : undefined,
    from: from ?? to,
    to,
    changer: ours === undefined ? "theirs" : "ours",
    other: ours === undefined ? "ours" : "theirs",
  };
}

function entryOf(stage: Stage | undefined): Entry | undefined {
  return stage === undefined ? undefined : { mode: stage.mode, oid: stage.oid };
}

function kindOf({ stages, types }: ConflictGroup): ConflictKind {
  const has = (...words: string[]): boolean => [...types].some((type) => words.some((word) => type.includes(word)));
  if (stages.some(({ mode }) => mode === "160000") && !has("file/directory")) return "submodule";
  if (has("file/directory")) return "file-folder";
  if (has("distinct")) return "type";
  if (has("rename/rename", "directory rename", "dir rename", "rename involved")) return "rename-rename";
  if (has("rename/delete")) return "rename-delete";
  if (has("modify/delete")) return "modified-deleted";
  return stages.some(({ stage }) => stage === 1) ? "contents" : "both-added";
}

const MESSAGES: Readonly<Record<ConflictKind, (names: Names) => string>> = {
  contents: ({ path }) => `both sides changed ${path}`,
  binary: ({ path }) => `both sides changed ${path}, which is no text`,
  "both-added": ({ path }) => `both sides put something at ${path}`,
  "modified-deleted": ({ path, changer, other }) => `${changer} changed ${path}, and ${other} deleted it`,
  "rename-rename": ({ path, renamedTo, from }) =>
    renamedTo === undefined
      ? `both sides moved files in different ways around ${path}`
      : `ours has ${from} at ${path}, and theirs has it at ${renamedTo}`,
  "rename-delete": ({ from, to, changer, other }) => `${changer} moved ${from} to ${to}, and ${other} deleted it`,
  "file-folder": ({ path }) => `${path} is a file on one side and a folder on the other`,
  type: ({ path }) => `${path} is a file on one side and a link or submodule on the other`,
  mode: ({ path }) => `the two sides gave ${path} different modes`,
  submodule: ({ path }) => `both sides moved the submodule ${path} to different commits, or one removed it`,
  attributes: ({ path }) => `the attributes do not let ${path} be merged`,
  "name-clash": ({ path }) => `the name of ${path} clashes with another`,
  loss: ({ path }) => `an edit of ${path} would be lost`,
  uncertain: ({ path }) => `${path} merges, and is not to land by itself`,
  semantic: ({ path }) => `${path} merges as text, and does not fit`,
  markers: ({ path }) => `${path} would get conflict markers`,
};

function choicesOf(
  kind: ConflictKind,
  group: ConflictGroup,
  merged: QuarantinedMerge,
  known: ReadonlySet<string>,
): OpenPath["choices"] {
  if (kind === "file-folder") return folderChoices(group, merged, known);
  const take = (wanted: 2 | 3): TreeEdit[] =>
    [...group.paths].flatMap((path) => {
      const staged = group.stages.filter((stage) => stage.path === path);
      if (staged.length > 0) return [editTo(path, entryOf(staged.find(({ stage }) => stage === wanted)))];
      return merged.changes.filter((change) => change.path === path && isKnown(change.newOid, known)).map(editOf);
    });
  return { ours: take(2), theirs: take(3) };
}

/** The side with the file has it staged; the folder's files are in git's tree. */
function folderChoices(
  { paths, stages }: ConflictGroup,
  { changes }: QuarantinedMerge,
  known: ReadonlySet<string>,
): OpenPath["choices"] {
  const theirFile = stages.find(({ stage }) => stage === 3);
  const isOurs = stages.some(({ stage }) => stage === 2);
  if (isOurs === (theirFile !== undefined)) return {};
  const cleared = [...paths].map((path) => editTo(path, undefined));
  if (theirFile !== undefined) return { ours: [], theirs: [...cleared, editTo(theirFile.path, entryOf(theirFile))] };
  const below = changes.filter(({ path }) => [...paths].some((held) => path.startsWith(`${held}/`)));
  if (!below.every(({ newOid }) => isKnown(newOid, known))) return { ours: [] };
  return { ours: [], theirs: [...cleared, ...below.map(editOf)] };
}

/** Whether a side has this content itself; git composed all others. */
export function isKnown(oid: string, known: ReadonlySet<string>): boolean {
  return known.has(oid) || /^0+$/.test(oid);
}
