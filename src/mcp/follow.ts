import { isAnabranchError } from "../base/errors.ts";
import { systemClock } from "../base/clock.ts";
import type { RunView, TaskView } from "../protocol/views.ts";
import { abandoned, type Call } from "./call.ts";

/** A run, or one task of it, that is waited for. */
export interface Awaited {
  readonly run: RunView;
  /** The one task that is meant. */
  readonly task: TaskView | undefined;
}

/** What to wait for, and how long. */
export interface Waiting {
  readonly ids: readonly string[];
  readonly any: boolean;
  readonly timeoutMs: number | undefined;
}

/**
 * Follows runs and tasks until all of them have ended, or the first, or the time is over; tells the client meanwhile.
 * @returns each as it was seen last, in the order of `ids`
 * @throws {AnabranchError} `INTERRUPTED` when the call is given up; `NOT_FOUND` and the like for an id
 */
export async function follow(call: Call, { ids, any, timeoutMs }: Waiting): Promise<Awaited[]> {
  const { anabranch, directory, signal } = call;
  const latest = await Promise.all(ids.map((id) => look(call, id)));
  const enough = new AbortController();
  const isEnough = (): boolean => (any ? latest.some(hasEnded) : latest.every(hasEnded));
  const cancelTimer = timeoutMs === undefined ? () => undefined : systemClock.after(timeoutMs, () => enough.abort());
  const watch = async (id: string, index: number): Promise<void> => {
    for await (const message of anabranch.watch({ id, directory, output: "none" }, either(signal, enough.signal))) {
      if (message.type !== "run") continue;
      latest[index] = focus(message.data, id);
      call.tell(describe(latest));
      if (isEnough()) enough.abort();
      else if (!hasEnded(latest[index])) continue;
      return;
    }
  };
  try {
    if (!isEnough() && timeoutMs !== 0) await Promise.all(ids.map((id, index) => watch(id, index)));
  } catch (cause) {
    if (signal.aborted) throw abandoned();
    if (!enough.signal.aborted || !isAnabranchError(cause) || cause.code !== "INTERRUPTED") throw cause;
  } finally {
    cancelTimer();
    enough.abort();
  }
  if (signal.aborted) throw abandoned();
  // What was thrown away is known once the workspaces are given back, and that is after the end.
  return Promise.all(latest.map(async (one, index) => (hasEnded(one) ? look(call, ids[index] ?? "") : one)));
}

/** Whether what is waited for is over. */
export function hasEnded({ run, task }: Awaited): boolean {
  return (task ?? run).state === "ended";
}

async function look({ anabranch, directory }: Call, id: string): Promise<Awaited> {
  return focus(await anabranch.ask("show", { id, directory }), id);
}

/** `RUN/TASK` means one task, where the run has one of that name. */
function focus(run: RunView, id: string): Awaited {
  const name = id.slice(id.indexOf("/") + 1);
  return { run, task: id.includes("/") ? run.taskList.find((task) => task.name === name) : undefined };
}

function either(one: AbortSignal, other: AbortSignal): AbortSignal {
  return AbortSignal.any([one, other]);
}

/** How far all of them are, in one line. */
function describe(all: readonly Awaited[]): string {
  const tasks = all.flatMap(({ run, task }) => (task === undefined ? run.taskList : [task]));
  const open = tasks.filter((task) => task.state !== "ended");
  const doing = open.slice(0, 4).map((task) => `${task.name} ${task.activity ?? task.state}`);
  const more = open.length > doing.length ? `, and ${open.length - doing.length} more` : "";
  return `${tasks.length - open.length} of ${tasks.length} ended${doing.length === 0 ? "" : `; ${doing.join(", ")}${more}`}`;
}
