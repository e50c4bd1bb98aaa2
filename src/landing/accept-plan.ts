import { AnabranchError } from "../base/errors.ts";
import { GITLINK_MODE, type Change } from "../git/changes.ts";
import type { Git } from "../git/git.ts";
import { readIndexEntries } from "../git/index-entries.ts";
import type { SemanticHit } from "../merge/symbols/semantic-hit.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { PathNote } from "./acceptance.ts";
import type { Judge } from "./compose-changesets.ts";
import { readLaneSteps, type LaneStep } from "./lane-steps.ts";
import { mergeTrees } from "./merge-trees.ts";
import { findPrivatePaths, type GivenState } from "./private-content.ts";
import { replayLane, type Replayed } from "./replay.ts";
import type { PathConflict, ResolvedPath, RulesSource, TreeMerge, Waiver } from "./tree-merge.ts";
import type { UserState } from "./user-state.ts";

/** What is to be accepted, and by whom. */
export interface AcceptRequest {
  readonly run: string;
  readonly state: UserState;
  /** What the run was given. */
  readonly given: GivenState;
  /** Where the part of the lane that is not accepted yet begins: what the run was given, or what was accepted last. */
  readonly from: string;
  /** The lane's tip. */
  readonly lane: string;
  readonly atMs: number;
  /** What of it may be merged by itself. */
  readonly rules?: RulesSource | undefined;
  /** Looks at what the lane comes to beside what the user has made since. Absent: nobody does. */
  readonly judge?: Judge | undefined;
}

/** What accepting comes to, before anything of it is verified or written. */
export interface AcceptPlan {
  readonly request: AcceptRequest;
  /** The whole state that is to be, as a commit in the vault. */
  readonly after: string;
  /** From the user's state to that. */
  readonly changes: readonly Change[];
  readonly unchanged: readonly string[];
  readonly replayed: Replayed;
  readonly uncommitted: readonly PathNote[];
  readonly resolved: readonly ResolvedPath[];
  readonly waivers: readonly Waiver[];
  /** Where the lane and what the user has made since may not fit. */
  readonly hits: readonly SemanticHit[];
}

/**
 * Settles what accepting a lane means for the user's state as it is. Nothing of the user's is written.
 *
 * @throws {AnabranchError} `ACCEPT_REFUSED` with the paths that stand against it
 */
export async function planAcceptance(git: Git, vault: Vault, request: AcceptRequest): Promise<AcceptPlan> {
  const { state, from, lane, atMs, rules, judge } = request;
  const [wanted, steps] = await Promise.all([vault.objects.compare(from, lane), readLaneSteps(git, vault, from, lane)]);
  refuseUnwritable(state, wanted);
  const merge = await mergeTrees(git, vault, { base: from, ours: state.commit, theirs: lane, rules });
  if (merge.status === "conflict") throw conflictRefusal(request, merge.conflicts);
  const changes = await vault.objects.compare(state.commit, merge.tree);
  refuseUnwritable(state, changes);
  await refuseEdited(vault, request, wanted, merge);
  await refuseLeftOut(git, state, changes);
  const judged = await judge?.({}, { base: from, ours: state.commit, theirs: lane, result: merge.tree });
  if (judged !== undefined && judged.conflicts.length > 0) throw conflictRefusal(request, judged.conflicts);
  const message = `What accepting run ${request.run} makes of the working tree`;
  const [after, replay] = await Promise.all([
    vault.commits.write({ tree: merge.tree, parents: [state.commit], message, atSeconds: atMs / 1000 }),
    state.isClean ? replayCommits(git, vault, request, steps, changes) : { replayed: NO_COMMITS, uncommitted: [] },
  ]);
  const changed = new Set(changes.map(({ path }) => path));
  const unchanged = wanted.map(({ path }) => path).filter((path) => !changed.has(path));
  const { resolved, waivers } = merge;
  return { request, after, changes, unchanged, ...replay, resolved, waivers, hits: judged?.hits ?? [] };
}

const NO_COMMITS: Replayed = { commits: [], isSeparate: true };

async function replayCommits(
  git: Git,
  vault: Vault,
  { run, state, given, atMs }: AcceptRequest,
  steps: readonly LaneStep[],
  changes: readonly Change[],
): Promise<{ replayed: Replayed; uncommitted: PathNote[] }> {
  const head = state.committed;
  const withheld = await findPrivatePaths(git, vault, state, given, steps);
  const committed = changes.filter(({ path }) => !withheld.has(path));
  const { committer } = state;
  const request = { run, head, steps, withheld, changes: committed, committer, atSeconds: atMs / 1000 };
  const replayed = await replayLane(git, vault, request);
  const touched = new Set(steps.flatMap((step) => step.changes.map(({ path }) => path)));
  const untracked = new Set(state.uncommitted.map(({ path }) => path));
  const uncommitted = [...withheld]
    .filter((path) => touched.has(path))
    .map((path) => ({
      path,
      why: untracked.has(path) ? "git does not track it" : "it holds what you have not committed",
    }));
  return { replayed, uncommitted };
}

