/**
 * B1, the planner: does `auto` pick the fastest way to run something?
 *
 * Nobody says what is fastest: every case is executed in every arrangement several times, in turn, and the middle
 * counts. What `auto` would do is asked once it has seen the tasks once, in the same state of the pool. Half of the
 * cases are held out: the planner's rules were shaped on the other half.
 */
import { rmSync } from "node:fs";

import type { PlanView } from "../src/protocol/views.ts";
import type { Bench } from "./bench.ts";
import { plannerCases, type PlannerCase } from "./planner-cases.ts";
import { Lab, makeWork, measureLoops, MOST_AT_ONCE } from "./planner-lab.ts";
import { seeded, shuffled } from "./random.ts";
import type { Report } from "./report.ts";
import { mean, median } from "./statistics.ts";

const HOLD_OUT_SEED = 14;
/** Two arrangements this close are equally fast; in the short form, on a busy machine, with less care. */
const NOISE = { share: 0.05, ms: 60 };
const SHORT_NOISE = { share: 0.75, ms: 500 };

/** Cases with an answer that no load can blur. */
const SHORT_CASES: ReadonlySet<string> = new Set([
  "cheap warm: 4 wait 400",
  "cheap warm: 8 wait 150",
  "cheap warm: wait 50 to 400",
]);

/** One way to start the tasks of a run. */
interface Arm {
  readonly width: number;
  readonly share: boolean;
}

/** What became of one case. */
interface Judged {
  readonly name: string;
  readonly heldOut: boolean;
  readonly samplesMs: Readonly<Record<string, readonly number[]>>;
  readonly middleMs: Readonly<Record<string, number>>;
  readonly fastest: string;
  readonly picked: string;
  readonly reason: string;
  readonly predictedMs: number;
  readonly correct: boolean;
  readonly collapse: boolean;
  readonly spurious: boolean;
  /** Whether there is a wrong answer to this case at all. */
  readonly telling: boolean;
  /** Whether what it picks after having seen all those runs is right too. */
  readonly correctLater: boolean;
  readonly pickedLater: string;
  /** Which of the simple rules would have been right. */
  readonly simple: Readonly<Record<string, boolean>>;
}

export const planner: Bench = {
  name: "planner",
  about: "B1: does auto pick the arrangement that really is the fastest",
  async run(report, { short, folder }) {
    const cases = plannerCases(makeWork(measureLoops()));
    const heldOut = new Set(shuffled(cases, seeded(HOLD_OUT_SEED)).slice(Math.ceil(cases.length / 2)));
    const only = process.env["PLANNER_CASES"];
    const chosen = cases.filter((one) => {
      if (only !== undefined) return only === "tuning" ? !heldOut.has(one) : one.name.includes(only);
      return !short || SHORT_CASES.has(one.name);
    });
    const lab = new Lab(folder);
    const judged: Judged[] = [];
    try {
      for (const one of chosen) {
        const result = await judge(lab, one, heldOut.has(one), short);
        judged.push(result);
        console.log(describe(result));
      }
    } finally {
      const left = await lab.close();
      report.limit("processes left behind", left.length, { atMost: 0 });
    }
    report.keep("cases", judged);
    summarize(report, judged);
  },
};

async function judge(lab: Lab, one: PlannerCase, heldOut: boolean, short: boolean): Promise<Judged> {
  const rounds = short ? 1 : 3;
  const root = lab.makeRoot(one.repository);
  const { tasks } = one;
  if (one.pool !== "cold") await lab.warm(root, one.pool === "few" ? 2 : Object.keys(tasks).length);
  await lab.setPool(root, one);
  await lab.run(root, { tasks, mode: "auto" });
  await lab.setPool(root, one);
  const plan = await lab.plan(root, one);
  const arms = new Map<string, Arm>(armsOf(one).map((arm) => [nameOf(arm), arm]));
  arms.set(nameOf(plan), plan);
  const samples = new Map<string, number[]>([...arms.keys()].map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, { width, share }] of round % 2 === 0 ? arms : [...arms].toReversed()) {
      await lab.setPool(root, one);
      samples.get(name)?.push(await lab.run(root, { tasks, mode: "parallel", parallel: width, share }));
    }
  }
  await lab.setPool(root, one);
  const later = await lab.plan(root, one);
  rmSync(root, { recursive: true, force: true });
  return verdictOn({ one, heldOut, noise: short ? SHORT_NOISE : NOISE }, arms, samples, plan, later);
}

/** One after another and all at once, each with workspaces of their own and, where at least two write nothing, shared. */
function armsOf({ tasks }: PlannerCase): Arm[] {
  const definitions = Object.values(tasks);
  const shares = definitions.filter((task) => task.writes === "none").length > 1 ? [false, true] : [false];
  const widths = [1, Math.min(MOST_AT_ONCE, definitions.length)];
  return widths.flatMap((width) => shares.map((share) => ({ width, share })));
}

function nameOf({ width, share }: Arm): string {
  return `${width === 1 ? "one after another" : `${width} at once`}${share ? ", shared" : ""}`;
}

