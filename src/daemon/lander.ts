/**
 * Puts the work of runs on their lanes: decides what lands next, and takes up what an earlier daemon has left.
 *
 * A task waits in the state `landing` until one of the batches that are made of all that waits for its lane has taken
 * it. Candidates of which only the best lands wait for each other; then they are tried alone, the smallest first.
 * Where a run's work is to land at once, batches are put together on a ref of their own, and that lands when all of
 * its tasks are done.
 *
 * It acts on state: being told of a change once too often is harmless, and one landing of a run is under way at a time.
 */
import { AnabranchError, toAnabranchError } from "../base/errors.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import { Turns } from "../base/turns.ts";
import { isDecidable, rankCandidates } from "../engine/candidates.ts";
import { refuseClasses } from "../landing/class-policy.ts";
import type { Candidate } from "../landing/compose-changesets.ts";
import { stagingRef, type Lane } from "../landing/lane.ts";
import type { LandingRecord } from "../landing/receipt.ts";
import { loadLandings, loadMovingLandings } from "../store/landings.ts";
import type { Reason, RunLanding } from "../store/runs.ts";
import { judgeBase, redBaseReason, toleratedCommands } from "./base-verdict.ts";
import { describeHold, HELD, judgeWhole, judgeWork, leaseHeldReason } from "./landing-leases.ts";
import { failedReason, uncertainReason } from "./landing-record.ts";
import { concludeLanding, moveLane } from "./lane-move.ts";
import { findLanded } from "./landed-work.ts";
import { land } from "./landing-transaction.ts";
import type { LiveRun, LiveTask } from "./live-run.ts";
import { putOnTop, type Whole } from "./whole-landing.ts";
import { openLane } from "./open-lane.ts";
import type { Parts } from "./parts.ts";
import { persist } from "./patience.ts";
import type { RunInputs } from "./run-files.ts";
import { contributionOf, endCancelled, lateContribution, leftContribution, type Contribution } from "./settlement.ts";
import { compileMeeting, noticesOf } from "./semantic-check.ts";
import type { Verifier } from "./verifier.ts";
import { landingRulesOf } from "./verify-rules.ts";

/** See the head of this file. */
export class Lander {
  readonly #parts: Parts;
  readonly #verifier: Verifier;
  readonly #signals = new Map<string, Signal>();
  readonly #bases = new Map<string, Promise<RunLanding>>();
  /** One landing of a run at a time. */
  readonly #turns = new Turns();

  constructor(parts: Parts, verifier: Verifier) {
    this.#parts = parts;
    this.#verifier = verifier;
    parts.book.onChange((run, tasks) => this.note(run, tasks));
    parts.leases.onFree((repositoryId) => {
      const runs = parts.book.all().filter(({ row }) => row.repositoryId === repositoryId);
      for (const run of runs) this.note(run, [...run.tasks.keys()]);
    });
  }

  /** Something about a run has changed: what waits for its lane is looked at. */
  note(run: LiveRun, tasks: readonly string[]): void {
    const isConcerned = tasks.some((name) => {
      const state = run.tasks.get(name)?.row.state;
      // The end of one candidate may be what the others wait for.
      return state === "landing" || (state === "ended" && run.candidates.some((group) => group.includes(name)));
    });
    if (isConcerned || run.row.landing.together === "wanted") this.#signalOf(run).raise();
  }