/** Names that cannot be written as they are, and submodules, which are another repository's. */
function refuseUnwritable(state: UserState, changes: readonly Change[]): void {
  // Bytes that are not UTF-8 arrive as what no character is.
  const strange = changes.filter(({ path }) => /[\ud800-\udfff\ufffd]/u.test(path));
  if (strange.length > 0) {
    throw refusal(state, notes(strange, "its name is not UTF-8"), {
      message: `the names of ${strange.length} files are not UTF-8`,
      hint: "take the change as a patch: anabranch diff ID | git apply",
    });
  }
  const modules = changes.filter(({ oldMode, newMode }) => oldMode === GITLINK_MODE || newMode === GITLINK_MODE);
  if (modules.length > 0) {
    throw refusal(state, notes(modules, "it is a submodule"), {
      message: `the run moves submodules: ${sample(modules.map(({ path }) => path))}`,
      hint: "take the rest with anabranch diff ID | git apply, and move the submodules with git",
    });
  }
}

/** What the user has edited since and not committed is not merged with: nobody could take the two apart again. */
async function refuseEdited(
  vault: Vault,
  { state, from }: AcceptRequest,
  wanted: readonly Change[],
  merge: TreeMerge & { status: "merged" },
): Promise<void> {
  const uncommitted = new Set(state.uncommitted.map(({ path }) => path));
  const since = new Set((await vault.objects.compare(from, state.commit)).map(({ path }) => path));
  const suspects = wanted.filter(({ path }) => uncommitted.has(path) && since.has(path));
  if (suspects.length === 0) return;
  const different = new Set((await vault.objects.compare(state.commit, merge.tree)).map(({ path }) => path));
  const edited = suspects.filter(({ path }) => different.has(path));
  if (edited.length === 0) return;
  throw refusal(state, notes(edited, "you have edited it since, and not committed that"), {
    message: `${edited.length} files that the run changed have edits of yours since: ${sample(edited.map(({ path }) => path))}`,
    hint: "commit your edits, or put them aside (git stash), then accept again",
  });
}

/** A sparse checkout leaves these out: writing them would bring them back. */
async function refuseLeftOut(git: Git, state: UserState, changes: readonly Change[]): Promise<void> {
  const place = { gitDirectory: state.repository.gitDirectory, workTree: state.repository.root };
  const entries = await readIndexEntries(git, place, new Set(changes.map(({ path }) => path)));
  const leftOut = changes.filter(({ path }) => entries.get(path)?.leftOut === true);
  if (leftOut.length === 0) return;
  throw refusal(state, notes(leftOut, "your sparse checkout leaves it out"), {
    message: `the run changed ${leftOut.length} files that your sparse checkout leaves out: ${sample(leftOut.map(({ path }) => path))}`,
    hint: "git sparse-checkout disable, or add their folders, then accept again",
  });
}

function conflictRefusal({ run, state, given }: AcceptRequest, conflicts: readonly PathConflict[]): AnabranchError {
  const uncommitted = new Set(state.uncommitted.map(({ path }) => path));
  const yours = conflicts.filter(({ path }) => uncommitted.has(path));
  const paths = conflicts.map(({ path }) => path);
  const isMisfit = conflicts.every(({ kind }) => kind === "semantic");
  const fresh = `accept it where it started, then merge: git switch -c anabranch-${run} ${given.committed.slice(0, 12)} && anabranch accept ${run}`;
  return refusal(
    state,
    conflicts.map(({ path, kind, message }) => ({ path, why: `${kind}: ${message}` })),
    {
      message: isMisfit
        ? `what the run and you changed does not fit: ${sample(conflicts.map(({ message }) => message))}`
        : `what the run and you changed conflicts in ${sample(paths)}`,
      hint:
        yours.length > 0
          ? "commit your edits, or put them aside (git stash), then accept again"
          : isMisfit
            ? `mend that, then accept again; or ${fresh}`
            : fresh,
      conflicts: conflicts.map(({ path, kind }) => ({ path, kind })),
    },
  );
}

/** The error of an acceptance that was not begun. */
export function refusal(
  state: Pick<UserState, "repository">,
  paths: readonly PathNote[],
  words: { readonly message: string; readonly hint: string; readonly conflicts?: readonly object[] },
): AnabranchError {
  return new AnabranchError("ACCEPT_REFUSED", {
    message: `${words.message}; nothing was written to ${state.repository.root}`,
    hint: words.hint,
    data: {
      paths: paths.slice(0, 1000),
      ...(words.conflicts === undefined ? {} : { conflicts: words.conflicts.slice(0, 1000) }),
    },
  });
}

function notes(changes: readonly Change[], why: string): PathNote[] {
  return changes.map(({ path }) => ({ path, why }));
}

/** The first of some paths. */
export function sample(paths: readonly string[]): string {
  return paths.length > 5 ? `${paths.slice(0, 5).join(", ")}, …` : paths.join(", ");
}
