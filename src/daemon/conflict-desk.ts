import { AnabranchError } from "../base/errors.ts";
import { Turns } from "../base/turns.ts";
import { waiversOf } from "../landing/audit.ts";
import type { Candidate } from "../landing/compose-changesets.ts";
import { mergeChangeset } from "../landing/merge-changeset.ts";
import { adviseOn, composeContent } from "../landing/conflict-content.ts";
import { findLeftMarkers } from "../landing/left-markers.ts";
import { findLosses } from "../landing/losses.ts";
import type { HandMerge, LandingRecord } from "../landing/receipt.ts";
import { rememberResolutions } from "../landing/resolution-cache.ts";
import type { RulesSource, Waiver } from "../landing/tree-merge.ts";
import { updateConflict, type Side } from "../store/conflicts.ts";
import { loadLandings } from "../store/landings.ts";
import { toleratedCommands } from "./base-verdict.ts";
import { requireConflict, requireOpen, runOf, type KeptConflict } from "./conflict-lookup.ts";
import {
  captureFixed,
  closeLeftOver,
  closeWorkspace,
  findOpened,
  openWorkspace,
  type OpenedWorkspace,
} from "./conflict-workspace.ts";
import type { Lander } from "./lander.ts";
import { landCandidate, requireEnded, type LandingWish, type LateLanding } from "./late-landing.ts";
import { lateInputs } from "./late-inputs.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { landingRulesOf } from "./verify-rules.ts";

/** A conflict that was opened: where, and what there is to decide. */
export interface OpenedConflict {
  readonly conflict: KeptConflict;
  readonly folder: string;
  readonly base: string;
  readonly paths: readonly { readonly path: string; readonly kind: string; readonly advice: string }[];
  readonly again: boolean;
}

/** What a person's choices came to. */
export interface TakenConflict {
  readonly conflict: KeptConflict;
  readonly landed: SettledConflict | undefined;
}

/** A conflict whose work has landed. */
export interface SettledConflict extends LateLanding {
  /** The ref that holds what was in its workspace. */
  readonly kept: string | undefined;
}

/**
 * What people do about conflicts, one thing at a time for each. Every step is durable before the next: a daemon killed
 * at any point leaves a conflict that is open, or whose work has landed.
 */
export class ConflictDesk {
  readonly #parts: Parts;
  readonly #lander: Lander;
  readonly #turns = new Turns();

  constructor(parts: Parts, lander: Lander) {
    this.#parts = parts;
    this.#lander = lander;
  }

