import type { EventView } from "../src/index.ts";
import type { Kill } from "./chaos.ts";
import type { PlannedRun, StormPlan } from "./delivery-plan.ts";

/** What was seen of one storm. */
export interface StormRecord {
  readonly plan: StormPlan;
  /** What parents and children wrote down themselves. */
  readonly ledger: readonly string[];
  readonly events: readonly EventView[];
  readonly kills: readonly Kill[];
}

/** What the record of a storm proves; every list of strings should be empty. */
export interface StormVerdict {
  /** Tasks that were started below the parents. */
  readonly children: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Tasks or runs with no outcome, or with several. */
  readonly notOnce: readonly string[];
  /** Work that was asked for once and started twice, or never. */
  readonly notStartedOnce: readonly string[];
  /** Attempts whose command ran more than once. */
  readonly ranTwice: readonly string[];
  /** Tasks of which nobody was killed and that did not end as planned. */
  readonly strayed: readonly string[];
  /** Outcomes that a waiting parent was told wrongly. */
  readonly misheard: readonly string[];
  /** Outcomes of runs and detached tasks that reached nobody, the wrong one, or arrived as if they were two. */
  readonly misdelivered: readonly string[];
  /** How many were told to whoever started them, to somebody further up, and once more because it was killed. */
  readonly told: { readonly starters: number; readonly others: number; readonly repeated: number };
}

/** Holds what happened against what must have happened. */
export function checkStorm(record: StormRecord): StormVerdict {
  const ends = endsOf(record.events);
  const ledger = readLedger(record.ledger);
  const parentRuns = new Set(ledger.parentRuns);
  const deliveries = checkDeliveries(record, ends, ledger);
  const below = [...ends.tasks].filter(([name]) => !parentRuns.has(name.split("/")[0] ?? ""));
  const outcomes: Record<string, number> = {};
  for (const [, [outcome = "none"]] of below) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    children: below.length,
    outcomes,
    notOnce: [...ends.tasks, ...ends.runs].flatMap(([name, all]) =>
      all.length === 1 ? [] : [`${name}: ${all.length}`],
    ),
    notStartedOnce: [...misstarted(record, ends, ledger)],
    ranTwice: [...count(ledger.ran)].flatMap(([attempt, times]) => (times > 1 ? [`${attempt}: ${times}`] : [])),
    strayed: strayed(record, ends, ledger),
    misheard: ledger.heard.flatMap(({ run, outcome }) =>
      ends.runs.get(run)?.[0] === outcome ? [] : [`${run}: ${outcome}, was ${ends.runs.get(run)?.[0]}`],
    ),
    ...deliveries,
  };
}

/** Outcomes by `RUN/TASK` and by run; empty where something was begun and never ended. */
interface Ends {
  readonly tasks: ReadonlyMap<string, readonly string[]>;
  readonly runs: ReadonlyMap<string, readonly string[]>;
}

function endsOf(events: readonly EventView[]): Ends {
  const tasks = new Map<string, string[]>();
  const runs = new Map<string, string[]>();
  for (const { type, run, task, data } of events) {
    if (run === undefined) continue;
    const [map, name] = task === undefined ? [runs, run] : [tasks, `${run}/${task}`];
    const known = map.get(name) ?? [];
    map.set(name, known);
    if (type === "task.ended" || type === "run.ended") known.push(String(data["outcome"]));
  }
  return { tasks, runs };
}

interface Ledger {
  /** By the name it was asked for: every run that was started so. */
  readonly started: ReadonlyMap<string, ReadonlySet<string>>;
  readonly parentRuns: readonly string[];
  /** `RUN/TASK ATTEMPT`, once for each time its command ran. */
  readonly ran: readonly string[];
  readonly heard: readonly { readonly run: string; readonly outcome: string }[];
  readonly told: readonly Told[];
}

/** One time that somebody was told an outcome. */
interface Told {
  readonly addressee: string;
  readonly entry: string;
  /** A run, or `RUN/TASK`. */
  readonly of: string;
  readonly outcome: string;
}

function readLedger(lines: readonly string[]): Ledger {
  const started = new Map<string, Set<string>>();
  const [parentRuns, ran, heard, told]: [string[], string[], Ledger["heard"][number][], Told[]] = [[], [], [], []];
  for (const line of lines) {
    const [word, first = "", second = "", third = "", fourth = "", outcome = ""] = line.split(" ");
    if (word === "started" || word === "parent-started")
      started.set(first, (started.get(first) ?? new Set()).add(second));
    if (word === "parent-started") parentRuns.push(second);
    if (word === "ran") ran.push(`${first} ${second}`);
    if (word === "heard") heard.push({ run: second, outcome: third });
    if (word !== "told") continue;
    told.push({ addressee: first, entry: second, of: fourth === "-" ? third : `${third}/${fourth}`, outcome });
  }
  return { started, parentRuns, ran, heard, told };
}