  /** A run begins: whether its base passes verification is found out while its tasks work. */
  begin(run: LiveRun): void {
    if (!run.row.spec.verifies || run.row.spec.tasks.every((task) => task.writes === "none")) return;
    this.#judgeBase(run).catch((cause: unknown) =>
      this.#parts.log("warn", "a base could not be verified", { run: run.row.id, cause: String(cause) }),
    );
  }

  /** What a task that comes after others of its run starts from. */
  async tipOf(run: LiveRun): Promise<string> {
    const lane = await this.laneOf(run, run.row.spec.land === "together");
    return (await lane.tip()) ?? run.row.baseCommit;
  }

  /**
   * Lands a changeset of a task that has ended, by a person's wish, when nothing else of its run is landing.
   *
   * @param inputsFor settles what workspaces of the run need to know
   * @returns the landing, and whether the task's work had landed by the time it was its turn
   * @throws {AnabranchError} why it does not land; then nothing has moved
   */
  async landLate(
    run: LiveRun,
    candidate: Candidate,
    inputsFor: () => Promise<RunInputs>,
    signal: AbortSignal,
  ): Promise<{ id: string; already: boolean }> {
    const settled: { landing?: string | undefined; reason?: Reason } = {};
    let already = false;
    const isWanted = (): boolean => !signal.aborted;
    const late = lateContribution(candidate, isWanted, (how) => Object.assign(settled, how));
    // Whoever looks whether it is still wanted looks when the run is touched.
    const wake = (): void => this.#parts.book.touch(run);
    signal.addEventListener("abort", wake);
    try {
      await this.#turns.run(run.row.id, async () => {
        settled.landing = (await findLanded(this.#parts, run, candidate.task))?.id;
        already = settled.landing !== undefined;
        if (!already) await this.#whileLive(run, () => this.#landOne(run, late, inputsFor));
      });
    } finally {
      signal.removeEventListener("abort", wake);
    }
    if (settled.landing !== undefined) return { id: settled.landing, already };
    const { code = "CANCELLED", message = "it was given up before it landed", ...more } = settled.reason ?? {};
    throw new AnabranchError(code, { message, ...more });
  }

  /** Finds out what became of the landings an earlier daemon was about to do, and goes on with what waits. */
  async recover(): Promise<void> {
    for (const row of await loadMovingLandings<LandingRecord>(this.#parts.store)) {
      const run = await this.#parts.book.find(row.run);
      if (run === undefined) continue;
      const { target, before, after } = row.record;
      const lane = await this.laneOf(run, target.name === stagingRef(run.row.id));
      const moved = await lane.holds(after, row.id, before);
      const waiting = [...run.tasks.values()].filter((task) => task.row.landing === row.id);
      const contributions = this.#contributions(run, waiting);
      const known = new Set(contributions.map(({ candidate }) => candidate.task));
      const late = row.record.changesets.filter(({ task }) => row.id !== row.run && !known.has(task));
      contributions.push(...late.map((changeset) => leftContribution(row.run, changeset)));
      await concludeLanding(this.#parts, run, lane, row, moved, contributions);
    }
    for (const run of this.#parts.book.all()) {
      this.begin(run);
      this.note(run, [...run.tasks.keys()]);
    }
  }

  #signalOf(run: LiveRun): Signal {
    const known = this.#signals.get(run.row.id);
    if (known !== undefined) return known;
    const signal = createSignal(() => this.#look(run));
    this.#signals.set(run.row.id, signal);
    return signal;
  }

  async #look(run: LiveRun): Promise<void> {
    const held = (): void => undefined;
    await persist(this.#parts, `landing run ${run.row.id}`, held, () =>
      this.#turns.run(run.row.id, () => this.#work(run)),
    ).catch((cause: unknown) =>
      this.#parts.log("error", "the lander failed", {
        run: run.row.id,
        cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      }),
    );
    if (run.row.state !== "ended" || run.unended > 0) return;
    this.#signals.delete(run.row.id);
    this.#bases.delete(run.row.id);
  }

  async #landOne(run: LiveRun, contribution: Contribution, inputsFor: () => Promise<RunInputs>): Promise<void> {
    const inputs = await inputsFor();
    await land(this.#parts, this.#verifier, {
      run,
      inputs,
      lane: await this.laneOf(run, false),
      contributions: [contribution],
      base: await this.#judgeBase(run, inputs),
      again: true,
    });
  }

  /** Keeps a run that is over in the book for as long as something of it lands. */
  async #whileLive(run: LiveRun, action: () => Promise<void>): Promise<void> {
    const { book, files } = this.#parts;
    const { id } = run.row;
    const isOver = book.get(id) === undefined;
    if (isOver) book.add(run);
    try {
      await action();
    } finally {
      if (isOver) {
        this.#bases.delete(id);
        book.remove(id);
        await files.forget(id);
      } else book.touch(run, [...run.tasks.keys()]);
    }
  }

  async #work(run: LiveRun): Promise<void> {
    for (;;) {
      await this.#endCancelled(run);
      const batch = await this.#nextBatch(run);
      if (batch.length > 0) await this.#land(run, batch);
      else if (run.row.landing.together === "wanted" && run.row.state === "active") {
        if (!(await this.#landTogether(run))) return;
      } else if (!(await this.#landBest(run))) return;
    }
  }

  /** Tasks that were asked to stop while they waited. */
  async #endCancelled(run: LiveRun): Promise<void> {
    const cancelled = waitingTasks(run).filter(
      (task) => task.row.cancel !== undefined && task.row.landing === undefined,
    );
    if (cancelled.length === 0) return;
    await this.#parts.book.change(run, (draft) => {
      for (const { row } of cancelled) if (draft.task(row.name).state === "landing") endCancelled(draft, row.name);
    });
  }

  /** Everything that waits and needs to wait for nothing else. */
  async #nextBatch(run: LiveRun): Promise<Contribution[]> {
    const chosenAmong = new Set(run.candidates.flat());
    return this.#notHeld(
      run,
      waitingTasks(run).filter((task) => !chosenAmong.has(task.row.name)),
    );
  }

  /** What is to land of some tasks, without those that wait for somebody's lease. */
  async #notHeld(run: LiveRun, tasks: readonly LiveTask[]): Promise<Contribution[]> {
    const free: Contribution[] = [];
    for (const task of tasks) {
      const contribution = contributionOf(run, task.row.name, this.#parts.clock);
      if (contribution === undefined) continue;
      const verdict = await judgeWork(this.#parts, run, contribution);
      if (verdict.type !== "held") free.push(contribution);
      const before = task.activity;
      if (verdict.type === "held") task.activity = describeHold(verdict.lease);
      else if (before?.startsWith(HELD) === true) task.activity = undefined;
      if (task.activity !== before) this.#parts.book.touch(run);
    }
    return free;
  }

  async #land(run: LiveRun, contributions: readonly Contribution[]): Promise<void> {
    const staged = run.row.spec.land === "together";
    await land(this.#parts, this.#verifier, {
      run,
      inputs: await this.#inputs(run),
      lane: await this.laneOf(run, staged),
      contributions,
      base: staged ? undefined : await this.#judgeBase(run),
    });
  }

  /** @returns whether there was anything to choose from, and nobody's lease in its way */
  async #landBest(run: LiveRun): Promise<boolean> {
    const statusOf = (name: string): LiveTask["row"] => requireTask(run, name).row;
    const decidable = run.candidates.filter(
      (names) => names.some((name) => statusOf(name).state === "landing") && isDecidable(names, statusOf),
    );
    for (const group of decidable) if (await this.#landBestOf(run, group)) return true;
    return false;
  }

  async #landBestOf(run: LiveRun, group: readonly string[]): Promise<boolean> {
    const statusOf = (name: string): LiveTask["row"] => requireTask(run, name).row;
    const winner = group.find((name) => statusOf(name).outcome === "succeeded");
    const waiting = group.map((name) => requireTask(run, name)).filter((task) => task.row.state === "landing");
    if (winner === undefined) {
      const ranked = rankCandidates(
        waiting.map((task) => ({ task, changedLines: changedLines(task), position: task.row.position })),
      );
      const best = await this.#notHeld(
        run,
        ranked.slice(0, 1).map(({ task }) => task),
      );
      if (best.length > 0) await this.#land(run, best);
      return best.length > 0;
    }
    await this.#parts.book.change(run, (draft) => {
      for (const { row } of waiting) {
        const cancel = { by: "race", force: false, winner } as const;
        const reason = {
          code: "RACE_LOST",
          message: `${winner} was chosen`,
          hint: `anabranch diff ${run.row.id}/${row.name}`,
        } as const;
        draft.setTask(row.name, { state: "ended", outcome: "cancelled", cancel, reason }, "task.ended", {
          outcome: "cancelled",
        });
      }
    });
    return true;
  }

  /**
   * Moves the lane to all that was put together, at once or not at all.
   * @returns `false` where it waits for somebody's lease
   */
  async #landTogether(run: LiveRun): Promise<boolean> {
    const together = await (await this.laneOf(run, true)).tip();
    const lane = await this.laneOf(run, false);
    if (together === undefined) {
      await this.#parts.book.change(run, (draft) => draft.setLanding({ together: "landed" }));
      return true;
    }
    const judge = await judgeWhole(this.#parts, run, together);
    const verdict = judge();
    if (verdict.type === "held") {
      await this.#holdTogether(run, leaseHeldReason(verdict.lease));
      return false;
    }
    const inputs = await this.#inputs(run);
    const base = await this.#judgeBase(run);
    const tip = await lane.tip();
    const before = tip ?? run.row.baseCommit;
    const refuse = async (reason: Reason): Promise<true> => {
      await this.#parts.book.change(run, (draft) => draft.setLanding({ together: "refused", reason }));
      return true;
    };
    if (verdict.type === "refused") return refuse(verdict.reason);
    if (base.base === "red" && run.row.spec.redBase === "stop") return refuse(redBaseReason(base));
    const tolerated = toleratedCommands(run, base);
    const rules = landingRulesOf(this.#parts, this.#parts.vaultOf(run.row.repositoryId), before, tolerated);
    const whole = await putOnTop(this.#parts, run, await this.#putTogether(run, together), before, rules);
    if ("code" in whole) return refuse(whole);
    const { tip: after, changesets } = whole;
    const hits = changesets.flatMap(({ semantic = [] }) => semantic);
    const request = { row: run.row, inputs, commit: after, rulesFrom: before, tolerated };
    const verification = await this.#verifier
      .verify({ ...request, afresh: hits.length > 0 })
      .then((verified) => compileMeeting(this.#parts, this.#verifier, request, verified, hits))
      .catch((cause: unknown) => toAnabranchError(cause));
    if (verification instanceof Error) {
      const { kind: _kind, ...reason } = verification.toJSON();
      return refuse(reason);
    }
    if (verification.status === "failed") return refuse(failedReason(verification, hits));
    const refused = refuseClasses(
      await rules(),
      changesets.flatMap(({ resolved }) => resolved.map((one) => one.class)),
    );
    // They were other ones when it was put together.
    if (refused !== undefined) return refuse(uncertainReason(refused));
    const record: LandingRecord = {
      target: { kind: lane.kind, name: lane.name },
      before,
      after,
      tree: verification.tree,
      changesets,
      verification,
      notices: [...(await lane.notices()), ...verification.notices, ...noticesOf(hits)],
      atMs: this.#parts.clock.wallMs(),
    };
    const mayMove = (): boolean => judge().type === "free";
    await moveLane(this.#parts, { run, inputs, lane, contributions: [], base, mayMove }, run.row.id, tip, record);
    return true;
  }

  async #putTogether(run: LiveRun, tip: string): Promise<Whole> {
    const landings = await loadLandings<LandingRecord>(this.#parts.store, run.row.id);
    const staged = landings.filter(({ record }) => record.target.name === stagingRef(run.row.id));
    return { tip, changesets: staged.flatMap(({ record }) => record.changesets) };
  }

  /** Says for whom the work of a run waits that is to land at once. */
  async #holdTogether(run: LiveRun, reason: Reason): Promise<void> {
    if (run.row.landing.reason?.data?.["lease"] === reason.data?.["lease"]) return;
    await this.#parts.book.change(run, (draft) => draft.setLanding({ reason }));
  }

  #contributions(run: LiveRun, tasks: readonly LiveTask[]): Contribution[] {
    return tasks.flatMap((task) => contributionOf(run, task.row.name, this.#parts.clock) ?? []);
  }

  #judgeBase(run: LiveRun, given?: RunInputs): Promise<RunLanding> {
    const known = this.#bases.get(run.row.id);
    if (known !== undefined) return known;
    const ready = given === undefined ? this.#inputs(run) : Promise.resolve(given);
    const judged = ready.then((inputs) => judgeBase(this.#parts, this.#verifier, run, inputs));
    this.#bases.set(run.row.id, judged);
    judged.catch(() => this.#bases.delete(run.row.id));
    return judged;
  }

  #inputs(run: LiveRun): Promise<RunInputs> {
    return this.#parts.files.load(run.row.id);
  }

  /** Where a run's work lands; `staged`: where it is put together before it lands at once. */
  laneOf(run: LiveRun, staged: boolean): Promise<Lane> {
    return openLane(this.#parts, run, staged ? stagingRef(run.row.id) : undefined);
  }
}

/** The tasks that wait for their lane and for which it is not about to move, in the order they were written. */
function waitingTasks(run: LiveRun): LiveTask[] {
  return [...run.tasks.values()].filter((task) => task.row.state === "landing" && task.row.landing === undefined);
}

function changedLines({ attempt }: LiveTask): number {
  const { addedLines = 0, deletedLines = 0 } = attempt?.changeset ?? {};
  return addedLines + deletedLines;
}

function requireTask(run: LiveRun, name: string): LiveTask {
  const task = run.tasks.get(name);
  if (task === undefined) throw new Error(`no task ${name}`);
  return task;
}
