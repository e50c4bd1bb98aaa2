import type { Git } from "../git/git.ts";
import { LARGEST_BLOB_BYTES } from "../git/objects.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import type { Candidate } from "./compose-changesets.ts";
import { mergeChangeset } from "./merge-changeset.ts";
import type { PathConflict, RulesSource } from "./tree-merge.ts";
import type { Entry } from "../merge/change.ts";
import { hasMarkers, withMarkers, type TextVersions } from "../merge/text.ts";
import type { Vault } from "../workspaces/vault.ts";

/** What a workspace is filled with, and what a person finds at the paths that are theirs to decide. */
export interface ConflictContent {
  readonly tree: string;
  readonly paths: readonly PlacedPath[];
}

/** One path that a person has to decide. */
export interface PlacedPath {
  readonly path: string;
  readonly kind: PathConflict["kind"];
  readonly message: string;
  /** What stands in the file. */
  readonly holds: "markers" | "merged" | "ours" | "theirs";
}

const TEXT_KINDS: ReadonlySet<PathConflict["kind"]> = new Set(["contents", "both-added", "loss", "attributes"]);

/**
 * Works out what a person fixes: everything that merges is merged; at conflicting places of a text stand both sides
 * between markers; what only the rules keep from landing is as it would land; anything else is as what landed has it, or as the task has it where that is the only one.
 */
export async function composeContent(
  git: Git,
  vault: Vault,
  onto: string,
  candidate: Candidate,
  rules: RulesSource,
): Promise<ConflictContent> {
  const merge = await mergeChangeset(git, vault, onto, candidate, rules);
  if (merge.status === "merged") return { tree: merge.tree, paths: [] };
  const editor = new TreeEditor(vault.objects, merge.partial);
  const paths: PlacedPath[] = [];
  for (const conflict of merge.conflicts) {
    const placed = await place(vault, conflict, candidate.task);
    const { path, kind, message } = conflict;
    const isPlaced = placed !== undefined && (await put(editor, path, placed.entry));
    paths.push({ path, kind, message, holds: isPlaced ? placed.holds : "ours" });
  }
  return { tree: await editor.write(), paths };
}

interface Placed {
  readonly entry: Entry;
  readonly holds: PlacedPath["holds"];
}

async function place(vault: Vault, conflict: PathConflict, task: string): Promise<Placed | undefined> {
  const { kind, ours, theirs, proposed } = conflict;
  if (proposed !== undefined) return { entry: proposed, holds: "merged" };
  if (kind === "markers" && theirs !== undefined) return { entry: theirs, holds: "theirs" };
  if (ours === undefined && theirs !== undefined) return { entry: theirs, holds: "theirs" };
  if (!TEXT_KINDS.has(kind) || ours === undefined || theirs === undefined) return undefined;
  const versions = await readVersions(vault, conflict, ours, theirs);
  if (versions === undefined) return undefined;
  const oid = await vault.objects.writeBlob(Buffer.from(bothSides(versions, task), "latin1"));
  return { entry: { mode: ours.mode, oid }, holds: "markers" };
}

async function readVersions(
  { objects }: Vault,
  { base }: PathConflict,
  ours: Entry,
  theirs: Entry,
): Promise<TextVersions | undefined> {
  const entries = [ours, theirs, ...(base === undefined ? [] : [base])];
  if (!entries.every(({ mode }) => mode.startsWith("100"))) return undefined;
  const sizes = await Promise.all(entries.map(({ oid }) => objects.sizeOf(oid)));
  if (sizes.some((size) => size === undefined || size > LARGEST_BLOB_BYTES)) return undefined;
  const texts = await Promise.all(entries.map(async ({ oid }) => (await objects.readBlob(oid)).toString("latin1")));
  const [own, other, before] = texts;
  if (own === undefined || other === undefined || texts.some((text) => text.includes("\0"))) return undefined;
  return { ours: own, theirs: other, base: before };
}

/** Both sides between markers: where they meet, or as a whole where no place can be named. */
function bothSides(versions: TextVersions, task: string): string {
  const labels = { ours: "what has landed", base: "before both", theirs: task };
  const marked = withMarkers(versions, labels);
  return hasMarkers(marked) ? marked : withMarkers({ ...versions, base: undefined }, labels);
}

// Where a folder is in the way, what has landed stays; the person is told.
async function put(editor: TreeEditor, path: string, { mode, oid }: Entry): Promise<boolean> {
  try {
    await editor.apply([{ path, mode, oid }]);
    return true;
  } catch {
    return false;
  }
}

/** What a person does with a path that was placed for them. @param theirs the commit that holds the task's version */
export function adviseOn({ path, kind, holds }: PlacedPath, theirs: string): string {
  const quoted = `'${path.replaceAll("'", "'\\''")}'`;
  if (holds === "markers") return "both sides stand between markers: decide, and remove the markers";
  if (holds === "merged") return "both sides are merged in it: see whether that is right, and mend it where it is not";
  if (kind === "markers") return "the task left conflict markers in it: remove them";
  if (holds === "theirs") return `it is as the task has it: keep it, or remove it (rm ${quoted})`;
  return `it is as what landed has it; the task's: git checkout ${theirs.slice(0, 12)} -- ${quoted}`;
}
