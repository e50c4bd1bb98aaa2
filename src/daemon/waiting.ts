import type { Queued } from "../engine/scheduler.ts";
import { taskKey, type LiveRun, type LiveTask } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** What a task waits for, in a few words; `undefined` where it does not wait. */
export function waitsFor(
  parts: Pick<Parts, "scheduler" | "hold" | "clock" | "notices">,
  run: LiveRun,
  task: LiveTask,
): string | undefined {
  const { row, spec, activity } = task;
  const [notice] = row.state === "ended" ? [] : parts.notices.open(row.run, row.name);
  if (notice !== undefined) return `needs you: ${notice.record.title}`;
  if (row.state === "waiting") {
    const before = [...spec.needs, ...spec.after];
    const open = before.filter((name) => run.tasks.get(name)?.row.state !== "ended");
    return open.length === 0 ? undefined : `waits for ${open.join(", ")}`;
  }
  if (row.state === "landing") return activity ?? "waits for its place on the lane";
  if (row.state !== "ready") return undefined;
  const queued = parts.scheduler.whyQueued(taskKey(row.run, row.name));
  if (queued?.type === "delayed") {
    const seconds = Math.max(0, Math.ceil((queued.untilMs - parts.clock.monotonicMs()) / 1000));
    return `tries again in ${seconds} s: ${row.reason?.message ?? "its last attempt failed"}`;
  }
  return activity ?? parts.hold.why ?? (queued === undefined ? undefined : describe(queued, parts.clock.monotonicMs()));
}

function describe(queued: Exclude<Queued, { type: "delayed" }>, nowMs: number): string {
  if (queued.type === "total") return `waits for a place: ${queued.capacity} tasks are at work`;
  const name = nameOf(queued.limit);
  if (queued.type === "limit") return `waits for a place: ${name} has ${queued.capacity} at work`;
  return `waits ${Math.max(0, Math.ceil((queued.untilMs - nowMs) / 1000))} s: ${name} starts no more in a minute`;
}

// A limit's name begins with what it is of.
function nameOf(limit: string): string {
  const [what, ...rest] = limit.split(":");
  switch (what) {
    case "kind":
      return `the kind ${rest.join(":")}`;
    case "resource":
      return rest.slice(1).join(":");
    case "lock":
      return "a task that it must not meet";
    case "run":
      return "the run";
    default:
      return "the repository";
  }
}
