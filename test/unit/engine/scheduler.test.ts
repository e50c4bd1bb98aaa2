import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Scheduler, type ReadyTask } from "../../../src/engine/scheduler.ts";
import { expectProportionate } from "../../fixtures/work.ts";

function task(run: string, position: number, more: Partial<ReadyTask> = {}): ReadyTask {
  return { key: `${run}/${position}`, run, priority: 0, position, limits: [], ...more };
}

function scheduler(total: number, limits: Readonly<Record<string, number>> = {}): Scheduler {
  return new Scheduler({ total, of: (limit) => limits[limit] ?? Number.POSITIVE_INFINITY });
}

const keys = (tasks: readonly ReadyTask[]): string[] => tasks.map((one) => one.key);

describe("the ready queue", () => {
  it("starts the longest critical path first, and equals in their written order", () => {
    const queue = scheduler(10);
    queue.add(task("r", 0, { priority: 1 }));
    queue.add(task("r", 1, { priority: 5 }));
    queue.add(task("r", 3, { priority: 5 }));
    queue.add(task("r", 2, { priority: 5 }));
    expect(keys(queue.next(0))).toEqual(["r/1", "r/2", "r/3", "r/0"]);
  });

  it("takes turns between runs: the one with the fewest at work, then the older one", () => {
    const queue = scheduler(5);
    for (let position = 0; position < 4; position += 1) queue.add(task("old", position));
    for (let position = 0; position < 4; position += 1) queue.add(task("new", position));
    expect(keys(queue.next(0))).toEqual(["old/0", "new/0", "old/1", "new/1", "old/2"]);
    queue.release("new/0");
    expect(keys(queue.next(0))).toEqual(["new/2"]);
  });

  it("lets a run of one task start beside a run of a thousand", () => {
    const queue = scheduler(2);
    for (let position = 0; position < 1000; position += 1) queue.add(task("big", position));
    expect(queue.next(0)).toHaveLength(2);
    queue.add(task("small", 0));
    queue.release("big/0");
    expect(keys(queue.next(0))).toEqual(["small/0"]);
  });

  it("passes over a task whose limit is full, and starts it when there is room", () => {
    const queue = scheduler(10, { database: 1 });
    queue.add(task("r", 0, { priority: 9, limits: ["database"] }));
    queue.add(task("r", 1, { priority: 8, limits: ["database"] }));
    queue.add(task("r", 2));
    expect(keys(queue.next(0))).toEqual(["r/0", "r/2"]);
    expect(queue.next(0)).toEqual([]);
    queue.release("r/0");
    expect(keys(queue.next(0))).toEqual(["r/1"]);
  });

  it("starts a delayed task when it is due, and says when that is", () => {
    const queue = scheduler(10);
    queue.add(task("r", 0, { notBeforeMs: 100 }));
    queue.add(task("r", 1, { notBeforeMs: 50 }));
    expect(queue.wakeAtMs).toBe(50);
    expect(queue.next(49)).toEqual([]);
    expect(keys(queue.next(50))).toEqual(["r/1"]);
    expect(queue.wakeAtMs).toBe(100);
    expect(keys(queue.next(1000))).toEqual(["r/0"]);
    expect(queue.wakeAtMs).toBeUndefined();
  });

  it("wakes nobody for a delayed task that was cancelled meanwhile", () => {
    const queue = scheduler(10);
    queue.add(task("r", 0, { notBeforeMs: 100 }));
    queue.remove("r/0");
    expect(queue.wakeAtMs).toBeUndefined();
  });

  it("uses the room of a cancelled task for the next one that waits for the same limit", () => {
    const queue = scheduler(10, { database: 1 });
    for (let position = 0; position < 3; position += 1) queue.add(task("r", position, { limits: ["database"] }));
    expect(keys(queue.next(0))).toEqual(["r/0"]);
    queue.release("r/0");
    queue.remove("r/1");
    expect(keys(queue.next(0))).toEqual(["r/2"]);
  });

  it("uses all the room of a limit that was raised", () => {
    const limits = { database: 1 };
    const queue = scheduler(10, limits);
    for (let position = 0; position < 4; position += 1) queue.add(task("r", position, { limits: ["database"] }));
    expect(queue.next(0)).toHaveLength(1);
    limits.database = 3;
    expect(queue.next(0)).toHaveLength(2);
  });

  it("counts tasks found at work at start-up, even beyond a limit, and starts none until there is room", () => {
    const queue = scheduler(10, { database: 1 });
    queue.adopt(task("r", 0, { limits: ["database"] }));
    queue.adopt(task("r", 1, { limits: ["database"] }));
    queue.add(task("r", 2, { limits: ["database"] }));
    expect(queue.workingCount).toBe(2);
    queue.release("r/0");
    expect(queue.next(0)).toEqual([]);
    queue.release("r/1");
    expect(keys(queue.next(0))).toEqual(["r/2"]);
  });

  it("takes the same task twice for once, also while it is at work", () => {
    const queue = scheduler(10);
    queue.add(task("r", 0));
    queue.add(task("r", 0));
    expect(keys(queue.next(0))).toEqual(["r/0"]);
    queue.add(task("r", 0));
    expect(queue.next(0)).toEqual([]);
    queue.release("r/0");
    queue.release("r/0");
    queue.add(task("r", 0));
    expect(keys(queue.next(0))).toEqual(["r/0"]);
  });
});

