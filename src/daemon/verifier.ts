/**
 * Verifies trees: runs the commands that the rules name, in a workspace of the pool that stands at exactly that tree.
 *
 * Results are remembered by tree and command. A verification can be repeated, so nothing of it is kept while it is
 * under way but the lease of its workspace, held by `RUN/~verify/ID`: after a crash {@link Verifier.recover} ends what
 * its marker finds, and whoever wanted the result asks again.
 *
 * Invariants:
 * 1. A result is remembered only for the tree that was checked out when its command ran.
 * 2. When {@link Verifier.verify} resolves, no process of it is alive, and nothing it changed is left.
 */
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { isPassing, type CommandResult, type Verification } from "../landing/verification.ts";
import { AT_ONCE, endProcesses, endStragglers, type AttemptProcesses } from "../process/ladder.ts";
import { launchShim, readExit, reserveAttempt } from "../process/shim.ts";
import { waitForExit } from "../process/watch.ts";
import { MARKER_VARIABLE } from "../protocol/wire.ts";
import { findVerification, rememberVerification } from "../store/verifications.ts";
import { updateWorkspace, type WorkspaceRow } from "../store/workspaces.ts";
import { listChangedPaths } from "../workspaces/archive.ts";
import { digest } from "../workspaces/dependencies.ts";
import { treeOf } from "../workspaces/layout.ts";
import { leaseWorkspace } from "./lease.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { prepareWorkspace, type Prepared } from "./preparation.ts";
import { freeWorkspace } from "./release.ts";
import type { RunInputs } from "./run-files.ts";
import { loadVerifyRules, type VerifyCommand } from "./verify-rules.ts";

