/**
 * How the events of one trigger become firings: rate limit → debounce or batch → throttle. The semantics stand as tables
 * in `docs/events.md`, which tests read.
 *
 * State       Meaning                                                   Next
 * idle        nothing is gathered                                        gathering, burst
 * gathering   events wait for quiet, for more of them, or for the most   idle, burst
 * burst       a leading edge has fired and it is not quiet yet           idle, gathering
 *
 * Beside that, firings may be held by the throttle; the caller keeps them, the oldest goes first.
 *
 * Invariants:
 * 1. Every event is in exactly one firing, dropped with a reason, or gathered.
 * 2. The state is plain JSON and stays small, however many events come.
 * 3. Time does not go back inside. When the clock is set back, everything moves with it: no deadline is later than the
 *    longest time of its own settings.
 * 4. Events are grouped by when they happened. A `due` that comes early, late or twice changes no group.
 * 5. The throttle counts when firings are let go: after a long absence they do not go all at once.
 */
import { gather, type FlowEvent, type Gathering } from "./gathering.ts";
import { freeAtMs, movedTally, roomAt, tallied, type Tally } from "./tally.ts";
import type { FlowSpec } from "./trigger.ts";

/** Where the flow of a trigger stands. */
export interface FlowState {
  /** The latest time it was told. */
  readonly clockMs: number;
  /** When the latest event happened, or the latest deadline was kept. */
  readonly eventMs: number;
  /** What has passed the rate limit. */
  readonly passed: Tally;
  readonly gathered: (Gathering & { readonly sinceMs: number; readonly latestMs: number }) | undefined;
  /** When the latest event of a burst happened whose leading edge has fired. */
  readonly burstMs: number | undefined;
  /** What the throttle has let go. */
  readonly started: Tally;
  /** How many firings the throttle holds. */
  readonly held: number;
}

/** Events that have become one firing. */
export interface FlowFiring extends Gathering {
  /** Whether the throttle holds it, until a later step lets it go. */
  readonly held: boolean;
}

/** What happens to a flow: an event, or the time that it asked to be told. */
export type FlowInput =
  | { readonly type: "event"; readonly event: FlowEvent; readonly atMs: number }
  | { readonly type: "due"; readonly atMs: number };

/** An event that leads to no firing. `rate-limit`: there were too many; `quiet`: the leading edge of its burst has fired. */
interface DroppedEvent {
  readonly seq: number;
  readonly why: "rate-limit" | "quiet";
}

/** What a step leads to. */
export interface FlowStep {
  readonly state: FlowState;
  readonly firings: readonly FlowFiring[];
  /** How many of the firings held before go now, the oldest first. */
  readonly released: number;
  readonly dropped: readonly DroppedEvent[];
  /** When it wants to be told that it is due. */
  readonly dueMs: number | undefined;
}

/** The flow of a trigger that has seen nothing yet. */
export function initialFlow(): FlowState {
  return { clockMs: 0, eventMs: 0, passed: [], gathered: undefined, burstMs: undefined, started: [], held: 0 };
}

/**
 * Takes a flow one step further. Events that are there are given before a `due` of the same time.
 *
 * @example
 * const { state, firings, dueMs } = stepFlow(spec.flow, before, { type: "event", event, atMs: clock.wallMs() });
 */
export function stepFlow(spec: FlowSpec, before: FlowState, input: FlowInput): FlowStep {
  const draft: Draft = { state: { ...atClock(before, input.atMs) }, fired: [], dropped: [] };
  if (input.type === "due") keepDeadlines(spec, draft, input.atMs);
  else takeEvent(spec, draft, input.event, input.atMs);
  const { firings, released } = letGo(spec, draft, input.atMs);
  return { state: draft.state, firings, released, dropped: draft.dropped, dueMs: dueOf(spec, draft.state) };
}

interface Draft {
  readonly state: { -readonly [Key in keyof FlowState]: FlowState[Key] };
  readonly fired: Gathering[];
  readonly dropped: DroppedEvent[];
}

function atClock(state: FlowState, clockMs: number): FlowState {
  if (clockMs >= state.clockMs) return { ...state, clockMs };
  const byMs = clockMs - state.clockMs;
  const { gathered, burstMs } = state;
  return {
    clockMs,
    eventMs: state.eventMs + byMs,
    passed: movedTally(state.passed, byMs),
    gathered: gathered && { ...gathered, sinceMs: gathered.sinceMs + byMs, latestMs: gathered.latestMs + byMs },
    burstMs: burstMs === undefined ? undefined : burstMs + byMs,
    started: movedTally(state.started, byMs),
    held: state.held,
  };
}

