import { TreeEditor, type TreeEdit } from "../git/tree-editor.ts";
import type { Vault } from "../workspaces/vault.ts";
import { openPath, type Decision, type OpenPath } from "./decision.ts";
import { entriesAt, type Sides } from "./sides.ts";
import type { MergeDraft } from "./structural.ts";
import { waiversOfPolicies } from "./policy-waivers.ts";
import type { PathConflict, ResolvedPath, Waiver } from "./tree-merge.ts";

/** A tree made of ours, and what is known about it. */
export interface Composed {
  readonly tree: string;
  readonly resolved: readonly ResolvedPath[];
  readonly waivers: readonly Waiver[];
  /** Paths at which a choice dropped an edit. */
  readonly waived: ReadonlySet<string>;
  readonly conflicts: readonly PathConflict[];
}

type Choices = ReadonlyMap<string, "ours" | "theirs">;

/** Makes the tree of a draft: with the choices where they fit, and with ours at every path that stays open. */
export async function composeDraft(vault: Vault, sides: Sides, draft: MergeDraft, choices: Choices): Promise<Composed> {
  const held = new Set(draft.decisions.flatMap((decision) => (decision.type === "open" ? decision.held : [])));
  const decided = draft.decisions
    .filter((decision) => decision.type === "open" || !decision.edits.some(({ path }) => isHeld(path, held)))
    .map((decision) => decide(decision, choices));
  const rest = draft.edits.filter(({ path }) => !isHeld(path, held));
  const editor = new TreeEditor(vault.objects, sides.ours);
  const blocked = await applyAll(editor, [...rest, ...decided.flatMap(({ edits }) => edits)]);
  return {
    tree: await editor.stage(),
    resolved: decided.flatMap(({ resolved }) => resolved),
    waivers: decided.flatMap(({ waivers }) => waivers),
    waived: findWaived(sides, decided),
    conflicts: [...decided.flatMap(({ conflicts }) => conflicts), ...blocked.map((path) => inTheWay(sides, path))],
  };
}

function findWaived({ oursChanges, theirsChanges }: Sides, decided: readonly Decided[]): Set<string> {
  const held = new Set(decided.filter(({ waivers }) => waivers.length > 0).flatMap((one) => one.held));
  const below = [...oursChanges.keys(), ...theirsChanges.keys()].filter((path) => isHeld(path, held));
  return new Set([...held, ...below]);
}

interface Decided {
  readonly edits: readonly TreeEdit[];
  readonly held: readonly string[];
  readonly resolved: readonly ResolvedPath[];
  readonly waivers: readonly Waiver[];
  readonly conflicts: readonly PathConflict[];
}

function decide(decision: Decision, choices: Choices): Decided {
  const nothing = { edits: [], held: [], resolved: [], waivers: [], conflicts: [] };
  if (decision.type === "merged") {
    const { edits, resolved } = decision;
    return { ...nothing, edits, resolved: [resolved], waivers: waiversOfPolicies(resolved) };
  }
  const choice = choices.get(decision.conflict.path);
  const edits = choice === undefined ? undefined : decision.choices[choice];
  if (choice === undefined || edits === undefined) return { ...nothing, conflicts: [decision.conflict] };
  return { ...nothing, edits, held: decision.held, waivers: [waive(decision, choice)] };
}

function waive({ conflict }: OpenPath, choice: "ours" | "theirs"): Waiver {
  const dropped = choice === "ours" ? "theirs" : "ours";
  return { path: conflict.path, what: `${choice} was taken and ${dropped} dropped: ${conflict.message}`, by: "person" };
}

// Below a held path too: where one side has a folder and the other a file, its files are part of the question.
function isHeld(path: string, held: ReadonlySet<string>): boolean {
  for (let name = path; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf("/")))) {
    if (held.has(name)) return true;
  }
  return false;
}

/** Applies edits, and returns the paths of those for which something else is in the way. */
async function applyAll(editor: TreeEditor, edits: readonly TreeEdit[]): Promise<string[]> {
  await editor.apply(edits.filter(({ oid }) => oid === null));
  const blocked: string[] = [];
  for (const edit of edits) {
    if (edit.oid === null) continue;
    if (await editor.isFree(edit.path)) await editor.apply([edit]);
    else blocked.push(edit.path);
  }
  return blocked;
}

function inTheWay(sides: Sides, path: string): PathConflict {
  const message = `${path} cannot be put where it belongs: a file stands where a folder is to be, or the reverse`;
  return openPath({ path, kind: "file-folder", ...entriesAt(sides, path), message }).conflict;
}
