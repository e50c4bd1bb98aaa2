/**
 * B7, the part that is only decisions: storms of 10,000 events against the counts that `docs/events.md` states, loops
 * against the depth of their chain, and what 10,000 triggers cost. The clock is only counted.
 */
import { causeOfFiring, DEFAULT_DEPTH, stopOf, type Cause } from "../src/engine/cause.ts";
import { matchEvent } from "../src/engine/event-match.ts";
import { TriggerIndex, type IndexedTrigger } from "../src/engine/trigger-index.ts";
import { EVENT_TYPES, type TriggerEvent } from "../src/engine/trigger.ts";
import { parseRepositoryFile } from "../src/workflows/file.ts";
import { compileTriggers } from "../src/workflows/triggers.ts";
import { rowsOf, stormTimes, triggerWith } from "../test/fixtures/event-tables.ts";
import { playFlow } from "../test/fixtures/flow-play.ts";
import { workOf } from "../test/fixtures/work.ts";
import type { Bench } from "./bench.ts";
import type { Report } from "./report.ts";

export const eventFlow: Bench = {
  name: "event-flow",
  about: "B7, decisions alone: storms of events against the counts that are stated, loops, 10,000 triggers",
  async run(report) {
    await playStorms(report);
    followLoops(report);
    await readManyTriggers(report);
  },
};

async function playStorms(report: Report): Promise<void> {
  const rows: (string | number)[][] = [];
  let [wrong, slowestUs] = [0, 0];
  for (const [settings = "", storm = "", ...stated] of rowsOf("storms")) {
    const { flow } = await triggerWith(settings);
    let counts: number[] = [];
    const tookMs = workOf(() => {
      const { firings, dropped } = playFlow(flow, stormTimes(storm));
      const events = firings.reduce((sum, { count }) => sum + count, 0);
      counts = [firings.length, events, dropped.length, firings.at(-1)?.atMs ?? 0];
    });
    const eventUs = tookMs / 10;
    if (counts.map(String).join() !== stated.join()) wrong += 1;
    slowestUs = Math.max(slowestUs, eventUs);
    rows.push([settings.replaceAll("`", ""), storm, ...counts, stated.join(" "), Math.round(eventUs)]);
  }
  const columns = ["settings", "storm", "firings", "events", "dropped", "last at ms", "stated", "µs an event"];
  report.table("10,000 events each", columns, rows);
  report.limit("rows of storms", rows.length, { atLeast: 15 });
  report.limit("storms with other counts than stated", wrong, { atMost: 0 });
  report.limit("µs an event, slowest", slowestUs, { atMost: 1000 });
}

const LOOPS: readonly {
  readonly name: string;
  readonly again: boolean;
  readonly ring: number;
  readonly fires: number;
}[] = [
  { name: "A → A", again: false, ring: 1, fires: 1 },
  { name: "A → B → A", again: false, ring: 2, fires: 2 },
  { name: "A → B → C → A", again: false, ring: 3, fires: 3 },
  { name: "A → A, again", again: true, ring: 1, fires: DEFAULT_DEPTH },
  { name: "A → B → A, again", again: true, ring: 2, fires: DEFAULT_DEPTH },
  { name: "1,000 in a ring", again: false, ring: 1000, fires: DEFAULT_DEPTH },
];

function followLoops(report: Report): void {
  const reached = LOOPS.map(({ again, ring }) => {
    let cause: Cause | undefined;
    let fired = 0;
    while (fired < 10_000 && stopOf(`r/t${fired % ring}`, cause, again, DEFAULT_DEPTH) === undefined) {
      cause = causeOfFiring(`r/t${fired % ring}`, [cause], () => "chain");
      fired += 1;
    }
    return fired;
  });
  const rows = LOOPS.map(({ name, fires }, index) => [name, reached[index] ?? 0, fires]);
  report.table("loops", ["loop", "fires", "stated"], rows);
  report.limit("loops that end elsewhere", LOOPS.filter(({ fires }, index) => fires !== reached[index]).length, {
    atMost: 0,
  });
}

const MANY = 10_000;

async function readManyTriggers(report: Report): Promise<void> {
  const written = Array.from(
    { length: MANY },
    (_, index) => `  - { on: { files: "packages/p${index}/**/*.ts" }, debounce: 500ms, run: w }`,
  );
  const text = `workflows: { w: { tasks: { t: { run: "true" } } } }\ntriggers:\n${written.join("\n")}\n`;
  const before = process.cpuUsage();
  const file = await parseRepositoryFile(text, "anabranch.yaml");
  const readMs = process.cpuUsage(before).user / 1000;
  const index = new TriggerIndex<IndexedTrigger>();
  const settleMs = workOf(() => {
    const { triggers } = compileTriggers(file, "anabranch.yaml");
    index.set(
      "r",
      triggers.map((spec) => ({ id: spec.name, spec })),
    );
  });
  const paths = Array.from({ length: 1000 }, (_, place) => ({
    path: `packages/p${place}/src/a.ts`,
    change: "changed",
  }));
  const oneMs = workOf(() => matches(index, { paths: paths.slice(0, 1), count: 1 }));
  const bulkMs = workOf(() => matches(index, { paths, count: paths.length }));
  const columns = ["read", "settled and indexed", "one change matched", "1,000 changes matched"];
  report.table("10,000 triggers, ms", columns, [
    [readMs, settleMs, oneMs, bulkMs].map((ms) => Math.round(ms * 10) / 10),
  ]);
  report.limit("10,000 triggers settled, ms", settleMs, { atMost: 2000 });
  report.limit("one change matched with them, ms", oneMs, { atMost: 20 });
  report.limit("1,000 changes matched with them, ms", bulkMs, { atMost: 2000 });
}

function matches(index: TriggerIndex<IndexedTrigger>, data: TriggerEvent["data"]): number {
  const { files } = EVENT_TYPES;
  const event = { seq: 1, atMs: 0, type: files, repositoryId: "r", run: undefined, task: undefined, data };
  return index.candidates(event).filter(({ id, spec }) => matchEvent(spec, id, event).matches).length;
}
