/**
 * Brings runs into the user's working tree, and takes them back: one acceptance of a repository at a time.
 *
 * The states of an acceptance are those of `landing/acceptance.ts`; here they are kept. What an earlier daemon began is
 * ended by {@link Accepter.recover}: forward where it was being written, back where it was being taken back.
 */
import { join } from "node:path";

import { AnabranchError, toAnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import { newId } from "../base/ids.ts";
import { Turns } from "../base/turns.ts";
import { findRepository, readHead, readLocalConfig, type Repository } from "../git/repository.ts";
import { planAcceptance, refusal, sample, type AcceptPlan } from "../landing/accept-plan.ts";
import { stageAcceptance } from "../landing/accept-staging.ts";
import {
  findUndoObstacles,
  restoreAcceptance,
  tidyAcceptance,
  writeAcceptance,
} from "../landing/acceptance-steps.ts";
import type { AcceptanceRecord, PathNote } from "../landing/acceptance.ts";
import { laneRef, vaultLane } from "../landing/lane.ts";
import { receiptRef, writeReceipt, type LandedChangeset, type LandingRecord } from "../landing/receipt.ts";
import { takeUserState } from "../landing/user-state.ts";
import type { Verification } from "../landing/verification.ts";
import type { CommandRequest, CommandResponse } from "../protocol/commands.ts";
import {
  insertAcceptance,
  loadAcceptances,
  loadOpenAcceptances,
  moveAcceptance,
  type AcceptanceRow,
  type AcceptanceState,
} from "../store/acceptances.ts";
import { appendEvent } from "../store/events.ts";
import { loadLandings } from "../store/landings.ts";
import { findRepositoryRow } from "../store/repositories.ts";
import { describeSource, refuseLocalFilters, surveyBase } from "../workspaces/source.ts";
import { prepareVault, type Vault } from "../workspaces/vault.ts";
import {
  alreadyAccepted,
  nothingToAccept,
  stillActive,
  viewAcceptance,
  type AcceptanceJournal,
} from "./acceptance-views.ts";
import { toleratedCommands } from "./base-verdict.ts";
import { failedReason } from "./landing-transaction.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { Verifier } from "./verifier.ts";
import { loadVerifyRules } from "./verify-rules.ts";

type Row = AcceptanceRow<AcceptanceJournal>;

/** How often the user's branch may move while an acceptance is planned. */
const MOST_PLANS = 4;

/** See the head of this file. */
export class Accepter {
  readonly #parts: Parts;
  readonly #verifier: Verifier;
  readonly #turns = new Turns();

  constructor(parts: Parts, verifier: Verifier) {
    this.#parts = parts;
    this.#verifier = verifier;
  }

  /**
   * Brings what a run has landed into the working tree around a folder. Asked again, it says that nothing is left.
   *
   * @throws {AnabranchError} `ACCEPT_REFUSED`, `NOTHING_TO_ACCEPT`, `RUN_ACTIVE`, `VERIFY_FAILED`, `REPOSITORY_BUSY`
   */
  async accept(
    run: LiveRun,
    request: CommandRequest<"accept">,
    signal: AbortSignal,
  ): Promise<CommandResponse<"accept">> {
    const repository = await this.#requireRepository(run, request.directory);
    return this.#turns.run(repository.commonDirectory, async () => {
      await this.#settleOpen(run.row.repositoryId);
      const vault = this.#parts.vaultOf(run.row.repositoryId);
      const lane = await vaultLane(this.#parts.git, vault, laneRef(run.row.id)).tip();
      if (lane === undefined || lane === run.row.baseCommit) throw nothingToAccept(run);
      if (run.row.state !== "ended") throw stillActive(run);
      const last = await this.#findLast(run, repository);
      if (last?.record.lane === lane) return alreadyAccepted(run, last);
      const staged = await this.#stage(run, request, repository, { from: last?.record.lane, lane }, signal);
      if (staged === undefined) return alreadyAccepted(run, last);
      return viewAcceptance(await this.#perform(run, vault, staged.id, staged.record));
    });
  }

  /**
   * Takes an acceptance back.
   * @throws {AnabranchError} `ACCEPT_REFUSED` with what has changed since
   */
  async undo(run: LiveRun, request: CommandRequest<"accept">): Promise<CommandResponse<"accept">> {
    const repository = await this.#requireRepository(run, request.directory);
    return this.#turns.run(repository.commonDirectory, async () => {
      await this.#settleOpen(run.row.repositoryId);
      const row = await this.#findLast(run, repository);
      if (row === undefined) {
        throw new AnabranchError("NOTHING_TO_ACCEPT", {
          message: `nothing of run ${run.row.id} is accepted in ${repository.root}`,
          hint: `anabranch show ${run.row.id}`,
        });
      }
      const notes = await findUndoObstacles(this.#parts.git, row.record);
      if (notes.length > 0) throw cannotUndo(row.record, notes);
      const { row: undone, left } = await this.#takeBack(await this.#move(row, "undoing", "run.undoing"));
      if (undone.state !== "undone" || left.length > 0) throw cannotUndo(row.record, left);
      return viewAcceptance(undone);
    });
  }

  /** Ends what an earlier daemon began. */
  async recover(): Promise<void> {
    for (const row of await loadOpenAcceptances<AcceptanceJournal>(this.#parts.store)) {
      await this.#settle(row).catch((cause: unknown) =>
        this.#parts.log("error", "an acceptance could not be ended", { acceptance: row.id, cause: String(cause) }),
      );
    }
  }

  async #requireRepository(run: LiveRun, directory: string): Promise<Repository> {
    const repository = await findRepository(this.#parts.git, directory);
    const row = await findRepositoryRow(this.#parts.store, repository.commonDirectory);
    if (row?.id === run.row.repositoryId) return repository;
    throw new AnabranchError("ACCEPT_REFUSED", {
      message: `run ${run.row.id} belongs to ${run.row.plan.root}, not to ${repository.root}`,
      hint: `cd ${run.row.plan.root} && anabranch accept ${run.row.id}`,
    });
  }

  /** What of a run stands accepted in a worktree. */
  async #findLast(run: LiveRun, repository: Repository): Promise<Row | undefined> {
    const rows = await loadAcceptances<AcceptanceJournal>(this.#parts.store, run.row.id);
    return rows.findLast(({ state, record }) => state === "accepted" && record.repository.root === repository.root);
  }

  async #settleOpen(repositoryId: string): Promise<void> {
    for (const row of await loadOpenAcceptances<AcceptanceJournal>(this.#parts.store)) {
      const run = await this.#parts.book.find(row.run);
      if (run?.row.repositoryId === repositoryId) await this.#settle(row);
    }
  }

  async #settle(row: Row): Promise<void> {
    if (row.state === "undoing") {
      await this.#takeBack(row);
      return;
    }
    const notes = await writeAcceptance(this.#parts, row.record);
    if (notes.length === 0) await this.#conclude(row);
    else await this.#takeBack(await this.#move(row, "undoing", "run.undoing"));
  }

  /** Plans, verifies and stages, anew where the branch moves meanwhile. */
  async #stage(
    run: LiveRun,
    request: CommandRequest<"accept">,
    repository: Repository,
    range: { readonly from: string | undefined; readonly lane: string },
    signal: AbortSignal,
  ): Promise<{ id: string; record: AcceptanceJournal } | undefined> {
    const vault = this.#parts.vaultOf(run.row.repositoryId);
    for (let tries = 0; tries < MOST_PLANS; tries += 1) {
      const plan = await this.#plan(run, request, repository, range);
      if (plan.changes.length === 0) return undefined;
      const verification = await this.#verify(run, request, plan, signal);
      const id = newId(this.#parts.random);
      // No task's name starts with a dot.
      const folder = join(this.#parts.layout.run(run.row.id), ".accept", id);
      const notices = noticesOf(plan, verification);
      const record = await stageAcceptance(this.#parts.git, vault, plan, folder, notices);
      if (record !== undefined) return { id, record: { ...record, verification } };
    }
    throw new AnabranchError("REPOSITORY_BUSY", {
      message: `HEAD of ${repository.root} moves faster than the result can be verified; nothing was written`,
      hint: `anabranch accept ${run.row.id}`,
    });
  }

  async #plan(
    run: LiveRun,
    { environment }: CommandRequest<"accept">,
    repository: Repository,
    { from, lane }: { readonly from: string | undefined; readonly lane: string },
  ): Promise<AcceptPlan> {
    const { git } = this.#parts;
    const vault = this.#parts.vaultOf(run.row.repositoryId);
    const local = await readLocalConfig(git, repository);
    await refuseLocalFilters(git, repository, local);
    await prepareVault(vault.directory, repository, local, this.#parts.layout.state);
    const [state, given] = await Promise.all([
      takeUserState(git, vault, repository, environment),
      this.#givenState(run, vault),
    ]);
    const request = { run: run.row.id, state, given, lane, from: from ?? given.base, atMs: this.#parts.clock.wallMs() };
    return planAcceptance(git, vault, request);
  }

  /** What the run started from, and what of it the user had committed. */
  async #givenState({ row }: LiveRun, vault: Vault): Promise<{ base: string; committed: string }> {
    const base = row.baseCommit;
    if (row.plan.uncommittedPaths === 0) return { base, committed: base };
    const parent = await this.#parts.git.run(vault.place, ["rev-parse", "--verify", "--quiet", `${base}^`], {
      allow: [1, 128],
    });
    if (parent.status === 0) return { base, committed: parent.stdout.toString("utf8").trim() };
    return { base, committed: await vault.objects.writeTree([]) };
  }

  async #verify(
    run: LiveRun,
    { environment }: CommandRequest<"accept">,
    { after, request: { state } }: AcceptPlan,
    signal: AbortSignal,
  ): Promise<Verification> {
    const { git } = this.#parts;
    const vault = this.#parts.vaultOf(run.row.repositoryId);
    const rules = await loadVerifyRules(this.#parts, vault, state.commit);
    if (rules.length === 0) {
      const tree = await vault.objects.treeOf(after);
      return { status: "unverified", tree, rulesFrom: state.commit, commands: [], notices: [] };
    }
    const [head, local, survey] = await Promise.all([
      readHead(git, state.repository),
      readLocalConfig(git, state.repository),
      surveyBase(git, vault.place, after),
    ]);
    const source = await describeSource(git, state.repository, head, local, survey, true);
    const verification = await this.#verifier.verify({
      row: run.row,
      inputs: { environment, source },
      commit: after,
      rulesFrom: state.commit,
      tolerated: toleratedCommands(run, run.row.landing),
      signal,
    });
    if (verification.status !== "failed") return verification;
    const { code, message, hint, data } = failedReason(verification);
    throw new AnabranchError(code, {
      message: `${message}; nothing was written to ${state.repository.root}`,
      hint,
      data,
    });
  }

  async #perform(run: LiveRun, vault: Vault, id: string, record: AcceptanceJournal): Promise<Row> {
    const { clock, book } = this.#parts;
    const marks = [{ name: `${keptRef(id)}/after`, to: record.after }];
    if (record.tip !== undefined) marks.push({ name: `${keptRef(id)}/tip`, to: record.tip });
    await vault.refs.update(marks);
    const createdMs = clock.wallMs();
    const journal = { id, run: run.row.id, record, createdMs };
    await book.commit([insertAcceptance(journal)]);
    faultPoint("accept.journalled");
    const row: Row = { ...journal, version: 1, state: "writing", endedMs: undefined };
    const notes = await writeAcceptance(this.#parts, record).catch((cause: unknown) => toAnabranchError(cause));
    if (Array.isArray(notes) && notes.length === 0) return this.#conclude(row);
    const { left } = await this.#takeBack(await this.#move(row, "undoing", "run.undoing"));
    if (notes instanceof AnabranchError) throw notes;
    const refused = [...(notes as PathNote[]), ...left];
    throw refusal(record, refused, {
      message: `somebody was faster: ${sample(refused.map(({ path, why }) => `${path} (${why})`))}; all else is taken back`,
      hint: `anabranch accept ${run.row.id}`,
    });
  }

  /** All is written: the receipt, the row and the event say so. */
  async #conclude(row: Row): Promise<Row> {
    const { record } = row;
    const vault = await this.#vaultOf(row);
    const receipt = await writeReceipt(vault, row.run, row.id, await this.#landingRecord(row));
    await vault.refs.update([{ name: receiptRef(row.id), to: receipt }]);
    faultPoint("accept.receipt");
    const data = { root: record.repository.root, paths: record.paths.length, commits: record.commits.map(({ oid }) => oid) };
    const accepted = await this.#move(row, "accepted", "run.accepted", data);
    faultPoint("accept.recorded");
    await this.#forget(accepted);
    return accepted;
  }

  /** @returns what was left alone; the row is `accepted` again where nothing can be taken back any more */
  async #takeBack(row: Row): Promise<{ row: Row; left: PathNote[] }> {
    const left = await restoreAcceptance(this.#parts, row.record);
    const root = { root: row.record.repository.root };
    if (left === undefined) {
      const still = await this.#move(row, "accepted", "run.accepted", root);
      return { row: still, left: [{ path: "HEAD", why: "it has gone on from what was accepted" }] };
    }
    const undone = await this.#move(row, "undone", "run.unaccepted", { ...root, left: left.map(({ path }) => path) });
    faultPoint("accept.unrecorded");
    await this.#forget(undone);
    return { row: undone, left };
  }

  async #move(row: Row, state: AcceptanceState, event: string, data: Readonly<Record<string, unknown>> = {}): Promise<Row> {
    const atMs = this.#parts.clock.wallMs();
    const endedMs = state === "undoing" ? null : atMs;
    await this.#parts.book.commit([
      moveAcceptance(row, state, endedMs),
      appendEvent({ atMs, type: event, run: row.run, task: undefined, data: { acceptance: row.id, ...data } }),
    ]);
    return { ...row, state, version: row.version + 1, endedMs: endedMs ?? undefined };
  }

  /** The receipt holds what the marks held; what was replaced stays while it can be taken back. */
  async #forget(row: Row): Promise<void> {
    const names = ["after", ...(row.record.tip === undefined ? [] : ["tip"])];
    const vault = await this.#vaultOf(row);
    await vault.refs.update(names.map((name) => ({ name: `${keptRef(row.id)}/${name}`, to: null })));
    await tidyAcceptance(row.record, row.state === "accepted");
  }

  async #vaultOf(row: Row): Promise<Vault> {
    const run = await this.#parts.book.find(row.run);
    if (run === undefined) throw new AnabranchError("INTERNAL", { message: `run ${row.run} is gone` });
    return this.#parts.vaultOf(run.row.repositoryId);
  }

  async #landingRecord({ run, record, createdMs }: Row): Promise<LandingRecord> {
    const landed = (await loadLandings<LandingRecord>(this.#parts.store, run)).flatMap(({ record: { changesets } }) => changesets);
    const sources = new Map(landed.map((changeset) => [changeset.commit, changeset]));
    const changesets = record.commits.flatMap(({ oid, source }): LandedChangeset[] => {
      const changeset = sources.get(source);
      return changeset === undefined ? [] : [{ ...changeset, commit: oid }];
    });
    const { root } = record.repository;
    return {
      target:
        record.tip === undefined ? { kind: "tree", name: root } : { kind: "branch", name: record.branch ?? "HEAD" },
      before: record.before,
      after: record.tip ?? record.after,
      tree: record.verification.tree,
      changesets,
      verification: record.verification,
      notices: record.notices,
      atMs: createdMs,
    };
  }
}

