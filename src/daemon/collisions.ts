import { collide, type Collision, type Side } from "../landing/collision.ts";
import { attemptName } from "../store/attempts.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { LiveRun, LiveTask, Overlap } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { Sighting } from "./sighting.ts";

/** Where the work of two attempts meets. */
export interface Meeting {
  /** The one that was seen last comes first. */
  readonly between: readonly [Sighting, Sighting];
  readonly collision: Collision;
  /** When it was first seen to be so, for people. */
  readonly sinceMs: number;
}

interface Pair {
  /** What of both was compared. */
  readonly compared: string;
  readonly meeting: Meeting | undefined;
}

/** What is known of the work of each two attempts. Who conflicts is told: to the tasks, and once as an event. */
export class Collisions {
  readonly #parts: Parts;
  readonly #pairs = new Map<string, Pair>();
  readonly #announced = new Map<string, Set<string>>();
  #told = new Map<LiveTask, LiveRun>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Every meeting, whether it merges or not. */
  all(): Meeting[] {
    return [...this.#pairs.values()].flatMap(({ meeting }) => meeting ?? []);
  }

  /** Finds out how an attempt of which something new was seen meets another one. */
  async compare(vault: Vault, one: Sighting, other: Sighting): Promise<void> {
    const key = pairKey(one, other);
    const [a, b] = [one.side, other.side];
    if (a === undefined) this.#pairs.delete(key);
    if (a === undefined || b === undefined) return;
    const compared = [`${a.base} ${a.tree}`, `${b.base} ${b.tree}`].toSorted().join(" ");
    const before = this.#pairs.get(key);
    if (before?.compared === compared) return;
    const collision = await this.#collide(vault, a, b);
    const isSame = before?.meeting?.collision.status === collision?.status;
    const sinceMs = (isSame ? before?.meeting?.sinceMs : undefined) ?? this.#parts.clock.wallMs();
    const meeting = collision === undefined ? undefined : { between: [one, other] as const, collision, sinceMs };
    this.#pairs.set(key, { compared, meeting });
    if (meeting?.collision.status === "conflict") await this.#announce(key, meeting);
  }

  async #collide(vault: Vault, a: Side, b: Side): Promise<Collision | undefined> {
    try {
      return await collide(this.#parts.git, vault, a, b);
    } catch (cause) {
      this.#parts.log("warn", "it cannot be told whether two tasks conflict", { cause: String(cause) });
      return undefined;
    }
  }

  /** Forgets the pairs of which one is no longer watched. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of [...this.#pairs.keys(), ...this.#announced.keys()]) {
      if (key.split(" ").every((attempt) => keys.has(attempt))) continue;
      this.#pairs.delete(key);
      this.#announced.delete(key);
    }
  }

  /** Lets the tasks show whom they conflict with by now. */
  publish(): void {
    const overlaps = new Map<LiveTask, { readonly run: LiveRun; readonly list: Overlap[] }>();
    for (const { between, collision } of this.all()) {
      if (collision.status !== "conflict") continue;
      for (const [own, other] of [between, between.toReversed()] as const) {
        if (own === undefined || other === undefined || own.task.row.state === "ended") continue;
        const known = overlaps.get(own.task) ?? { run: own.run, list: [] };
        const { run, task } = other.writer;
        known.list.push({ run, task, paths: collision.paths.map(({ path }) => path) });
        overlaps.set(own.task, known);
      }
    }
    const touched = new Set<LiveRun>();
    for (const [task, run] of this.#told) {
      if (overlaps.has(task) || task.overlaps.length === 0) continue;
      task.overlaps = [];
      touched.add(run);
    }
    for (const [task, { run, list }] of overlaps) {
      if (JSON.stringify(task.overlaps) === JSON.stringify(list)) continue;
      task.overlaps = list;
      touched.add(run);
    }
    this.#told = new Map([...overlaps].map(([task, { run }]) => [task, run]));
    for (const run of touched) this.#parts.book.touch(run);
  }

  /** Once for a pair and the paths it conflicts in. */
  async #announce(key: string, { between: [one, other], collision }: Meeting): Promise<void> {
    const announced = this.#announced.get(key) ?? new Set();
    this.#announced.set(key, announced);
    const paths = collision.paths.map(({ path }) => path);
    const what = JSON.stringify(paths.toSorted());
    if (announced.has(what)) return;
    announced.add(what);
    const { run, task } = other.writer;
    const data = { with: { run, task }, paths: collision.paths.slice(0, MOST_NAMED), count: paths.length };
    await this.#parts.book.change(one.run, (draft) => draft.event("task.overlap", data, one.writer.task));
  }
}

const MOST_NAMED = 100;

function pairKey(one: Sighting, other: Sighting): string {
  return [attemptName(one.attempt), attemptName(other.attempt)].toSorted().join(" ");
}