function* misstarted({ plan }: StormRecord, ends: Ends, { started }: Ledger): Generator<string> {
  for (const [key, ids] of started) if (ids.size > 1) yield `${key}: ${ids.size} runs`;
  for (const [key, ids] of started) for (const id of ids) if (!ends.runs.has(id)) yield `${key}: ${id} is not there`;
  const runs = [...plan.parents, ...plan.children].filter(({ tasks }) => "parent" in tasks);
  for (const parent of runs) {
    const [id = ""] = started.get(parent.key) ?? [];
    if (ends.tasks.get(`${id}/parent`)?.[0] !== "succeeded") continue;
    for (const { key } of parent.starts ?? []) if (!started.has(key)) yield `${key}: never started`;
  }
  if (ends.runs.size > plan.parents.length + plan.children.length) yield `${ends.runs.size} runs`;
}

function strayed({ plan, kills }: StormRecord, ends: Ends, { started }: Ledger): string[] {
  const hurt = new Set(kills.flatMap(({ task }) => task ?? []));
  return [...plan.parents, ...plan.children].flatMap(({ key, outcomes }: PlannedRun) =>
    [...(started.get(key) ?? [])].flatMap((run) =>
      Object.entries(outcomes).flatMap(([task, planned]) => {
        const [outcome] = ends.tasks.get(`${run}/${task}`) ?? [];
        return outcome === planned || hurt.has(`${run}/${task}`) ? [] : [`${run}/${task}: ${outcome}, not ${planned}`];
      }),
    ),
  );
}

/** Every run's end, and that of every detached task, must have been told: under one id, to its starter or further up. */
function checkDeliveries(
  { plan }: StormRecord,
  ends: Ends,
  { told, started }: Ledger,
): Pick<StormVerdict, "misdelivered" | "told"> {
  const starters = startersOf(plan, started);
  const byOutcome = new Map<string, Told[]>();
  for (const one of told) byOutcome.set(one.of, [...(byOutcome.get(one.of) ?? []), one]);
  const misdelivered: string[] = [];
  const counts = { starters: 0, others: 0, repeated: 0 };
  for (const [of, [outcome]] of [...ends.runs, ...[...ends.tasks].filter(([name]) => name.includes("/beside-"))]) {
    const all = byOutcome.get(of) ?? [];
    byOutcome.delete(of);
    const entries = new Set(all.map(({ entry }) => entry));
    const wrong = all.filter((one) => one.outcome !== outcome);
    const starter = starters.get(of.split("/")[0] ?? "");
    const strangers = all.filter(({ addressee }) => addressee !== "person" && !isAbove(addressee, starter, starters));
    if (entries.size !== 1) misdelivered.push(`${of}: told ${entries.size} times`);
    for (const one of wrong) misdelivered.push(`${of}: ${one.outcome}, was ${outcome}`);
    for (const { addressee } of strangers) misdelivered.push(`${of}: told to ${addressee}, not ${starter ?? "person"}`);
    if (all.some(({ addressee }) => addressee === (starter ?? "person"))) counts.starters += 1;
    else counts.others += 1;
    if (all.length > 1) counts.repeated += 1;
  }
  return { misdelivered: [...misdelivered, ...[...byOutcome.keys()].map((of) => `${of}: never ended`)], told: counts };
}

/** By run: the task that started it, as it is addressed. */
function startersOf(plan: StormPlan, started: Ledger["started"]): Map<string, string> {
  const runOf = (key: string): string => [...(started.get(key) ?? [])][0] ?? "";
  return new Map(
    [...plan.parents, ...plan.children].flatMap(({ key, starts = [] }) =>
      starts.map((child) => [runOf(child.key), `task:${runOf(key)}/parent`] as const),
    ),
  );
}

function isAbove(addressee: string, starter: string | undefined, starters: ReadonlyMap<string, string>): boolean {
  if (starter === undefined) return false;
  return addressee === starter || isAbove(addressee, starters.get(starter.slice(5).split("/")[0] ?? ""), starters);
}

function count(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/** How long it took from each kill of a task's processes until that showed in the task, while a daemon was there. */
export function noticedMs({ events, kills }: StormRecord): number[] {
  const daemons = kills.filter(({ what }) => what === "daemon");
  const byTask = new Map<string, EventView[]>();
  for (const event of events) {
    if (!SHOWN.has(event.type)) continue;
    const name = `${event.run}/${event.task}`;
    byTask.set(name, [...(byTask.get(name) ?? []), event]);
  }
  return kills.flatMap(({ task, atMs }) => {
    const shown = byTask.get(task ?? "")?.find((event) => event.atMs >= Math.floor(atMs));
    if (shown === undefined) return [];
    const disturbed = daemons.some((kill) => kill.atMs > atMs - RESTART_MS && kill.atMs < shown.atMs);
    return disturbed ? [] : [shown.atMs - atMs];
  });
}

const SHOWN: ReadonlySet<string> = new Set(["task.ended", "task.retrying", "task.captured", "task.landing"]);
const RESTART_MS = 2000;
