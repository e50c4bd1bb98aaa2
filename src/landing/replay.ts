import type { Change } from "../git/changes.ts";
import type { Git } from "../git/git.ts";
import { TreeEditor, type TreeEdit } from "../git/tree-editor.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { AcceptedCommit } from "./acceptance.ts";
import type { LaneStep } from "./lane-steps.ts";
import { mergeTrees } from "./merge-trees.ts";

/** What is to become of a lane's commits on the user's branch. */
export interface ReplayRequest {
  readonly run: string;
  /** The commit they are put on. */
  readonly head: string;
  readonly steps: readonly LaneStep[];
  /** Paths that no commit may touch. */
  readonly withheld: ReadonlySet<string>;
  /** All that has to come of it. */
  readonly changes: readonly Change[];
  /** Who commits; `undefined`: whoever wrote it. */
  readonly committer: string | undefined;
  readonly atSeconds: number;
}

/** The commits that were made of a lane's, in the vault. */
export interface Replayed {
  readonly commits: readonly AcceptedCommit[];
  /** Whether each changeset is a commit of its own. */
  readonly isSeparate: boolean;
}

/**
 * Makes one commit of each commit of a lane, on top of the user's. They are made anew from what each step changed, so
 * that nothing of the user's state that the lane stands on comes along. Where the steps do not fit one by one on what
 * the branch has become, though all of it together does, one commit is made of all.
 */
export async function replayLane(git: Git, vault: Vault, request: ReplayRequest): Promise<Replayed> {
  const steps = request.steps
    .map((step) => ({ ...step, changes: step.changes.filter(({ path }) => !request.withheld.has(path)) }))
    .filter((step) => step.changes.length > 0);
  if (request.changes.length === 0) return { commits: [], isSeparate: true };
  const trees = await replayTrees(git, vault, request, steps);
  if (trees === undefined) return { commits: [await commitTogether(vault, request, steps)], isSeparate: false };
  const commits: AcceptedCommit[] = [];
  let [parent, before] = [request.head, await vault.objects.treeOf(request.head)];
  for (const [index, step] of steps.entries()) {
    const tree = trees[index] ?? before;
    // The user has it already.
    if (tree === before) continue;
    const oid = await writeCommit(vault, request, { tree, parent, message: step.message }, step);
    commits.push({ oid, subject: subjectOf(step.message), source: step.commit, paths: step.changes.length });
    [parent, before] = [oid, tree];
  }
  return { commits, isSeparate: true };
}

/** The tree after each step; `undefined` where they do not lead to what has to come of it. */
async function replayTrees(
  git: Git,
  vault: Vault,
  request: ReplayRequest,
  steps: readonly LaneStep[],
): Promise<string[] | undefined> {
  const trees: string[] = [];
  let editor = new TreeEditor(vault.objects, request.head);
  let tree = await vault.objects.treeOf(request.head);
  for (const step of steps) {
    if (await fits(editor, step.changes)) {
      await editor.apply(step.changes.map(toEdit));
      tree = await editor.write();
    } else {
      const merged = await mergeStep(git, vault, tree, step, request.withheld);
      if (merged === undefined) return undefined;
      tree = merged;
      editor = new TreeEditor(vault.objects, tree);
    }
    trees.push(tree);
  }
  return isSame(await vault.objects.compare(request.head, tree), request.changes) ? trees : undefined;
}

function isSame(some: readonly Change[], others: readonly Change[]): boolean {
  const wanted = new Map(others.map((change) => [change.path, change]));
  return (
    some.length === others.length &&
    some.every(({ path, newMode, newOid }) => {
      const change = wanted.get(path);
      return change?.newMode === newMode && change.newOid === newOid;
    })
  );
}

/** Whether every path is as it was before the step, so that the step can be taken as it is. */
async function fits(editor: TreeEditor, changes: readonly Change[]): Promise<boolean> {
  const leaving = new Set(changes.filter(({ kind }) => kind === "deleted").map(({ path }) => path));
  for (const { path, kind, oldMode, oldOid } of changes) {
    if (kind === "added") {
      if ((await editor.has(path)) || (await hasFileAbove(editor, path, leaving))) return false;
      continue;
    }
    const entry = await editor.entryAt(path);
    if (entry?.oid !== oldOid || entry.mode !== oldMode) return false;
  }
  return true;
}

async function hasFileAbove(editor: TreeEditor, path: string, leaving: ReadonlySet<string>): Promise<boolean> {
  const names = path.split("/").slice(0, -1);
  for (const [index] of names.entries()) {
    const above = names.slice(0, index + 1).join("/");
    if (!leaving.has(above) && (await editor.entryAt(above)) !== undefined) return true;
  }
  return false;
}

function toEdit({ path, newMode, newOid, kind }: Change): TreeEdit {
  return { path, mode: newMode, oid: kind === "deleted" ? null : newOid };
}

async function mergeStep(
  git: Git,
  vault: Vault,
  ours: string,
  step: LaneStep,
  withheld: ReadonlySet<string>,
): Promise<string | undefined> {
  const editor = new TreeEditor(vault.objects, step.parent);
  await editor.apply([...withheld].map((path) => ({ path, mode: "", oid: null })));
  const base = await editor.write();
  await editor.apply(step.changes.map(toEdit));
  const theirs = await editor.write();
  const merge = await mergeTrees(git, vault, { base, ours, theirs });
  return merge.status === "merged" ? merge.tree : undefined;
}

async function commitTogether(
  vault: Vault,
  request: ReplayRequest,
  steps: readonly LaneStep[],
): Promise<AcceptedCommit> {
  const last = steps.at(-1);
  const trailers = steps.flatMap(({ message }) => message.split("\n").filter((line) => /^Anabranch-\w+: /.test(line)));
  const subjects = steps.map(({ message }) => `- ${subjectOf(message)}`);
  const subject = `Accept ${steps.length} changesets of run ${request.run}`;
  const message = [subject, subjects.join("\n"), trailers.join("\n")].filter((part) => part !== "").join("\n\n");
  const editor = new TreeEditor(vault.objects, request.head);
  await editor.apply(request.changes.map(toEdit));
  const tree = await editor.write();
  const oid = await writeCommit(vault, request, { tree, parent: request.head, message }, last);
  return { oid, subject, source: last?.commit ?? request.head, paths: request.changes.length };
}

function writeCommit(
  vault: Vault,
  { committer, atSeconds }: ReplayRequest,
  { tree, parent, message }: { readonly tree: string; readonly parent: string; readonly message: string },
  step: LaneStep | undefined,
): Promise<string> {
  const { author, authoredSeconds } = step ?? {};
  const by = committer ?? author;
  return vault.commits.write({ tree, parents: [parent], message, atSeconds, author, authoredSeconds, committer: by });
}

function subjectOf(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}