function verdictOn(
  { one, heldOut, noise }: { readonly one: PlannerCase; readonly heldOut: boolean; readonly noise: typeof NOISE },
  arms: ReadonlyMap<string, Arm>,
  samples: ReadonlyMap<string, readonly number[]>,
  plan: PlanView,
  later: PlanView,
): Judged {
  const middleMs = Object.fromEntries([...samples].map(([name, values]) => [name, median(values)]));
  const [fastest = "", fastestMs = Number.NaN] = Object.entries(middleMs).toSorted(([, a], [, b]) => a - b)[0] ?? [];
  const isSlower = (ms: number, thanMs: number): boolean => ms > thanMs + Math.max(noise.ms, thanMs * noise.share);
  const isRight = (ms: number): boolean => !isSlower(ms, fastestMs);
  const timeOf = (arm: Arm): number => middleMs[nameOf(arm)] ?? Number.NaN;
  const pickedMs = timeOf(plan);
  const beaten = (by: (arm: Arm) => boolean): boolean =>
    [...arms.values()].some((arm) => by(arm) && isSlower(pickedMs, timeOf(arm)));
  const widest = Math.max(...[...arms.values()].map((arm) => arm.width));
  const canShare = [...arms.values()].some((arm) => arm.share);
  return {
    name: one.name,
    heldOut,
    samplesMs: Object.fromEntries(samples),
    middleMs,
    fastest,
    picked: nameOf(plan),
    reason: plan.reason,
    predictedMs: plan.predictedMs,
    correct: isRight(pickedMs),
    collapse: plan.width === 1 && beaten((arm) => arm.width > 1),
    spurious: plan.width > 1 && beaten((arm) => arm.width === 1),
    telling: Object.values(middleMs).some((ms) => isSlower(ms, fastestMs)),
    pickedLater: nameOf(later),
    // A later pick that no run was made with cannot be judged.
    correctLater: isRight(timeOf(later)) || Number.isNaN(timeOf(later)),
    simple: {
      "always all at once": isRight(timeOf({ width: widest, share: false })),
      "always all at once, shared where possible": isRight(timeOf({ width: widest, share: canShare })),
      "always one after another": isRight(timeOf({ width: 1, share: false })),
    },
  };
}

function describe(judged: Judged): string {
  const times = Object.entries(judged.middleMs).map(([name, ms]) => `${name} ${Math.round(ms)}`);
  const mark = judged.correct ? "ok  " : "MISS";
  const flags = `${judged.collapse ? " COLLAPSE" : ""}${judged.spurious ? " SPURIOUS" : ""}${judged.telling ? "" : " (all alike)"}`;
  const later = judged.pickedLater === judged.picked ? "" : `, later ${judged.pickedLater}`;
  return `${mark} ${judged.name} -> ${judged.picked} (predicted ${judged.predictedMs})${later}${flags}; ${times.join(", ")}`;
}

function summarize(report: Report, judged: readonly Judged[]): void {
  const groups: [string, readonly Judged[]][] = [
    ["all", judged],
    ["held out", judged.filter((one) => one.heldOut)],
    ["tuned on", judged.filter((one) => !one.heldOut)],
    ["telling ones", judged.filter((one) => one.telling)],
    ["telling and held out", judged.filter((one) => one.telling && one.heldOut)],
  ];
  const rules = Object.keys(judged[0]?.simple ?? {});
  const share = (some: readonly Judged[], is: (one: Judged) => boolean): string =>
    some.length === 0 ? "-" : `${((100 * some.filter(is).length) / some.length).toFixed(0)} %`;
  report.table(
    "How often the pick is the fastest, or as fast",
    ["cases", "count", "auto", "auto later", ...rules],
    groups.map(([name, some]) => [
      name,
      some.length,
      share(some, (one) => one.correct),
      share(some, (one) => one.correctLater),
      ...rules.map((rule) => share(some, (one) => one.simple[rule] === true)),
    ]),
  );
  const slower = judged.map((one) => (one.middleMs[one.picked] ?? 0) / (one.middleMs[one.fastest] ?? 1) - 1);
  const off = judged.map((one) => Math.abs(one.predictedMs / (one.middleMs[one.picked] ?? 1) - 1));
  report.note(`The pick takes ${(100 * mean(slower)).toFixed(1)} % longer than the fastest, on average.`);
  report.note(`What it predicts is ${(100 * median(off)).toFixed(0)} % off what comes, in the middle.`);
  const right = (some: readonly Judged[]): number => some.filter((one) => one.correct).length / some.length;
  const held = judged.filter((one) => one.heldOut);
  report.limit("share of right picks", right(judged), { atLeast: 0.87, short: 0.3 });
  if (!report.short && held.length > 0) report.limit("share of right picks, held out", right(held), { atLeast: 0.87 });
  const count = (is: (one: Judged) => boolean): number => judged.filter(is).length;
  report.limit(
    "serial collapses",
    count((one) => one.collapse),
    { atMost: 0, short: 1 },
  );
  report.limit(
    "spurious spawns",
    count((one) => one.spurious),
    { atMost: 0, short: 1 },
  );
}
