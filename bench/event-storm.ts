import type { RunSummary } from "../src/index.ts";

/** One trigger of the storm, how many events it is given, and what must come of them, whatever the time they take. */
export interface StormRow {
  /** The event, the workflow and the trigger are called so. */
  readonly name: string;
  /** Its settings, as they stand in the file. */
  readonly settings: string;
  /** Of 10,000 events in all. */
  readonly events: number;
  /** The runs that must be there after so many events. */
  readonly runs: (events: number) => number;
  /** Counts only runs that succeeded: how many others were begun before is a matter of time. */
  readonly succeeded?: true;
  /** Its runs go on until all events are there. */
  readonly gated?: true;
  /** What must have become of its firings, beside those that ran. */
  readonly others?: (events: number) => Readonly<Record<string, number>>;
}

/** Different values of the field that makes events the same. */
export const IDENTITIES = 25;
/** One event in so many is marked. */
export const MARKED_EVERY = 50;

const always = (runs: number) => () => runs;
const marked = (events: number): number => Math.ceil(events / MARKED_EVERY);

/** 10,000 events, and how many runs must follow. */
export const STORM: readonly StormRow[] = [
  { name: "trailing", settings: "debounce: 5s", events: 1500, runs: always(1) },
  { name: "leading", settings: "debounce: { quiet: 30s, edge: leading }", events: 1500, runs: always(1) },
  { name: "both", settings: "debounce: { quiet: 5s, edge: both }", events: 1500, runs: always(2) },
  {
    name: "batch",
    settings: "batch: { size: 100, within: 1h }",
    events: 1200,
    runs: (events) => Math.floor(events / 100),
  },
  { name: "limited", settings: "rateLimit: { limit: 5, per: 1h }", events: 1000, runs: always(5) },
  {
    name: "throttled",
    settings: "throttle: { limit: 3, per: 1h }",
    events: 200,
    runs: always(3),
    others: (events) => ({ held: events - 3 }),
  },
  { name: "once", settings: "idempotencyKey: id", events: 1000, runs: always(IDENTITIES) },
  { name: "marked", settings: "where: { mark: 'yes' }", events: 1000, runs: marked },
  { name: "queued", settings: "concurrency: { policy: queue }, where: { mark: 'yes' }", events: 500, runs: marked },
  {
    name: "replaced",
    settings: "concurrency: { policy: replace-pending }",
    events: 200,
    runs: always(2),
    gated: true,
    others: (events) => ({ replaced: events - 2 }),
  },
  {
    name: "cancelled",
    settings: "concurrency: { policy: cancel-in-progress }, where: { mark: 'yes' }",
    events: 200,
    runs: always(1),
    gated: true,
    succeeded: true,
  },
  {
    name: "single",
    settings: "singleton: true",
    events: 200,
    runs: always(1),
    gated: true,
    others: (events) => ({ dropped: events - 1 }),
  },
];

/** The file of the repository in which all of this happens. */
export function stormFile(gate: string): string {
  const work = (gated: boolean): string => (gated ? `while [ ! -e ${gate} ]; do sleep 0.05; done` : "true");
  return [
    "workflows:",
    ...STORM.map(
      ({ name, gated }) => `  ${name}: { tasks: { work: { run: "${work(gated === true)}", writes: none } } }`,
    ),
    "triggers:",
    ...STORM.map(({ name, settings }) => `  - { on: { event: ${name} }, run: ${name}, ${settings} }`),
    "",
  ].join("\n");
}

/** How many of the runs of a row count. */
export function counted({ name, succeeded }: StormRow, runs: readonly RunSummary[]): number {
  return runs.filter((run) => run.name === name && (succeeded !== true || run.outcome === "succeeded")).length;
}
