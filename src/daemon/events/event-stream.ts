import { pause } from "../../base/clock.ts";
import { pathInScope } from "../../engine/scope.ts";
import { findRepository } from "../../git/repository.ts";
import type { StreamRequest } from "../../protocol/commands.ts";
import type { EventView } from "../../protocol/views.ts";
import { loadEvents, loadSeqBefore, type EventRow } from "../../store/events.ts";
import { placeInside } from "../inside-workspace.ts";
import type { Parts } from "../parts.ts";
import { resolveId } from "../resolve.ts";
import type { Send } from "../streams.ts";
import { requireRepository } from "../submission.ts";
import { Wakeup } from "../wakeup.ts";
import { loadRemovedSeq } from "./retention.ts";

const EVENTS_AT_ONCE = 500;

/** Sends events as they are committed, in that order. */
export async function streamEvents(
  parts: Parts,
  request: StreamRequest<"events">,
  send: Send<"events">,
  signal: AbortSignal,
): Promise<void> {
  const filter = await settleFilter(parts, request);
  const wakeup = new Wakeup();
  const stop = parts.events.onNew(() => wakeup.wake());
  signal.addEventListener("abort", () => wakeup.wake());
  try {
    let afterSeq = await beginAfter(parts, request, send);
    const sendAll = async (events: readonly EventRow[]): Promise<void> => {
      for (const event of events) {
        afterSeq = event.seq;
        if (isWanted(event, filter)) await send({ type: "event", data: viewEvent(event) }, event.seq);
      }
    };
    if (filter.run !== undefined) afterSeq = await sendPast(parts, filter.run, afterSeq, sendAll, signal);
    while (!signal.aborted) {
      const asleep = wakeup.next();
      const events = await parts.events.read(afterSeq, EVENTS_AT_ONCE);
      await sendAll(events);
      // A long past that nobody wants holds up nobody else.
      if (events.length === EVENTS_AT_ONCE) await pause(parts.clock, 0, signal);
      if (events.length > 0) continue;
      if (request.follow !== true) return;
      await asleep;
    }
  } finally {
    stop();
  }
}

interface EventFilter {
  readonly run: string | undefined;
  readonly repositoryId: string | undefined;
  readonly types: readonly string[] | undefined;
}

async function settleFilter(parts: Parts, request: StreamRequest<"events">): Promise<EventFilter> {
  const { directory, types } = request;
  const run = request.run === undefined ? undefined : (await resolveId(parts, request.run, directory)).run.row.id;
  const repositoryId =
    request.here === true && directory !== undefined && run === undefined
      ? await repositoryOf(parts, directory)
      : undefined;
  return { run, repositoryId, types };
}

/** The repository that a folder belongs to, also one of our workspaces; where none is known yet, it is from now on. */
export async function repositoryOf(parts: Parts, directory: string): Promise<string> {
  const inside = await placeInside(parts, directory);
  if (inside !== undefined) return inside.repository.id;
  return (await requireRepository(parts, await findRepository(parts.git, directory))).id;
}

function isWanted(event: EventRow, { run, repositoryId, types }: EventFilter): boolean {
  if (run !== undefined && event.run !== run) return false;
  if (repositoryId !== undefined && event.repositoryId !== repositoryId) return false;
  return types === undefined || pathInScope(event.type, types);
}

/** Where the stream begins; says so where some of what was asked for is gone. */
async function beginAfter(parts: Parts, request: StreamRequest<"events">, send: Send<"events">): Promise<number> {
  const { afterSeq = 0, sinceMs } = request;
  if (sinceMs !== undefined) return Math.max(afterSeq, await loadSeqBefore(parts.store, sinceMs));
  const removedSeq = await loadRemovedSeq(parts.store);
  if (afterSeq > 0 && afterSeq < removedSeq) await send({ type: "reset", data: { oldestSeq: removedSeq + 1 } });
  return afterSeq;
}

/** Sends what is kept of one run by now, and resolves with the number from which on nothing has been looked at. */
async function sendPast(
  parts: Parts,
  run: string,
  afterSeq: number,
  sendAll: (events: readonly EventRow[]) => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  let reachedSeq = Math.max(afterSeq, await parts.events.newest());
  for (let seq = afterSeq; !signal.aborted;) {
    const events = await loadEvents(parts.store, { afterSeq: seq, run, limit: EVENTS_AT_ONCE });
    await sendAll(events);
    const last = events.at(-1);
    if (last === undefined) break;
    seq = last.seq;
    reachedSeq = Math.max(reachedSeq, seq);
  }
  return reachedSeq;
}

const views = new WeakMap<EventRow, EventView>();

// All that follow are sent the same.
function viewEvent(event: EventRow): EventView {
  const known = views.get(event) ?? makeView(event);
  views.set(event, known);
  return known;
}

function makeView({ seq, atMs, type, run, task, repositoryId, cause, data }: EventRow): EventView {
  return {
    seq,
    atMs,
    type,
    ...(run === undefined ? {} : { run }),
    ...(task === undefined ? {} : { task }),
    ...(repositoryId === undefined ? {} : { repositoryId }),
    ...(cause === undefined ? {} : { cause: { ...cause, triggers: [...cause.triggers] } }),
    data: { ...data },
  };
}
