import type { Git } from "../git/git.ts";
import { findRenames } from "../git/merge-tree.ts";
import type { TreeEdit } from "../git/tree-editor.ts";
import type { Entry } from "../merge/change.ts";
import type { Rename } from "../merge/paths.ts";
import type { Vault } from "../workspaces/vault.ts";
import { groupConflicts, isKnown, openGroup, type ConflictGroup } from "./conflict-groups.ts";
import { decideMeetings, type Meeting } from "./contents.ts";
import { editOf, openPath, type Decision } from "./decision.ts";
import { mergeInQuarantine, type QuarantinedMerge } from "./quarantine.ts";
import { byPath, entriesAt, entryAfter, isFile, type Sides } from "./sides.ts";
import type { RulesSource } from "./tree-merge.ts";

/** What is to be done to ours, and what both sides have to be asked about. */
export interface MergeDraft {
  readonly edits: readonly TreeEdit[];
  readonly decisions: readonly Decision[];
  readonly renames: readonly Rename[];
}

/**
 * Merges trees of which one side moved, removed or replaced what the other changed. Git says what becomes of the paths;
 * contents that both sides changed are merged as everywhere else. Nothing that git composed itself is taken over.
 */
export async function draftStructural(
  git: Git,
  vault: Vault,
  sides: Sides,
  rules: RulesSource | undefined,
): Promise<MergeDraft> {
  const [merged, renames] = await Promise.all([
    mergeInQuarantine(git, vault, sides),
    findAllRenames(git, vault, sides),
  ]);
  const known = knownOids(sides);
  const groups = groupConflicts(merged, renames);
  const inGroups = new Set(groups.flatMap(({ paths }) => [...paths]));
  const meetings = findMeetings(sides, merged, renames).filter(({ path }) => !inGroups.has(path));
  const open: Decision[] = [];
  const movesTo = new Map(renames.map((rename) => [rename.to, rename]));
  for (const group of groups) {
    const meeting = meetingOf(group, movesTo, known);
    if (meeting === undefined) open.push(openGroup(group, merged, sides, known));
    else meetings.push(meeting);
  }
  const settled = new Set([...inGroups, ...meetings.flatMap(({ path, movedFrom }) => [path, movedFrom ?? path])]);
  const rest = merged.changes.filter(({ path }) => !settled.has(path));
  return {
    edits: rest.filter(({ newOid }) => isKnown(newOid, known)).map(editOf),
    decisions: [
      ...open,
      ...(await decideMeetings(git, vault, sides.ours, meetings, rules)),
      ...rest.filter(({ newOid }) => !isKnown(newOid, known)).map(({ path }) => openUnknown(sides, path)),
    ],
    renames,
  };
}

async function findAllRenames(git: Git, vault: Vault, sides: Sides): Promise<Rename[]> {
  await vault.objects.flush();
  const find = async (side: "ours" | "theirs"): Promise<Rename[]> => {
    const changes = [...(side === "ours" ? sides.oursChanges : sides.theirsChanges).values()];
    if (!["added", "deleted"].every((kind) => changes.some((change) => change.kind === kind))) return [];
    const place = { gitDirectory: vault.directory, isSealed: true };
    return (await findRenames(git, place, sides.base, sides[side])).map((rename) => ({ ...rename, side }));
  };
  return (await Promise.all([find("ours"), find("theirs")])).flat();
}

function knownOids({ oursChanges, theirsChanges }: Sides): Set<string> {
  const changes = [...oursChanges.values(), ...theirsChanges.values()];
  return new Set(changes.flatMap(({ oldOid, newOid }) => [oldOid, newOid]));
}

/** A group that is nothing but one file with two contents. */
function meetingOf(
  group: ConflictGroup,
  movesTo: ReadonlyMap<string, Rename>,
  known: ReadonlySet<string>,
): Meeting | undefined {
  const [path, ...others] = new Set(group.stages.map((stage) => stage.path));
  const isOfContents = [...group.types].every((type) => /\((contents|binary)\)/.test(type));
  if (path === undefined || others.length > 0 || !isOfContents) return undefined;
  if (!group.stages.every((stage) => isFile(stage) && known.has(stage.oid))) return undefined;
  const [base, ours, theirs] = ([1, 2, 3] as const).map((stage) => group.stages.find((one) => one.stage === stage));
  if (ours === undefined || theirs === undefined) return undefined;
  const move = movesTo.get(path);
  if (base === undefined && move !== undefined) return undefined;
  return { path, movedFrom: move?.from, movedBy: move?.side, base, ours, theirs };
}

/** Files that both sides changed and that git found no conflict in. */
function findMeetings(sides: Sides, merged: QuarantinedMerge, renames: readonly Rename[]): Meeting[] {
  const after = byPath(merged.changes);
  const isThere = (path: string): boolean => {
    const change = after.get(path);
    return (change === undefined ? entriesAt(sides, path).ours : entryAfter(change)) !== undefined;
  };
  const meetings: Meeting[] = [];
  for (const path of sides.theirsChanges.keys()) {
    const { base, ours, theirs } = entriesAt(sides, path);
    if (!sides.oursChanges.has(path) || base === undefined || !areThree(base, ours, theirs) || !isThere(path)) continue;
    meetings.push({ path, base, ours: ours as Entry, theirs: theirs as Entry });
  }
  const moves = new Map(renames.map((rename) => [`${rename.side} ${rename.from}`, rename]));
  for (const { from, to, side } of renames) {
    const other = side === "ours" ? "theirs" : "ours";
    const moved = moves.get(`${other} ${from}`);
    if (moved !== undefined && (moved.to !== to || side === "theirs")) continue;
    const { base } = entriesAt(sides, from);
    const { ours, theirs } = {
      [side]: entriesAt(sides, to)[side],
      [other]: entriesAt(sides, moved?.to ?? from)[other],
    } as { ours: Entry | undefined; theirs: Entry | undefined };
    if (!areThree(base, ours, theirs) || !isThere(to)) continue;
    const both = { path: to, movedFrom: from, movedBy: moved === undefined ? side : undefined };
    meetings.push({ ...both, base, ours: ours as Entry, theirs: theirs as Entry });
  }
  return meetings;
}

function areThree(base: Entry | undefined, ours: Entry | undefined, theirs: Entry | undefined): boolean {
  if (!isFile(base) || !isFile(ours) || !isFile(theirs)) return false;
  return new Set([base.oid, ours.oid, theirs.oid]).size === 3;
}

function openUnknown(sides: Sides, path: string): Decision {
  const message = `${path} can be merged, but not in a way by which it is known that no edit is lost`;
  return openPath({ path, kind: "loss", ...entriesAt(sides, path), message });
}
