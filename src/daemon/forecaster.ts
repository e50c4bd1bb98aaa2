/**
 * Looks at what tasks have changed while they work, and tells which of them will conflict.
 *
 * An attempt is unseen → seen → seen anew …, each time it is looked at and has changed something; once it is captured
 * its changeset is what counts, also when that has landed while others are still at work. Then it is forgotten.
 *
 * Invariants:
 * 1. A workspace is looked at only while its command runs alone in it; when that ends, the look is given up.
 * 2. There is one look at a time, and all looking takes a twentieth of the time at most.
 * 3. Nothing rests on what is seen: it is kept in memory, its objects in a repository that is thrown away.
 */
import type { CancelTimer } from "../base/clock.ts";
import { createSignal } from "../base/signal.ts";
import { dueMs, mayCollide } from "../engine/forecast.ts";
import { attemptName } from "../store/attempts.ts";
import { glimpseWorkspace } from "../workspaces/glimpse.ts";
import { workspaceAt } from "../workspaces/workspace.ts";
import { Collisions, type Meeting } from "./collisions.ts";
import { ForecastVaults } from "./forecast-vaults.ts";
import type { LiveTask } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { sightingOf, withRivals, type Sighting } from "./sighting.ts";

/** See the head of this file. */
export class Forecaster {
  readonly #parts: Parts;
  readonly #intervalMs: number;
  readonly #vaults: ForecastVaults;
  readonly #collisions: Collisions;
  #sightings: ReadonlyMap<string, Sighting> = new Map();
  readonly #signal = createSignal(() => this.#look());
  #lookedMs = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  #current: { readonly task: LiveTask; readonly abort: AbortController } | undefined;
  #looking: Promise<void> = Promise.resolve();
  #cancelWake: CancelTimer | undefined;
  #isLooking = false;