  /** Closes the workspaces of conflicts that an earlier daemon saw the end of. */
  recover(): Promise<void> {
    return closeLeftOver(this.#parts);
  }

  /** Leases a workspace to fix a conflict in, or says where it is already. */
  open(id: string, { environment }: Pick<LandingWish, "environment">): Promise<OpenedConflict> {
    return this.#alone(id, async (conflict, run) => {
      requireOpen(conflict);
      const vault = this.#parts.vaultOf(run.row.repositoryId);
      const opened = await findOpened(this.#parts, run, conflict);
      const base = opened?.base ?? (await this.#tipOf(run));
      const { snapshot } = conflict.record.candidate;
      const content = await composeContent(
        this.#parts.git,
        vault,
        base,
        candidateOf(conflict),
        this.#rulesOf(run, base),
      );
      const unfit = conflict.record.conflicts.filter(({ kind }) => kind === "semantic");
      const paths = [
        ...content.paths.map((one) => ({ path: one.path, kind: one.kind, advice: adviseOn(one, snapshot) })),
        ...unfit.map(({ path, kind, message }) => ({ path, kind, advice: message })),
      ];
      if (opened !== undefined) return { conflict, folder: opened.folder, base, paths, again: true };
      try {
        const inputs = await lateInputs(this.#parts, run, environment);
        const { folder } = await openWorkspace(this.#parts, run, inputs, conflict, { base, tree: content.tree });
        return { conflict, folder, base, paths, again: false };
      } finally {
        await this.#forget(run);
      }
    });
  }

  /** Notes a side for a path, or for all; lands when there is one for each. */
  take(id: string, side: Side, path: string | undefined, wish: LandingWish): Promise<TakenConflict> {
    return this.#alone(id, async (conflict, run) => {
      // Asked again because an answer was lost, it has landed already.
      if (conflict.state === "settled") return { conflict, landed: await this.#landed(conflict) };
      requireOpen(conflict);
      const paths = requirePaths(conflict, path);
      refuseMarkers(conflict, side, paths);
      refuseOurs(conflict, side, paths);
      const choices = { ...conflict.choices, ...Object.fromEntries(paths.map((one) => [one, side])) };
      await this.#parts.book.commit([updateConflict(conflict, { choices })]);
      const decided = { ...conflict, choices, version: conflict.version + 1 };
      const isComplete = conflict.record.conflicts.every((one) => Object.hasOwn(choices, one.path));
      if (!isComplete) return { conflict: decided, landed: undefined };
      const candidate = await this.#unfixed(decided, run);
      return { conflict: decided, landed: await this.#settle(decided, run, candidate, wish) };
    });
  }

  /** Gives a conflict up. The changeset stays in the vault, and so does what was made of it. */
  abort(id: string): Promise<{ conflict: KeptConflict; kept: string | undefined }> {
    return this.#alone(id, async (conflict, run) => {
      if (conflict.state === "settled") requireOpen(conflict);
      if (conflict.state === "aborted") return { conflict, kept: undefined };
      const opened = await findOpened(this.#parts, run, conflict);
      if (opened !== undefined) await captureFixed(this.#parts, run, conflict, opened, "left");
      const endedMs = this.#parts.clock.wallMs();
      await this.#parts.book.change(run, (draft) => {
        draft.also([updateConflict(conflict, { state: "aborted", endedMs })]);
        draft.event("conflict.aborted", { conflict: conflict.id }, conflict.task);
      });
      return { conflict, kept: await closeWorkspace(this.#parts, conflict) };
    });
  }

  /** Lands what a conflict was made into: the work in its workspace, or the task's own where it merges by now. */
  land(id: string, wish: LandingWish): Promise<SettledConflict> {
    return this.#alone(id, async (conflict, run) => {
      if (conflict.state === "settled") return this.#landed(conflict);
      requireOpen(conflict);
      const opened = await findOpened(this.#parts, run, conflict);
      const candidate =
        opened === undefined ? await this.#unfixed(conflict, run) : await this.#fixed(conflict, run, opened);
      return this.#settle(conflict, run, candidate, wish);
    });
  }

  /** What a person made in the workspace, with a name for everything that they gave up. */
  async #fixed(conflict: KeptConflict, run: LiveRun, opened: OpenedWorkspace): Promise<Candidate> {
    const { git } = this.#parts;
    const vault = this.#parts.vaultOf(run.row.repositoryId);
    const { candidate } = conflict.record;
    const fixed = await captureFixed(this.#parts, run, conflict, opened);
    const rules = this.#rulesOf(run, opened.base);
    const content = await composeContent(git, vault, opened.base, candidateOf(conflict), rules);
    const marked = await findLeftMarkers(vault, opened.base, fixed.commit, candidate.snapshot, content.paths);
    if (marked.length > 0) throw markersLeft(conflict, opened.folder, marked);
    const step = { base: candidate.base, ours: opened.base, theirs: candidate.snapshot, result: fixed.commit };
    const waivers: Waiver[] = waiversOf(await findLosses(git, vault, step));
    return {
      ...candidate,
      base: opened.base,
      snapshot: fixed.commit,
      conflict: conflict.id,
      waivers: [...(candidate.waivers ?? []), ...waivers],
      byHand: [...(candidate.byHand ?? []), step],
    };
  }

  /** The task's own work, where the lane has moved so that it merges by now. */
  async #unfixed(conflict: KeptConflict, run: LiveRun): Promise<Candidate> {
    const candidate = candidateOf(conflict);
    const vault = this.#parts.vaultOf(run.row.repositoryId);
    const tip = await this.#tipOf(run);
    const merge = await mergeChangeset(this.#parts.git, vault, tip, candidate, this.#rulesOf(run, tip));
    if (merge.status === "merged") return candidate;
    const known = new Set(conflict.record.conflicts.map(({ path }) => path));
    // What has landed meanwhile asks for more decisions: landing it makes a conflict that knows them.
    if (merge.conflicts.some(({ path }) => !known.has(path))) return candidate;
    throw undecided(
      conflict,
      merge.conflicts.map(({ path }) => path),
    );
  }

  async #settle(
    conflict: KeptConflict,
    run: LiveRun,
    candidate: Candidate,
    wish: LandingWish,
  ): Promise<SettledConflict> {
    const task = run.tasks.get(conflict.task);
    if (task !== undefined) requireEnded(run, task);
    try {
      const landing = await landCandidate(this.#parts, this.#lander, run, wish, candidate);
      const kept = await this.#close(conflict);
      const fixed = candidate.byHand?.at(-1);
      const isFixed = fixed !== conflict.record.candidate.byHand?.at(-1);
      if (fixed !== undefined && isFixed) await this.#remember(run, fixed);
      return { ...landing, kept: isFixed ? undefined : kept };
    } catch (cause) {
      // Where it met another conflict, that one has taken its place.
      await this.#close(conflict);
      throw cause;
    }
  }

  /** What was made of it is proposed when it comes again; without that a person is asked again. */
  async #remember(run: LiveRun, step: HandMerge): Promise<void> {
    await rememberResolutions(this.#parts.git, this.#parts.vaultOf(run.row.repositoryId), step).catch(
      (cause: unknown) => this.#parts.log("warn", "a resolution could not be remembered", { cause: String(cause) }),
    );
  }

  /** Closes the workspace of a conflict that is not open any more. */
  async #close({ id }: KeptConflict): Promise<string | undefined> {
    const conflict = await requireConflict(this.#parts, id);
    return conflict.state === "open" ? undefined : closeWorkspace(this.#parts, conflict);
  }

  async #landed(conflict: KeptConflict): Promise<SettledConflict> {
    const rows = await loadLandings<LandingRecord>(this.#parts.store, conflict.run);
    const row = rows.find((landing) => landing.id === conflict.landing);
    if (row === undefined) throw new AnabranchError("INTERNAL", { message: `conflict ${conflict.id} has no landing` });
    return { row, already: true, kept: undefined };
  }

  async #tipOf(run: LiveRun): Promise<string> {
    const lane = await this.#lander.laneOf(run, false);
    return (await lane.tip()) ?? run.row.baseCommit;
  }

  #rulesOf(run: LiveRun, commit: string): RulesSource {
    const vault = this.#parts.vaultOf(run.row.repositoryId);
    return landingRulesOf(this.#parts, vault, commit, toleratedCommands(run, run.row.landing));
  }

  async #forget(run: LiveRun): Promise<void> {
    if (this.#parts.book.get(run.row.id) === undefined) await this.#parts.files.forget(run.row.id);
  }

  async #alone<Result>(id: string, action: (conflict: KeptConflict, run: LiveRun) => Promise<Result>): Promise<Result> {
    const { id: whole } = await requireConflict(this.#parts, id);
    return this.#turns.run(whole, async () => {
      const conflict = await requireConflict(this.#parts, whole);
      return action(conflict, await runOf(this.#parts, conflict));
    });
  }
}

function candidateOf({ id, record, choices }: KeptConflict): Candidate {
  return { ...record.candidate, conflict: id, choices: new Map(Object.entries(choices)) };
}

function undecided({ id, choices }: KeptConflict, paths: readonly string[]): AnabranchError {
  const open = paths.filter((path) => !Object.hasOwn(choices, path));
  const shown = (open.length > 0 ? open : paths).slice(0, 3).join(", ");
  return new AnabranchError("MERGE_CONFLICT", {
    message:
      open.length > 0
        ? `nobody has decided about ${shown}${open.length > 3 ? " and more" : ""} yet`
        : `taking a side does not settle ${shown}`,
    hint:
      open.length > 0
        ? `anabranch conflicts open ${id}, or take a side: anabranch conflicts take theirs ${id}`
        : `anabranch conflicts open ${id}`,
    data: { conflict: id, paths: paths.slice(0, 100) },
  });
}

/** @throws {AnabranchError} `NOT_FOUND` where the path is none of those that conflict */
function requirePaths({ id, record }: KeptConflict, path: string | undefined): string[] {
  const paths = record.conflicts.map((conflict) => conflict.path);
  if (path === undefined) return paths;
  if (paths.includes(path)) return [path];
  throw new AnabranchError("NOT_FOUND", {
    message: `${path} is not one of the paths of conflict ${id}: ${paths.slice(0, 8).join(", ")}${paths.length > 8 ? ", …" : ""}`,
    hint: `anabranch conflicts show ${id}`,
    data: { conflict: id, paths: paths.slice(0, 100) },
  });
}

/** Taking ours means to leave theirs out of that file: where all of it merges, that is for whoever knows what is meant. */
function refuseOurs({ id, record }: KeptConflict, side: Side, paths: readonly string[]): void {
  const unfit = record.conflicts.find((one) => one.kind === "semantic" && paths.includes(one.path));
  if (side === "theirs" || unfit === undefined) return;
  throw new AnabranchError("MERGE_CONFLICT", {
    message: `${unfit.path} merges, so ours cannot be taken instead; it does not fit: ${unfit.message}`,
    hint: `mend it: anabranch conflicts open ${id}; or land it as it is: anabranch conflicts take theirs ${id}`,
    data: { conflict: id, paths: [unfit.path] },
  });
}

function refuseMarkers({ id, record }: KeptConflict, side: Side, paths: readonly string[]): void {
  const marked = record.conflicts.filter((one) => one.kind === "markers" && paths.includes(one.path));
  if (side === "ours" || marked.length === 0) return;
  throw new AnabranchError("CONFLICT_MARKERS", {
    message: `${marked[0]?.path ?? ""} has conflict markers as the task left it: so it does not land`,
    hint: `remove them: anabranch conflicts open ${id}; or keep what has landed: anabranch conflicts take ours ${id}`,
    data: { conflict: id, files: marked.map(({ path }) => ({ path })) },
  });
}

function markersLeft(
  { id }: KeptConflict,
  folder: string,
  marked: readonly { readonly path: string; readonly lines: readonly number[] }[],
): AnabranchError {
  const places = marked.slice(0, 5).map(({ path, lines }) => `${path}:${lines.slice(0, 5).join(",")}`);
  return new AnabranchError("CONFLICT_MARKERS", {
    message: `conflict markers are left in ${places.join(" ")}${marked.length > 5 ? ` and ${marked.length - 5} more files` : ""}`,
    hint: `decide there in ${folder}, then: anabranch land ${id}`,
    data: { conflict: id, folder, files: marked.map(({ path, lines }) => ({ path, lines: lines.slice(0, 100) })) },
  });
}