/** The refs in the vault that keep what an acceptance needs until its receipt does. */
function keptRef(id: string): string {
  return `refs/acceptances/${id}`;
}

function noticesOf({ request: { state }, replayed, uncommitted }: AcceptPlan, verification: Verification): string[] {
  const notices = [...verification.notices];
  if (replayed.commits.length > 0 && state.hooks.length > 0) {
    notices.push(`your hooks did not run: ${state.hooks.join(", ")}`);
  }
  if (!replayed.isSeparate) {
    notices.push("the changesets did not fit one by one on what the branch has become, so they are one commit");
  }
  if (uncommitted.length > 0) notices.push("what git does not track, or you have not committed, is in no commit");
  return notices;
}

function cannotUndo(record: AcceptanceRecord, notes: readonly PathNote[]): AnabranchError {
  return new AnabranchError("ACCEPT_REFUSED", {
    message: `it cannot be taken back: ${sample(notes.map(({ path, why }) => `${path}: ${why}`))}`,
    hint:
      record.tip === undefined
        ? "git diff shows what is in the working tree; take it back by hand"
        : `git revert ${(record.head ?? "").slice(0, 10)}..${record.tip.slice(0, 10)} takes back its commits`,
    data: { paths: notes.slice(0, 1000) },
  });
}
