import { printable } from "../../base/printable.ts";
import type { EventSource, FlowSpec, GroupSpec, TriggerSpec } from "../../engine/trigger.ts";
import type { FiringRow } from "../../store/firings.ts";

/** What a firing is about, for whoever has to say yes to it or is told of it. */
export function describeFiring(
  spec: TriggerSpec,
  { events, cause }: Pick<FiringRow, "events" | "cause">,
): { readonly title: string; readonly detail: string; readonly consequence: string } {
  const what = events.count === 1 ? "" : `${events.count.toLocaleString("en")} times `;
  const title = `${spec.name}: ${describeEffect(spec)}`;
  const paths = events.pathCount === 0 ? "" : `; ${events.pathCount} paths: ${events.paths.slice(0, 8).join(", ")}`;
  return {
    title: printable(title),
    detail: printable(`${what}${describeSource(spec.source)}${paths} (depth ${cause.depth})`),
    consequence: printable(describeEffect(spec)),
  };
}

/** What a trigger does, in words: `runs deploy`. */
export function describeEffect({ workflow, notify, target }: TriggerSpec): string {
  const parts = [
    ...(workflow === undefined ? [] : [`runs ${workflow}${target === undefined ? "" : ` onto ${target}`}`]),
    ...(notify.length === 0 ? [] : [`notifies ${notify.join(", ")}`]),
  ];
  return parts.join(" and ");
}

/** What a trigger waits for, in words: `files src/**`. */
export function describeSource(source: EventSource): string {
  switch (source.type) {
    case "files":
      return `files ${source.globs.join(", ")} ${source.changes.length === 3 ? "changed" : source.changes.join(" or ")}`;
    case "ref":
      return source.kind === "commit"
        ? `commits on ${source.names.join(", ")}`
        : `${source.kind} ${source.names.join(", ")} made, moved or deleted`;
    case "timer":
      return describeTimer(source.when);
    case "webhook":
      return `webhook ${source.hook} (${source.signature})`;
    case "log":
      return `lines of ${source.file} that match ${source.match}`;
    case "task":
      return `task ${source.workflow}.${source.task} ${source.outcomes.join(" or ")}`;
    case "run":
      return `run ${source.workflow} ${source.outcomes.join(" or ")}`;
    case "landing":
      return `work of ${source.workflow} landed or was accepted`;
    default:
      return `event ${source.names.join(", ")}`;
  }
}

function describeTimer(when: Extract<EventSource, { type: "timer" }>["when"]): string {
  if ("cron" in when) return `cron ${when.cron}${when.timeZone === undefined ? "" : ` ${when.timeZone}`}`;
  if ("everyMs" in when) return `every ${inWords(when.everyMs)}`;
  return `at ${new Date(when.atMs).toISOString()}`;
}

/** A trigger's flow control, a line for each part. */
export function describeFlow({ flow, group, idempotencyKey, priority, again }: TriggerSpec): string[] {
  return [
    ...(idempotencyKey === undefined ? [] : [`once in 24 hours for each ${idempotencyKey}`]),
    ...flowLines(flow),
    ...(group === undefined ? [] : [groupLine(group)]),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(again ? ["also on what it has led to itself"] : []),
  ];
}

function flowLines({ rateLimit, debounce, batch, throttle }: FlowSpec): string[] {
  return [
    ...(rateLimit === undefined
      ? []
      : [`at most ${rateLimit.limit} events in ${inWords(rateLimit.perMs)}, more are dropped`]),
    ...(debounce === undefined
      ? []
      : [
          `one firing for events less than ${inWords(debounce.quietMs)} apart (${debounce.edge} edge${debounce.maxMs === undefined ? "" : `, at most ${inWords(debounce.maxMs)}`})`,
        ]),
    ...(batch === undefined ? [] : [`one firing for ${batch.size} events, or those of ${inWords(batch.withinMs)}`]),
    ...(throttle === undefined ? [] : [`at most ${throttle.limit} firings in ${inWords(throttle.perMs)}, more wait`]),
  ];
}

const POLICIES = {
  queue: "the others wait",
  "replace-pending": "only the newest waits",
  "cancel-in-progress": "a newer one cancels what runs",
  skip: "what comes meanwhile is dropped",
} as const;

function groupLine({ name, limit, policy }: GroupSpec): string {
  return `${limit} of ${name} at once: ${POLICIES[policy]}`;
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

function inWords(ms: number): string {
  const [unit, size] = UNITS.find(([, one]) => ms >= one && ms % one === 0) ?? (["ms", 1] as const);
  return `${ms / size}${unit}`;
}