  /** @param intervalMs one workspace is not looked at more often */
  constructor(parts: Parts, intervalMs: number) {
    this.#parts = parts;
    this.#intervalMs = intervalMs;
    this.#vaults = new ForecastVaults(parts);
    this.#collisions = new Collisions(parts);
    parts.book.onChange(() => this.#note());
  }

  /** Throws away what an earlier daemon has left, and begins to look. */
  async start(): Promise<void> {
    await this.#vaults.recover();
    this.#isLooking = true;
    this.#note();
  }

  /** The attempts that are watched, and where the work of any two meets. */
  seen(): { sightings: Sighting[]; meetings: Meeting[] } {
    return { sightings: [...this.#sightings.values()], meetings: this.#collisions.all() };
  }

  /** Looks no more. Resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    this.#isLooking = false;
    this.#cancelWake?.();
    this.#current?.abort.abort();
    await this.#looking;
    await this.#vaults.keepOnly(new Set());
  }

  #note(): void {
    if (this.#current?.task.isAlone === false) this.#current.abort.abort();
    if (this.#cancelWake === undefined) this.#wakeIn(this.#intervalMs);
  }

  #wakeIn(delayMs: number): void {
    if (this.#isLooking) this.#cancelWake = this.#parts.clock.after(delayMs, () => this.#signal.raise());
  }

  #look(): Promise<void> {
    this.#looking = this.#lookAround().catch((cause: unknown) =>
      this.#parts.log("error", "the forecaster failed", {
        cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      }),
    );
    return this.#looking.then(() => this.#sleep());
  }

  async #lookAround(): Promise<void> {
    if (!this.#isLooking) return;
    const { clock } = this.#parts;
    await this.#refresh();
    const beganMs = clock.monotonicMs();
    const changed: Sighting[] = [];
    for (const sighting of this.#sightings.values()) if (await this.#settle(sighting)) changed.push(sighting);
    const next = this.#next();
    const isDue = next !== undefined && next.dueMs <= beganMs;
    if (isDue && (await this.#glimpse(next.sighting))) changed.push(next.sighting);
    for (const sighting of changed) await this.#compare(sighting);
    this.#collisions.publish();
    if (!isDue && changed.length === 0) return;
    this.#lookedMs = clock.monotonicMs();
    this.#tookMs = this.#lookedMs - beganMs;
  }

  /** Until the next workspace may be looked at; where there is none, until something changes. */
  #sleep(): void {
    this.#cancelWake = undefined;
    if (this.#sightings.size === 0) return;
    const waitMs = (this.#next()?.dueMs ?? Number.POSITIVE_INFINITY) - this.#parts.clock.monotonicMs();
    this.#wakeIn(Math.min(this.#intervalMs, Math.max(0, waitMs)));
  }

  /** Takes in who writes by now, and forgets who no longer matters. */
  async #refresh(): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    const present = new Map<string, Sighting>();
    for (const run of this.#parts.book.all()) {
      for (const task of run.tasks.values()) {
        const fresh = sightingOf(run, task, nowMs);
        if (fresh === undefined) continue;
        const key = attemptName(fresh.attempt);
        const known = this.#sightings.get(key);
        if (known !== undefined) [known.attempt, known.writer] = [fresh.attempt, fresh.writer];
        present.set(key, known ?? fresh);
      }
    }
    this.#sightings = withRivals(present);
    this.#collisions.keepOnly(new Set(this.#sightings.keys()));
    await this.#tidyUp();
  }

  /** What was thrown away because it took too much space is looked at again. */
  async #tidyUp(): Promise<void> {
    const sightings = [...this.#sightings.values()];
    const dropped = await this.#vaults.keepOnly(new Set(sightings.map(({ writer }) => writer.repository)));
    for (const sighting of sightings) {
      if (sighting.isFinal || !dropped.has(sighting.writer.repository)) continue;
      [sighting.side, sighting.stamp] = [undefined, undefined];
    }
  }

  /** Takes an attempt's changeset for what it has changed. @returns whether that is new */
  async #settle(sighting: Sighting): Promise<boolean> {
    const { changeset } = sighting.attempt;
    if (sighting.isFinal || sighting.writer.isWorking || changeset === undefined) return false;
    const { base, snapshot } = changeset;
    const { objects } = this.#parts.vaultOf(sighting.writer.repository);
    sighting.side = { base, tree: snapshot, changes: await objects.compare(base, snapshot) };
    sighting.isFinal = true;
    return true;
  }

  /** The workspace that has not been looked at for longest, and from when on it may be. */
  #next(): { readonly sighting: Sighting; readonly dueMs: number } | undefined {
    const waiting = [...this.#sightings.values()].filter(({ writer, task }) => writer.isWorking && task.isAlone);
    if (waiting.length === 0) return undefined;
    const sighting = waiting.reduce((oldest, one) => (one.sinceMs < oldest.sinceMs ? one : oldest));
    const pace = { intervalMs: this.#intervalMs, lookedMs: this.#lookedMs, tookMs: this.#tookMs };
    return { sighting, dueMs: dueMs(pace, sighting.sinceMs) };
  }

  /** @returns whether something was seen that had not been seen before */
  async #glimpse(sighting: Sighting): Promise<boolean> {
    const { clock, log } = this.#parts;
    const abort = new AbortController();
    this.#current = { task: sighting.task, abort };
    try {
      return await this.#glimpseAt(sighting, abort.signal);
    } catch (cause) {
      // What is written while it is read cannot be seen. It will be looked at again.
      if (!abort.signal.aborted) log("debug", "a workspace could not be looked at", { cause: String(cause) });
      return false;
    } finally {
      this.#current = undefined;
      sighting.sinceMs = clock.monotonicMs();
    }
  }

  async #glimpseAt(sighting: Sighting, signal: AbortSignal): Promise<boolean> {
    const { git, clock, pool, layout } = this.#parts;
    const { run, attempt, stamp } = sighting;
    const row = pool.find(attempt.workspaceId);
    if (row?.holder !== attemptName(attempt)) return false;
    const vault = await this.#vaults.open(row.repositoryId);
    const request = { base: attempt.baseCommit, kept: run.row.spec.dependencies, stamp, signal };
    const seen = await glimpseWorkspace(git, workspaceAt(layout.slot(row.repositoryId, row.slot), vault), request);
    sighting.lookedMs = clock.wallMs();
    if (seen === "unchanged") return false;
    const isSeen = typeof seen !== "string";
    sighting.side = isSeen ? { base: attempt.baseCommit, tree: seen.tree, changes: seen.changes } : undefined;
    sighting.stamp = isSeen ? seen.stamp : undefined;
    if (isSeen) this.#vaults.count(row.repositoryId, seen.sizeBytes);
    return true;
  }

  async #compare(sighting: Sighting): Promise<void> {
    const vault = await this.#vaults.open(sighting.writer.repository);
    for (const other of this.#sightings.values()) {
      if (mayCollide(sighting.writer, other.writer)) await this.#collisions.compare(vault, sighting, other);
    }
  }
}