function keepDeadlines(spec: FlowSpec, { state, fired }: Draft, untilMs: number): void {
  const deadlineMs = deadlineOf(spec, state);
  if (state.gathered !== undefined && deadlineMs !== undefined && deadlineMs <= untilMs) {
    fired.push(bare(state.gathered));
    state.gathered = undefined;
    state.eventMs = Math.max(state.eventMs, deadlineMs);
  }
  const quietMs = spec.debounce?.quietMs ?? 0;
  if (state.burstMs !== undefined && state.burstMs + quietMs <= untilMs) state.burstMs = undefined;
}

function deadlineOf({ debounce, batch }: FlowSpec, { gathered }: FlowState): number | undefined {
  if (gathered === undefined) return undefined;
  const { sinceMs, latestMs } = gathered;
  if (debounce !== undefined) return Math.min(latestMs + debounce.quietMs, sinceMs + (debounce.maxMs ?? Infinity));
  // What was gathered under settings that are gone waits no longer.
  return batch === undefined ? sinceMs : sinceMs + batch.withinMs;
}

function takeEvent(spec: FlowSpec, draft: Draft, event: FlowEvent, nowMs: number): void {
  const { state } = draft;
  const atMs = Math.min(nowMs, Math.max(state.eventMs, event.atMs));
  keepDeadlines(spec, draft, atMs);
  state.eventMs = atMs;
  if (!passes(spec, state, atMs)) draft.dropped.push({ seq: event.seq, why: "rate-limit" });
  else if (spec.debounce !== undefined) debounce(spec.debounce, draft, event, atMs);
  else if (spec.batch !== undefined) batch(spec.batch, draft, event, atMs);
  else draft.fired.push(gather(undefined, event));
}

function passes({ rateLimit }: FlowSpec, state: Draft["state"], atMs: number): boolean {
  if (rateLimit === undefined) return true;
  if (roomAt(state.passed, rateLimit, atMs) === 0) return false;
  state.passed = tallied(state.passed, rateLimit, atMs, 1);
  return true;
}

function debounce({ edge }: NonNullable<FlowSpec["debounce"]>, draft: Draft, event: FlowEvent, atMs: number): void {
  const { state, fired, dropped } = draft;
  const inBurst = state.burstMs !== undefined;
  if (edge !== "trailing") state.burstMs = atMs;
  if (edge !== "trailing" && !inBurst) fired.push(gather(undefined, event));
  else if (edge === "leading") dropped.push({ seq: event.seq, why: "quiet" });
  else addTo(state, event, atMs);
}

function batch(
  { size }: NonNullable<FlowSpec["batch"]>,
  { state, fired }: Draft,
  event: FlowEvent,
  atMs: number,
): void {
  const gathered = addTo(state, event, atMs);
  if (gathered.count < size) return;
  fired.push(bare(gathered));
  state.gathered = undefined;
}

function addTo(state: Draft["state"], event: FlowEvent, atMs: number): NonNullable<FlowState["gathered"]> {
  const before = state.gathered;
  const gathered = { ...gather(before, event), sinceMs: before?.sinceMs ?? atMs, latestMs: atMs };
  state.gathered = gathered;
  return gathered;
}

function bare({ sinceMs: _since, latestMs: _latest, ...gathering }: NonNullable<FlowState["gathered"]>): Gathering {
  return gathering;
}

function letGo({ throttle }: FlowSpec, { state, fired }: Draft, nowMs: number): Pick<FlowStep, "firings" | "released"> {
  const waiting = state.held + fired.length;
  const going = throttle === undefined ? waiting : Math.min(waiting, roomAt(state.started, throttle, nowMs));
  const released = Math.min(state.held, going);
  if (throttle === undefined) state.started = [];
  else if (going > 0) state.started = tallied(state.started, throttle, nowMs, going);
  state.held = waiting - going;
  return { firings: fired.map((firing, index) => ({ ...firing, held: index >= going - released })), released };
}

function dueOf(spec: FlowSpec, state: FlowState): number | undefined {
  const deadlineMs = deadlineOf(spec, state);
  const { throttle } = spec;
  if (state.held === 0 || throttle === undefined) return deadlineMs;
  return Math.min(deadlineMs ?? Infinity, freeAtMs(state.started, throttle, state.clockMs));
}