describe("a limit with a rate", () => {
  const rated = (perMinute: number, total = 100): Scheduler =>
    new Scheduler({
      total,
      of: () => Number.POSITIVE_INFINITY,
      perMinute: (limit) => (limit === "kind:claude" ? perMinute : undefined),
    });
  const claude = { limits: ["kind:claude"] };

  it("lets a minute's worth start at once, then one for each part of the minute, and says when", () => {
    const queue = rated(3);
    for (let position = 0; position < 6; position += 1) queue.add(task("r", position, claude));
    expect(queue.next(1000)).toHaveLength(3);
    expect(queue.wakeAtMs).toBe(21_000);
    expect(queue.whyQueued("r/3")).toEqual({ type: "rate", limit: "kind:claude", untilMs: 21_000 });
    expect(queue.next(20_999)).toEqual([]);
    expect(keys(queue.next(21_000))).toEqual(["r/3"]);
    expect(queue.wakeAtMs).toBe(41_000);
    expect(keys(queue.next(61_000))).toEqual(["r/4", "r/5"]);
    expect(queue.wakeAtMs).toBeUndefined();
  });

  it("keeps nothing else from starting, and is fair to the runs that wait for it", () => {
    const queue = rated(1);
    for (let position = 0; position < 3; position += 1) queue.add(task("old", position, claude));
    queue.add(task("new", 0, claude));
    queue.add(task("old", 9));
    expect(keys(queue.next(0))).toEqual(["old/0", "old/9"]);
    expect(keys(queue.next(60_000))).toEqual(["new/0"]);
    expect(keys(queue.next(120_000))).toEqual(["old/1"]);
  });

  it("does not count a task that did not start after all", () => {
    const queue = rated(1);
    queue.add(task("r", 0, claude));
    queue.next(0);
    queue.withdraw("r/0");
    queue.add(task("r", 1, claude));
    expect(keys(queue.next(0))).toEqual(["r/1"]);
  });

  it("is kept in any window, uses what it may, and wakes nobody too early or too late", () => {
    const waits = fc.array(fc.integer({ min: 0, max: 70_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), waits, (perMinute, steps) => {
        const queue = rated(perMinute, 1000);
        const startsMs: number[] = [];
        for (let position = 0; position < 200; position += 1) queue.add(task("r", position, claude));
        let nowMs = 0;
        const look = (): number => {
          const started = queue.next(nowMs);
          startsMs.push(...started.map(() => nowMs));
          return started.length;
        };
        for (const step of steps) {
          look();
          const dueMs = queue.wakeAtMs ?? Number.NaN;
          expect(dueMs).toBeGreaterThan(nowMs);
          nowMs += step;
          if (nowMs >= dueMs) expect(look()).toBeGreaterThan(0);
          else expect(look()).toBe(0);
        }
        for (const [index, fromMs] of startsMs.entries()) {
          for (const [later, toMs] of startsMs.entries()) {
            if (later < index) continue;
            const most = perMinute + ((toMs - fromMs) * perMinute) / 60_000;
            expect(later - index + 1).toBeLessThanOrEqual(most + 1e-6);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("why a task is queued", () => {
  it("is the limit that is full, the total, or its delay", () => {
    const queue = scheduler(2, { "kind:shell": 1 });
    queue.add(task("r", 0, { limits: ["kind:shell"] }));
    queue.add(task("r", 1, { limits: ["kind:shell"] }));
    queue.add(task("r", 2, { notBeforeMs: 50 }));
    queue.next(0);
    expect(queue.whyQueued("r/0")).toBeUndefined();
    expect(queue.whyQueued("r/1")).toEqual({ type: "limit", limit: "kind:shell", capacity: 1 });
    expect(queue.whyQueued("r/2")).toEqual({ type: "delayed", untilMs: 50 });
    queue.add(task("s", 0));
    queue.add(task("s", 1));
    queue.next(0);
    expect(queue.whyQueued("s/1")).toEqual({ type: "total", capacity: 2 });
  });
});

const LIMITS = ["a", "b", "c"] as const;
const RUNS = ["r", "s", "t"] as const;

type Move =
  | { readonly type: "add" | "adopt"; readonly task: ReadyTask }
  | { readonly type: "remove" | "release"; readonly pick: number }
  | { readonly type: "next"; readonly waitMs: number }
  | { readonly type: "raise"; readonly limit: (typeof LIMITS)[number]; readonly to: number };

const anyTask = fc
  .record({
    run: fc.constantFrom(...RUNS),
    position: fc.nat({ max: 15 }),
    priority: fc.nat({ max: 3 }),
    limits: fc.subarray([...LIMITS]),
    notBeforeMs: fc.option(fc.nat({ max: 20 }), { nil: undefined, freq: 4 }),
  })
  .chain((one) =>
    fc.shuffledSubarray(one.limits, { minLength: one.limits.length }).map((limits) => ({ ...one, limits })),
  )
  .map((one): ReadyTask => ({ ...one, key: `${one.run}/${one.position}` }));

const anyMove: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("add" as const), task: anyTask }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("adopt" as const), task: anyTask }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("remove" as const), pick: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("release" as const), pick: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("next" as const), waitMs: fc.nat({ max: 5 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("raise" as const),
      limit: fc.constantFrom(...LIMITS),
      to: fc.integer({ min: 1, max: 4 }),
    }),
  },
);

/** What the scheduler promises, kept in the plainest way: lists that are searched from end to end. */
class Model {
  readonly total: number;
  readonly capacities: Record<string, number>;
  readonly queued = new Map<string, ReadyTask>();
  readonly working = new Map<string, ReadyTask>();
  nowMs = 0;

  constructor(total: number, capacities: Record<string, number>) {
    this.total = total;
    this.capacities = capacities;
  }

  knows(key: string): boolean {
    return this.queued.has(key) || this.working.has(key);
  }

  used(limit: string): number {
    return [...this.working.values()].filter((one) => one.limits.includes(limit)).length;
  }

  workingOf(run: string): number {
    return [...this.working.values()].filter((one) => one.run === run).length;
  }

  /** Every task that may start now. */
  startable(): ReadyTask[] {
    if (this.working.size >= this.total) return [];
    return [...this.queued.values()].filter(
      (one) =>
        (one.notBeforeMs ?? 0) <= this.nowMs &&
        one.limits.every((limit) => this.used(limit) < (this.capacities[limit] ?? 0)),
    );
  }
}

describe("any use of the ready queue", () => {
  it("keeps every limit, leaves nothing queued that could start, and is fair in every choice", () => {
    const settings = fc.record({
      total: fc.integer({ min: 1, max: 6 }),
      a: fc.integer({ min: 1, max: 3 }),
      b: fc.integer({ min: 1, max: 3 }),
      c: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(settings, fc.array(anyMove, { maxLength: 80 }), ({ total, ...capacities }, moves) => {
        const model = new Model(total, capacities);
        const queue = new Scheduler({ total, of: (limit) => model.capacities[limit] ?? 0 });
        for (const move of moves) play(queue, model, move);
      }),
      { numRuns: 1000 },
    );
  });
});

function play(queue: Scheduler, model: Model, move: Move): void {
  switch (move.type) {
    case "add":
      queue.add(move.task);
      if (!model.knows(move.task.key)) model.queued.set(move.task.key, move.task);
      return;
    case "adopt":
      queue.adopt(move.task);
      if (!model.knows(move.task.key)) model.working.set(move.task.key, move.task);
      return;
    case "remove": {
      const key = [...model.queued.keys()][move.pick % Math.max(1, model.queued.size)] ?? "unknown";
      queue.remove(key);
      model.queued.delete(key);
      return;
    }
    case "release": {
      const key = [...model.working.keys()][move.pick % Math.max(1, model.working.size)] ?? "unknown";
      queue.release(key);
      model.working.delete(key);
      return;
    }
    case "raise":
      model.capacities[move.limit] = move.to;
      return;
    case "next":
      model.nowMs += move.waitMs;
      for (const started of queue.next(model.nowMs)) {
        const startable = model.startable();
        expect(keys(startable)).toContain(started.key);
        // Of the runs that could start something, the one with the fewest at work has its turn.
        const fewest = Math.min(...startable.map((one) => model.workingOf(one.run)));
        expect(model.workingOf(started.run)).toBe(fewest);
        const own = startable.filter((one) => one.run === started.run);
        expect(started.priority).toBe(Math.max(...own.map((one) => one.priority)));
        model.queued.delete(started.key);
        model.working.set(started.key, started);
      }
      expect(keys(model.startable())).toEqual([]);
      expect(queue.workingCount).toBe(model.working.size);
      expect(queue.wakeAtMs).toBe(earliest(model));
  }
}

function earliest(model: Model): number | undefined {
  const times = [...model.queued.values()].flatMap((one) => one.notBeforeMs ?? []).filter((ms) => ms > model.nowMs);
  return times.length === 0 ? undefined : Math.min(...times);
}

describe("a long ready queue", () => {
  /** Fills a queue and works it off. */
  const expectWorkedOff = (counts: readonly [number, number], queueOf: () => Scheduler, taskAt: TaskAt): void =>
    expectProportionate(counts, (count) => {
      const queue = queueOf();
      return () => {
        for (let index = 0; index < count; index += 1) queue.add(taskAt(index));
        expect(workOff(queue)).toBe(count);
      };
    });

  it("of one run is worked off in time in proportion to its tasks", () => {
    expectWorkedOff(
      [2000, 20_000],
      () => scheduler(64),
      (index) => task("r", index, { limits: ["run:r"] }),
    );
  });

  it("of tasks under full limits that cross each other is worked off as fast", () => {
    const sets = [["a"], ["b"], ["a", "b"], ["b", "a"], ["c", "a"], ["b", "c"]];
    const crossed: TaskAt = (index) =>
      task("r", index, { limits: sets[index % sets.length] ?? [], priority: index % 7 });
    expectWorkedOff([1000, 10_000], () => scheduler(64, { a: 1, b: 1, c: 2 }), crossed);
  });

  it("of many runs of one task each is worked off as fast", () => {
    const lonely: TaskAt = (index) => task(`r${index}`, 0, { limits: ["everybody", `run:r${index}`] });
    expectWorkedOff([500, 5000], () => scheduler(8, { everybody: 4 }), lonely);
  });
});

type TaskAt = (index: number) => ReadyTask;

/** Ends the oldest task at work, again and again, until nothing is left; how many there were. */
function workOff(queue: Scheduler): number {
  const working: ReadyTask[] = [];
  let ended = 0;
  for (;;) {
    working.push(...queue.next(0));
    const oldest = working.shift();
    if (oldest === undefined) return ended;
    queue.release(oldest.key);
    ended += 1;
  }
}
