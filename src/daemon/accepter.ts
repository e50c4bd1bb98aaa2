/**
 * Brings runs into the user's working tree, and takes them back: one acceptance of a repository at a time.
 *
 * The states of an acceptance are those of `landing/acceptance.ts`; here they are kept. What an earlier daemon began is
 * ended by {@link Accepter.recover}: forward where it was being written, back where it was being taken back.
 */
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { Turns } from "../base/turns.ts";
import { findRepository, readHead, readLocalConfig, type Repository } from "../git/repository.ts";
import { planAcceptance, sample, type AcceptPlan } from "../landing/accept-plan.ts";
import { stageAcceptance } from "../landing/accept-staging.ts";
import { findUndoObstacles } from "../landing/acceptance-steps.ts";
import type { AcceptanceRecord, PathNote } from "../landing/acceptance.ts";
import { laneRef, vaultLane } from "../landing/lane.ts";
import type { SemanticHit } from "../landing/receipt.ts";
import { takeUserState } from "../landing/user-state.ts";
import type { Verification } from "../landing/verification.ts";
import type { CommandRequest, CommandResponse } from "../protocol/commands.ts";
import { loadAcceptances, loadOpenAcceptances, type AcceptanceRow } from "../store/acceptances.ts";
import { findRepositoryRow } from "../store/repositories.ts";
import { describeSource, refuseLocalFilters, surveyBase } from "../workspaces/source.ts";
import { prepareVault, type Vault } from "../workspaces/vault.ts";
import { performAcceptance, settleAcceptance, takeBackAcceptance } from "./acceptance-transaction.ts";
import {
  alreadyAccepted,
  nothingToAccept,
  stillActive,
  viewAcceptance,
  type AcceptanceJournal,
} from "./acceptance-views.ts";
import { toleratedCommands } from "./base-verdict.ts";
import { failedReason } from "./landing-record.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { compileMeeting, judgeFor, noticesOf as meetingNotices } from "./semantic-check.ts";
import type { Verifier } from "./verifier.ts";
import { landingRulesOf, loadVerifyRules } from "./verify-rules.ts";

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
      return viewAcceptance(await performAcceptance(this.#parts, run, staged.id, staged.record));
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
      const taken = row === undefined ? await this.#findLast(run, repository, "undone") : undefined;
      if (taken !== undefined) return { ...viewAcceptance(taken), status: "already" };
      if (row === undefined) {
        throw new AnabranchError("NOTHING_TO_ACCEPT", {
          message: `nothing of run ${run.row.id} is accepted in ${repository.root}`,
          hint: `anabranch show ${run.row.id}`,
        });
      }
      const notes = await findUndoObstacles(this.#parts.git, row.record);
      if (notes.length > 0) throw cannotUndo(row.record, notes);
      const { row: undone, left } = await takeBackAcceptance(this.#parts, row);
      if (undone.state !== "undone" || left.length > 0) throw cannotUndo(row.record, left);
      return viewAcceptance(undone);
    });
  }

  /** Ends what an earlier daemon began. */
  async recover(): Promise<void> {
    for (const row of await loadOpenAcceptances<AcceptanceJournal>(this.#parts.store)) {
      await settleAcceptance(this.#parts, row).catch((cause: unknown) =>
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

  /** What of a run stands accepted in a worktree, or was taken back there last. */
  async #findLast(
    run: LiveRun,
    repository: Repository,
    wanted: "accepted" | "undone" = "accepted",
  ): Promise<Row | undefined> {
    const rows = await loadAcceptances<AcceptanceJournal>(this.#parts.store, run.row.id);
    return rows.findLast(({ state, record }) => state === wanted && record.repository.root === repository.root);
  }

  async #settleOpen(repositoryId: string): Promise<void> {
    for (const row of await loadOpenAcceptances<AcceptanceJournal>(this.#parts.store)) {
      const run = await this.#parts.book.find(row.run);
      if (run?.row.repositoryId === repositoryId) await settleAcceptance(this.#parts, row);
    }
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
    const rules = landingRulesOf(this.#parts, vault, state.commit, toleratedCommands(run, run.row.landing));
    const atMs = this.#parts.clock.wallMs();
    const judge = judgeFor(this.#parts, run, state.commit);
    const range = { given, lane, from: from ?? given.base };
    return planAcceptance(git, vault, { run: run.row.id, state, ...range, atMs, rules, judge });
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
    { after, replayed, hits, request: { state } }: AcceptPlan,
    signal: AbortSignal,
  ): Promise<Verification> {
    const { git } = this.#parts;
    const vault = this.#parts.vaultOf(run.row.repositoryId);
    const rules = await loadVerifyRules(this.#parts, vault, state.commit);
    if (rules.length === 0 && hits.length === 0) {
      const tree = await vault.objects.treeOf(after);
      return { status: "unverified", tree, rulesFrom: state.commit, commands: [], notices: [] };
    }
    const [head, local, survey] = await Promise.all([
      readHead(git, state.repository),
      readLocalConfig(git, state.repository),
      surveyBase(git, vault.place, after),
    ]);
    const source = await describeSource(git, state.repository, head, local, survey, true);
    const request = {
      row: run.row,
      inputs: { environment, source },
      rulesFrom: state.commit,
      tolerated: toleratedCommands(run, run.row.landing),
      signal,
    };
    const whole = { ...request, commit: after, afresh: hits.length > 0 };
    const verification = await this.#verifier
      .verify(whole)
      .then((verified) => compileMeeting(this.#parts, this.#verifier, whole, verified, hits));
    if (verification.status === "failed") throw verifiedRed(state.repository, verification, "", hits);
    // The branch gets no file that git does not track, so it must pass without them.
    const tip = replayed.commits.at(-1)?.oid;
    if (tip === undefined || (await vault.objects.treeOf(tip)) === verification.tree) return verification;
    const alone = await this.#verifier.verify({ ...request, commit: tip });
    if (alone.status !== "failed") return verification;
    throw verifiedRed(state.repository, alone, "without the files that git does not track, ");
  }
}

function verifiedRed(
  repository: Repository,
  verification: Verification,
  without: string,
  hits: readonly SemanticHit[] = [],
): AnabranchError {
  const { code, message, hint, data } = failedReason(verification, hits);
  return new AnabranchError(code, {
    message: `${without}${message}; nothing was written to ${repository.root}`,
    hint: without === "" ? hint : "git add what it needs, or ignore it and name it in carry:",
    data,
  });
}

function noticesOf(
  { request: { state }, replayed, uncommitted, hits }: AcceptPlan,
  verification: Verification,
): string[] {
  const notices = [...meetingNotices(hits), ...verification.notices];
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
