import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import type { TaskDefinition } from "../src/index.ts";
import { seeded, type Random } from "./random.ts";

/** A run that is to be started, what of it reports, and how that ends when nobody is killed. */
export interface PlannedRun {
  /** The name under which it is asked for, however often. */
  readonly key: string;
  readonly tasks: Readonly<Record<string, TaskDefinition>>;
  readonly outcomes: Readonly<Record<string, "succeeded" | "failed">>;
  /** The file that tells it what to start in its turn. */
  readonly plan?: string;
  readonly starts?: readonly PlannedRun[];
}

/** Everything that one storm starts. */
export interface StormPlan {
  /** What the bench itself starts. */
  readonly parents: readonly PlannedRun[];
  /** What these and theirs start. */
  readonly children: readonly PlannedRun[];
}

const CHILDREN_OF_EACH = 12;
const GRANDCHILDREN_OF_EACH = 3;
const PROGRAM = resolve("bench/delivery-parent.mjs");
const COMMAND = `exec "$BENCH_NODE" "${PROGRAM}"`;
const RETRIES = { times: 3, delay: "10ms" } as const;

/**
 * Plans a storm of so many children: short commands that write nothing, some that write, fail, fail at first, leave
 * detached tasks behind or start runs of their own. Of the parents some wait, and some are not started again when they die.
 */
export function planStorm(folder: string, seed: number, count: number): StormPlan {
  const random = seeded(seed);
  mkdirSync(folder, { recursive: true });
  const planner: Planner = { folder, random, children: [], left: count, named: 0, name: `s${seed}` };
  const parents: PlannedRun[] = [];
  while (planner.left > 0) {
    const kind = parents.length % 6;
    const own = { key: `${planner.name}-parent-${parents.length}`, waits: kind < 3, retried: kind !== 5 };
    parents.push(planParent(planner, own, CHILDREN_OF_EACH));
  }
  return { parents, children: planner.children };
}

interface Planner {
  readonly folder: string;
  readonly random: Random;
  readonly children: PlannedRun[];
  readonly name: string;
  /** How many tasks are still to be planned. */
  left: number;
  /** How many runs have a name already. */
  named: number;
}

interface Parent {
  readonly key: string;
  readonly waits: boolean;
  /** Whether it is started again when it dies. */
  readonly retried: boolean;
}

function planParent(planner: Planner, { key, waits, retried }: Parent, most: number): PlannedRun {
  const children: PlannedRun[] = [];
  for (let tasks = 0; tasks < most && planner.left > 0;) {
    const child = planChild(planner);
    tasks += Object.keys(child.tasks).length;
    children.push(child);
  }
  const plan = join(planner.folder, `${key}.json`);
  writeFileSync(plan, JSON.stringify({ key, waits, children: children.map(({ starts: _starts, ...child }) => child) }));
  const retries = retried ? { retries: RETRIES } : {};
  return {
    key,
    plan,
    starts: children,
    tasks: { parent: { run: COMMAND, writes: "none", ...retries } },
    outcomes: { parent: "succeeded" },
  };
}

function planChild(planner: Planner): PlannedRun {
  const { random } = planner;
  const key = `${planner.name}-child-${planner.named}`;
  planner.named += 1;
  planner.left -= 1;
  const share = random.unit();
  if (share < 0.04 && planner.left > 0) {
    const child = planParent(planner, { key, waits: false, retried: true }, GRANDCHILDREN_OF_EACH);
    planner.children.push(child);
    return child;
  }
  const tasks: Record<string, TaskDefinition> = { main: planTask(random, share) };
  if (share > 0.7) {
    for (let index = 0; index < 3 && planner.left > 0; index += 1) {
      planner.left -= 1;
      tasks[`beside-${index}`] = { ...planTask(random, random.unit() * 0.7), detach: true };
    }
  }
  const outcomes = Object.fromEntries(
    Object.entries(tasks).map(
      ([name, { run = "" }]) => [name, run.endsWith("exit 3") ? "failed" : "succeeded"] as const,
    ),
  );
  const child = { key, tasks, outcomes };
  planner.children.push(child);
  return child;
}

/** Each start leaves a line, by which it is known how often an attempt ran. */
function planTask(random: Random, share: number): TaskDefinition {
  const mark = 'echo "ran $ANABRANCH_RUN/$ANABRANCH_TASK $ANABRANCH_ATTEMPT" >> "$BENCH_LEDGER"';
  const work = `${mark}; sleep ${(0.02 + random.unit() * 0.3).toFixed(3)}`;
  if (share < 0.1) return { run: `${work}; echo "$ANABRANCH_RUN" > "$ANABRANCH_TASK.txt"`, retries: RETRIES };
  if (share < 0.25) return { run: `${work}; exit 3`, writes: "none" };
  if (share < 0.4) return { run: `${work}; test "$ANABRANCH_ATTEMPT" -ge 2`, writes: "none", retries: RETRIES };
  return { run: work, writes: "none" };
}
