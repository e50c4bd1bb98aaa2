/**
 * The leases of all repositories: who may write where, until when.
 *
 * reserved (in memory, while its claim is being committed) → held → released, or expired by the clock. A task's own
 * lease, for `exclusive`, is renewed for as long as the daemon sees the task at work; what a task claims on its way runs
 * out. Both end with the attempt that took them, in the transaction that ends it.
 *
 * Invariants:
 * 1. No two leases that are held meet, except within the family of whoever started whom.
 * 2. Tokens grow within a repository, also across restarts and removed runs.
 * 3. A claim is all or nothing. Who waits for one holds nothing yet, or only younger leases; a claim on the way never
 *    waits. So nobody waits in a circle.
 */
import type { CancelTimer } from "../base/clock.ts";
import { AnabranchError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { createSignal } from "../base/signal.ts";
import type { LeaseAnswer } from "../engine/agent.ts";
import {
  describeLease,
  judgeWrite,
  leaseInTheWay,
  leaseOverWork,
  mayWait,
  type Holder,
  type Lease,
} from "../engine/leases.ts";
import { pathInScope } from "../engine/scope.ts";
import {
  expireLease,
  insertLease,
  loadLeaseTokens,
  loadOpenLeases,
  releaseLease,
  renewLease,
  requireLease,
  type LeaseRow,
} from "../store/leases.ts";
import type { Statement } from "../store/port.ts";
import { LeaseQueue } from "./lease-queue.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** What a lease is asked for with. */
export interface Claim extends Holder {
  readonly repositoryId: string;
  readonly attempt: number;
  readonly scope: readonly string[];
}

/** What a task that is to begin is told. */
export type BeginVerdict =
  | ReservedLease
  | { readonly type: "wait"; readonly text: string }
  | { readonly type: "refused"; readonly error: AnabranchError };

/** A lease set aside: it begins when the statements, made right before, are committed. */
export interface ReservedLease {
  readonly type: "reserved";
  readonly statements: () => Statement[];
  /** It was committed. */
  readonly confirm: () => LeaseRow;
  /** It was not. */
  readonly cancel: () => void;
}

/** Whether a tool may write. */
export type GateVerdict =
  | { readonly allow: true; readonly note?: string | undefined }
  | { readonly allow: false; readonly reason: string };

const [LEAST_WAIT_MS, RETRY_MS] = [10, 1000];
/** The most leases that one attempt may hold. */
const MOST_LEASES = 50;

/** See the head of this file. */
export class LeaseBook {
  readonly #parts: Pick<Parts, "store" | "clock" | "random" | "log" | "book">;
  readonly #ttlMs: number;
  /** Those that are held or have expired, of attempts that are not over, by id. */
  readonly #leases = new Map<string, LeaseRow>();
  readonly #reserved = new Set<string>();
  readonly #tokens = new Map<string, number>();
  readonly #queue = new LeaseQueue();
  readonly #listeners = new Set<(repositoryId: string) => void>();
  readonly #signal = createSignal(() => this.#tick());
  #cancelTimer: CancelTimer = () => undefined;

  /** @param ttlMs for how long the lease of a task is held after it was last renewed */
  constructor(parts: Pick<Parts, "store" | "clock" | "random" | "log" | "book">, ttlMs: number) {
    this.#parts = parts;
    this.#ttlMs = ttlMs;
    parts.book.onChange((run, tasks) => this.#note(run, tasks));
  }

  /** Reads what an earlier daemon left, once the runs with work left are known. */
  async load(): Promise<void> {
    const [rows, tokens] = await Promise.all([loadOpenLeases(this.#parts.store), loadLeaseTokens(this.#parts.store)]);
    for (const row of rows) if (this.#isAtWork(row)) this.#leases.set(row.id, row);
    for (const [repositoryId, token] of tokens) this.#tokens.set(repositoryId, token);
    this.#signal.raise();
  }

  /** The leases of a repository that are held, oldest first. */
  held(repositoryId: string): LeaseRow[] {
    return this.#active(repositoryId).filter(({ id }) => !this.#reserved.has(id));
  }

  /** Calls `listener` after something in a repository became free. Returns the way to stop that. */
  onFree(listener: (repositoryId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sets the lease of a task aside that is to begin, or tells what it waits for. */
  begin(claim: Claim): BeginVerdict {
    const { repositoryId, scope } = claim;
    const [held, family] = [this.#active(repositoryId), this.familyOf(claim)];
    const lease = leaseInTheWay(scope, held, family, this.#nowMs());
    if (lease !== undefined && !mayWait(lease, held, family, this.#nowMs())) {
      return { type: "refused", error: leaseHeld(claim.scope, lease) };
    }
    // Who acts for a holder cannot wait for those who wait for that holder.
    const isBound = held.some(({ run, task }) => family.some((one) => one.run === run && one.task === task));
    const ahead = isBound ? undefined : this.#queue.aheadOf(claim);
    if (lease === undefined && ahead === undefined) return this.#reserve(claim, this.#ttlMs, true);
    this.#queue.add(claim);
    const text = lease === undefined ? `${ahead?.run}/${ahead?.task}, which comes first` : describeLease(lease);
    return { type: "wait", text: `held: ${text}` };
  }

  /**
   * Takes a lease on the way. One that the attempt holds on the same scope is renewed instead.
   * @throws {AnabranchError} `LEASE_HELD`, `USAGE`
   */
  async claim(claim: Claim & { readonly ttlMs: number }): Promise<LeaseRow> {
    const held = this.#active(claim.repositoryId);
    const own = held.filter(({ run, task }) => run === claim.run && task === claim.task);
    const same = own.find(({ scope, renews }) => !renews && scope.join("\n") === claim.scope.join("\n"));
    if (same !== undefined && (await this.#renew([same], claim.ttlMs))) return this.#leases.get(same.id) ?? same;
    const lease = leaseInTheWay(claim.scope, held, this.familyOf(claim), this.#nowMs());
    if (lease !== undefined) throw leaseHeld(claim.scope, lease);
    if (own.length >= MOST_LEASES) {
      const message = `${claim.run}/${claim.task} holds ${own.length} leases, and may hold no more`;
      throw new AnabranchError("USAGE", { message, hint: "release one first, or claim larger scopes" });
    }
    const reserved = this.#reserve(claim, claim.ttlMs, false);
    try {
      await this.#parts.store.commit(reserved.statements());
    } catch (cause) {
      reserved.cancel();
      throw cause;
    }
    const row = reserved.confirm();
    // It may have ended meanwhile, and whoever ended it did not know of this lease.
    if (!this.#isAtWork(row)) await this.release(row);
    return row;
  }

  /** Gives up a lease. */
  async release({ id, repositoryId }: Lease): Promise<void> {
    await this.#parts.store.commit([releaseLease(id, this.#nowMs())]);
    if (this.#leases.delete(id)) this.#free(repositoryId);
  }

  /** Whether somebody may write a path, given from the repository's root; with `wait`, once it is free. */
  async judge(
    repositoryId: string,
    holder: Holder,
    path: string,
    answer: LeaseAnswer,
    signal: AbortSignal,
  ): Promise<GateVerdict> {
    for (;;) {
      const [held, family] = [this.#active(repositoryId), this.familyOf(holder)];
      const verdict = judgeWrite({ path, held, family, answer, nowMs: this.#nowMs() });
      if (verdict.type === "allow") return { allow: true };
      if (verdict.type === "note") return { allow: true, note: verdict.text };
      if (verdict.type === "deny" || signal.aborted) return { allow: false, reason: verdict.text };
      await this.#nextFree(signal);
    }
  }

  /** Whether nobody has a lease in a repository, or had one that expired under an attempt that goes on. */
  isQuiet(repositoryId: string): boolean {
    return ![...this.#leases.values()].some((lease) => lease.repositoryId === repositoryId);
  }

  /** The lease that an attempt took, has lost to the clock, and has written under. */
  fence({ run, task }: Holder, paths: readonly string[]): LeaseRow | undefined {
    const isLost = ({ state, expiresMs }: LeaseRow): boolean => state === "expired" || expiresMs <= this.#nowMs();
    return this.#of(run, task).find((lease) => isLost(lease) && paths.some((path) => pathInScope(path, lease.scope)));
  }

  /** Fails the transaction they are in unless everything is still held that an attempt has written under. */
  fencing({ run, task }: Holder, paths: readonly string[]): Statement[] {
    const under = this.#of(run, task).filter((lease) => paths.some((path) => pathInScope(path, lease.scope)));
    return under.map((lease) => requireLease(lease, this.#nowMs()));
  }

  /** The lease of somebody else over work that is to land, and whether it can be waited for. */
  over(repositoryId: string, holder: Holder, paths: readonly string[]): { lease: Lease; mayWait: boolean } | undefined {
    const [held, family, nowMs] = [this.#active(repositoryId), this.familyOf(holder), this.#nowMs()];
    const lease = leaseOverWork(paths, held, family, nowMs);
    return lease === undefined ? undefined : { lease, mayWait: mayWait(lease, held, family, nowMs) };
  }

  /** A task, the task that started its run, and so on. */
  familyOf({ run, task }: Holder): Holder[] {
    const family: Holder[] = [{ run, task }];
    for (let parent = this.#parentOf(run); parent !== undefined; parent = this.#parentOf(parent.run)) {
      family.push(parent);
    }
    return family;
  }

  #parentOf(run: string): Holder | undefined {
    return this.#parts.book.get(run)?.row.parent;
  }

  #reserve({ repositoryId, run, task, attempt, scope }: Claim, ttlMs: number, renews: boolean): ReservedLease {
    const id = newId(this.#parts.random);
    // Until it begins it is the youngest, and does not expire.
    const [token, expiresMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    const who = { id, repositoryId, run, task, attempt, scope, renews, createdMs: this.#nowMs() };
    let row: LeaseRow = { ...who, token, expiresMs, state: "held", endedMs: undefined };
    this.#leases.set(id, row);
    this.#reserved.add(id);
    this.#queue.remove({ run, task });
    return {
      type: "reserved",
      // Tokens are given in the order of commits.
      statements: () => {
        const nowMs = this.#nowMs();
        row = { ...row, token: this.#nextToken(repositoryId), createdMs: nowMs, expiresMs: nowMs + ttlMs };
        return insertLease(row);
      },
      confirm: () => {
        this.#leases.set(id, row);
        this.#reserved.delete(id);
        this.#signal.raise();
        return row;
      },
      cancel: () => {
        this.#reserved.delete(id);
        if (this.#leases.delete(id)) this.#free(repositoryId);
      },
    };
  }

  #nextToken(repositoryId: string): number {
    const token = (this.#tokens.get(repositoryId) ?? 0) + 1;
    this.#tokens.set(repositoryId, token);
    return token;
  }

  /** Attempts that are over hold nothing, and nobody waits who is not ready any more. */
  #note(run: LiveRun, tasks: readonly string[]): void {
    let isFreed = false;
    for (const name of tasks) {
      const state = run.tasks.get(name)?.row.state;
      if (state !== "ready" && this.#queue.remove({ run: run.row.id, task: name })) isFreed = true;
      if (state !== "ready" && state !== "ended") continue;
      for (const { id } of this.#of(run.row.id, name)) {
        if (!this.#reserved.has(id) && this.#leases.delete(id)) isFreed = true;
      }
    }
    if (isFreed) this.#free(run.row.repositoryId);
  }

  #free(repositoryId: string): void {
    for (const listener of this.#listeners) listener(repositoryId);
  }

  #nextFree(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        stop();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const stop = this.onFree(end);
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
    });
  }

  #active(repositoryId: string): LeaseRow[] {
    const nowMs = this.#nowMs();
    return [...this.#leases.values()].filter(
      (lease) => lease.repositoryId === repositoryId && lease.state === "held" && lease.expiresMs > nowMs,
    );
  }

  #of(run: string, task: string): LeaseRow[] {
    return [...this.#leases.values()].filter((lease) => lease.run === run && lease.task === task);
  }

  /** Renews what is due, notes what has expired, and comes back when the next one is. */
  async #tick(): Promise<void> {
    this.#cancelTimer();
    let waitMs = RETRY_MS;
    try {
      const due = this.#committed().filter((lease) => lease.renews && this.#renewMs(lease) <= this.#nowMs());
      await this.#renew(
        due.filter((lease) => this.#isAtWork(lease)),
        this.#ttlMs,
      );
      await this.#expire(this.#committed().filter((lease) => lease.expiresMs <= this.#nowMs()));
      const next = this.#committed().map((lease) => this.#wakeMs(lease) - this.#nowMs());
      if (next.length === 0) return;
      waitMs = Math.max(LEAST_WAIT_MS, Math.min(...next));
    } catch (cause) {
      this.#parts.log("warn", "leases could not be renewed", { cause: String(cause) });
    }
    this.#cancelTimer = this.#parts.clock.after(waitMs, () => this.#signal.raise());
  }

  #committed(): LeaseRow[] {
    return [...this.#leases.values()].filter(({ id, state }) => state === "held" && !this.#reserved.has(id));
  }

  #renewMs({ expiresMs }: LeaseRow): number {
    return expiresMs - (this.#ttlMs * 2) / 3;
  }

  #wakeMs(lease: LeaseRow): number {
    return lease.renews && this.#isAtWork(lease) ? this.#renewMs(lease) : lease.expiresMs;
  }

  #isAtWork({ run, task, attempt }: LeaseRow): boolean {
    const row = this.#parts.book.get(run)?.tasks.get(task)?.row;
    return row !== undefined && row.state !== "ended" && row.state !== "ready" && row.attempt === attempt;
  }

  /** @returns whether all of them could be renewed: one that has expired stays so */
  async #renew(leases: readonly LeaseRow[], ttlMs: number): Promise<boolean> {
    if (leases.length === 0) return true;
    const nowMs = this.#nowMs();
    const expiresMs = nowMs + ttlMs;
    const rows = await this.#parts.store.commit(leases.map(({ id }) => renewLease(id, expiresMs, nowMs)));
    const renewed = leases.filter((_, index) => rows[index]?.length === 1);
    for (const { id } of renewed) {
      const lease = this.#leases.get(id);
      if (lease !== undefined) this.#leases.set(id, { ...lease, expiresMs });
    }
    this.#signal.raise();
    return renewed.length === leases.length;
  }

  async #expire(leases: readonly LeaseRow[]): Promise<void> {
    if (leases.length === 0) return;
    const nowMs = this.#nowMs();
    await this.#parts.store.commit(leases.map(({ id }) => expireLease(id, nowMs)));
    for (const { id } of leases) {
      const lease = this.#leases.get(id);
      if (lease !== undefined) this.#leases.set(id, { ...lease, state: "expired", endedMs: lease.expiresMs });
    }
    for (const repositoryId of new Set(leases.map((lease) => lease.repositoryId))) this.#free(repositoryId);
  }

  #nowMs(): number {
    return this.#parts.clock.wallMs();
  }
}

/** The error of a claim that somebody else's lease is in the way of. */
function leaseHeld(scope: readonly string[], lease: Lease): AnabranchError {
  const { run, task, expiresMs } = lease;
  return new AnabranchError("LEASE_HELD", {
    message: `${scope.join(", ")} meets ${lease.scope.join(", ")}: ${describeLease(lease)}`,
    hint: "write elsewhere, or try again later: anabranch leases",
    data: { lease: lease.id, run, task, scope: [...lease.scope], expiresMs },
  });
}