/** What is to be verified, by which rules, with whose settings. */
export interface VerifyRequest {
  readonly row: LiveRun["row"];
  readonly inputs: RunInputs;
  /** In the vault. */
  readonly commit: string;
  readonly rulesFrom: string;
  /** Commands that may fail: they fail on the base already. */
  readonly tolerated?: ReadonlySet<string> | undefined;
  /** Whether what failed on this tree before is run again: something around it may have been mended. */
  readonly again?: boolean | undefined;
  /** Whether also what passed on this tree before is run again. */
  readonly afresh?: boolean | undefined;
  /** Run instead of what the rules name. */
  readonly commands?: readonly VerifyCommand[] | undefined;
  /** Whether all commands run, also when one has failed. */
  readonly thorough?: boolean | undefined;
  readonly report?: ((activity: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const HOLDER = /^([^/]+)\/~verify\/([^/]+)$/;

/** See the head of this file. */
export class Verifier {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Verifies a commit's tree.
   *
   * @throws {AnabranchError} where it cannot be verified at all: the rules cannot be read, setup fails, it is aborted
   */
  async verify(request: VerifyRequest): Promise<Verification> {
    const { row, commit, rulesFrom } = request;
    const vault = this.#parts.vaultOf(row.repositoryId);
    const [tree, rules] = await Promise.all([
      this.#parts.git.text(vault.place, ["rev-parse", `${commit}^{tree}`]),
      request.commands ?? loadVerifyRules(this.#parts, vault, rulesFrom),
    ]);
    if (rules.length === 0) return { status: "unverified", tree, rulesFrom, commands: [], notices: [] };
    const remembered =
      request.afresh === true
        ? new Map<string, CommandResult>()
        : await this.#remembered(row.repositoryId, tree, rules);
    const known = request.again === true ? onlyPassing(remembered) : remembered;
    const { results, notices } = isDecided(request, rules, known)
      ? { results: inOrder(rules, known), notices: [] }
      : await this.#runMissing(request, tree, rules, known);
    const failed = results.some((result) => !isPassing(result) && request.tolerated?.has(result.command) !== true);
    return { status: failed ? "failed" : "passed", tree, rulesFrom, commands: results, notices };
  }

  /** Ends what verifications of an earlier daemon have left, and gives their workspaces back. */
  async recover(): Promise<void> {
    for (const row of this.#parts.pool.leased()) {
      const [, run, id] = HOLDER.exec(row.holder ?? "") ?? [];
      if (run === undefined || id === undefined) continue;
      await endProcesses(this.#processes(row, markerOf(run, id), undefined, ""), AT_ONCE, this.#parts.clock);
      await this.#discard(row);
    }
  }

  async #remembered(
    repositoryId: string,
    tree: string,
    rules: readonly VerifyCommand[],
  ): Promise<Map<string, CommandResult>> {
    const known = new Map<string, CommandResult>();
    for (const { command } of rules) {
      const key = { repositoryId, tree, commandKey: digest([command]) };
      const found = await findVerification<CommandResult>(this.#parts.store, key);
      if (found !== undefined) known.set(command, { ...found.result, remembered: true });
    }
    return known;
  }

  async #runMissing(
    request: VerifyRequest,
    tree: string,
    rules: readonly VerifyCommand[],
    known: Map<string, CommandResult>,
  ): Promise<{ results: CommandResult[]; notices: string[] }> {
    const { row, commit } = request;
    const id = newId(this.#parts.random);
    const workspace = await leaseWorkspace(this.#parts, {
      repositoryId: row.repositoryId,
      holder: `${row.id}/~verify/${id}`,
      base: commit,
      dependenciesKey: row.plan.dependencies.key,
      atMs: this.#parts.clock.wallMs(),
    });
    try {
      const prepared = await this.#prepare(request, workspace, id);
      for (const [index, rule] of rules.entries()) {
        if (known.has(rule.command)) continue;
        request.report?.(`verifying: ${rule.command}`);
        const result = await this.#runTwiceIfNeeded(request, workspace, prepared, rule, `${id}/${index}`);
        await this.#remember(row.repositoryId, tree, result);
        known.set(rule.command, result);
        if (isDecided(request, rules, known)) break;
      }
      const changed = await listChangedPaths(this.#parts.git, prepared.workspace);
      const names = changed.slice(0, 3).join(", ");
      const notices =
        changed.length === 0 ? [] : [`verification changed ${changed.length} files (${names}); thrown away`];
      return { results: inOrder(rules, known), notices };
    } finally {
      await this.#giveBack(request, workspace);
    }
  }

  #prepare(
    { row, inputs, commit, report, signal }: VerifyRequest,
    workspace: WorkspaceRow,
    id: string,
  ): Promise<Prepared> {
    return prepareWorkspace({
      parts: this.#parts,
      run: row,
      inputs,
      workspaceId: workspace.id,
      base: commit,
      marker: markerOf(row.id, id),
      folder: this.#folder(row.id, id),
      directory: "",
      variables: { ANABRANCH_RUN: row.id, ANABRANCH_BASE: commit },
      templates: {},
      report: report ?? (() => undefined),
      signal: signal ?? new AbortController().signal,
    });
  }

  /** A failure that does not repeat on the same tree says nothing against the tree. */
  async #runTwiceIfNeeded(
    request: VerifyRequest,
    workspace: WorkspaceRow,
    prepared: Prepared,
    rule: VerifyCommand,
    id: string,
  ): Promise<CommandResult> {
    const first = await this.#run(request, workspace, prepared, rule, `${id}-1`);
    if (first.outcome !== "failed") return first;
    const second = await this.#run(request, workspace, prepared, rule, `${id}-2`);
    return second.outcome === "passed" ? { ...second, outcome: "flaky", log: first.log } : first;
  }

  async #run(
    { row, signal }: VerifyRequest,
    workspace: WorkspaceRow,
    prepared: Prepared,
    { command, timeoutMs }: VerifyCommand,
    name: string,
  ): Promise<CommandResult> {
    const { clock } = this.#parts;
    const id = name.split("/")[0] ?? "";
    const directory = this.#folder(row.id, name);
    reserveAttempt(directory);
    const controlGroup = this.#parts.controlGroups?.create(`${row.id}-verify-${name.replaceAll("/", "-")}`);
    const { environment, cwd } = prepared;
    const capBytes = row.spec.logCapBytes;
    const { child, identity } = await launchShim(
      { directory, command, cwd, environment, capBytes, splitOutput: false, controlGroup },
      clock,
    );
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    signal?.addEventListener("abort", abort);
    if (signal?.aborted === true) abort();
    const cancelTimer = clock.after(timeoutMs, abort);
    const beganMs = clock.monotonicMs();
    const ended = await waitForExit({ directory, shim: identity, child }, clock, stop.signal);
    cancelTimer();
    signal?.removeEventListener("abort", abort);
    const durationMs = Math.round(clock.monotonicMs() - beganMs);
    const processes = this.#processes(workspace, markerOf(row.id, id), { ...identity, controlGroup }, directory);
    if (ended === "aborted") await endProcesses(processes, this.#parts.ladder, clock);
    else await endStragglers(processes, clock);
    if (signal?.aborted === true)
      throw new AnabranchError("CANCELLED", { message: "the verification is no longer wanted" });
    const status = readExit(directory)?.status;
    const outcome = ended === "aborted" ? "timed-out" : status === 0 ? "passed" : status === 127 ? "missing" : "failed";
    return { command, outcome, status, durationMs, log: join(directory, "log"), remembered: false };
  }

  async #remember(repositoryId: string, tree: string, result: CommandResult): Promise<void> {
    // What the machine lacked, or how long it took, says little about the tree.
    if (result.outcome === "missing" || result.outcome === "timed-out") return;
    const key = { repositoryId, tree, commandKey: digest([result.command]) };
    await this.#parts.book.commit([rememberVerification(key, result, this.#parts.clock.wallMs())]);
  }

  async #giveBack({ row, inputs, commit }: VerifyRequest, workspace: WorkspaceRow): Promise<void> {
    if (!this.#parts.pool.beginRelease(workspace.id)) return;
    try {
      await freeWorkspace(this.#parts, workspace, { base: commit, source: inputs.source, kept: row.spec.dependencies });
    } catch (cause) {
      this.#parts.log("error", "a workspace is retained after a verification", { cause: String(cause) });
      this.#parts.pool.retain(workspace.id);
    }
  }

  async #discard(row: WorkspaceRow): Promise<void> {
    if (!this.#parts.pool.beginRelease(row.id)) return;
    await this.#parts.trash.discard(this.#parts.layout.slot(row.repositoryId, row.slot));
    const patch = { state: "free", holder: null, baseCommit: null, dependenciesKey: null, setupKey: null } as const;
    await this.#parts.book.commit([updateWorkspace(row, patch)]);
    this.#parts.pool.patched(row.id, patch);
  }

  #processes(
    row: WorkspaceRow,
    marker: string,
    shim: (AttemptProcesses["shim"] & { readonly controlGroup: string | undefined }) | undefined,
    directory: string,
  ): AttemptProcesses {
    return {
      directory,
      shim,
      groupIsCurrent: shim !== undefined,
      marker: `${MARKER_VARIABLE}=${marker}`,
      controlGroup: shim?.controlGroup,
      workspace: treeOf(this.#parts.layout.slot(row.repositoryId, row.slot)),
    };
  }

  // No task's name starts with a dot.
  #folder(run: string, name: string): string {
    return join(this.#parts.layout.run(run), ".verify", name);
  }
}

// The caller of a command is told by it: see `caller.ts`.
function markerOf(run: string, id: string): string {
  return `verify-${run}-${id}`;
}

/** Whether nothing more has to run: a result is missing only behind a failure that decides. */
function isDecided(
  { tolerated, thorough }: VerifyRequest,
  rules: readonly VerifyCommand[],
  known: ReadonlyMap<string, CommandResult>,
): boolean {
  if (rules.every(({ command }) => known.has(command))) return true;
  if (thorough === true) return false;
  return [...known.values()].some((result) => !isPassing(result) && tolerated?.has(result.command) !== true);
}

function onlyPassing(known: ReadonlyMap<string, CommandResult>): Map<string, CommandResult> {
  return new Map([...known].filter(([, result]) => isPassing(result)));
}

function inOrder(rules: readonly VerifyCommand[], known: ReadonlyMap<string, CommandResult>): CommandResult[] {
  return rules.flatMap(({ command }) => known.get(command) ?? []);
}
