import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Cause } from "../../../src/engine/cause.ts";
import { initialFlow, stepFlow, type FlowInput, type FlowState } from "../../../src/engine/flow.ts";
import type { FlowSpec } from "../../../src/engine/trigger.ts";
import { playFlow } from "../../fixtures/flow-play.ts";

const NOTHING: FlowSpec = { rateLimit: undefined, debounce: undefined, batch: undefined, throttle: undefined };
const ms = fc.integer({ min: 1, max: 100 });
const limit = fc.record({ limit: fc.integer({ min: 1, max: 5 }), perMs: ms });
const debounce = fc
  .record({ quietMs: ms, moreMs: fc.option(ms, { nil: undefined }), edge: fc.constantFrom("trailing", "both") })
  .map(({ quietMs, moreMs, edge }) => ({ quietMs, maxMs: moreMs === undefined ? undefined : quietMs + moreMs, edge }));
const leading = ms.map((quietMs) => ({ quietMs, maxMs: undefined, edge: "leading" as const }));
const batch = fc.record({ size: fc.integer({ min: 2, max: 6 }), withinMs: ms });
const spec: fc.Arbitrary<FlowSpec> = fc
  .record({
    rateLimit: fc.option(limit, { nil: undefined }),
    gathering: fc.oneof(
      fc.constant({ debounce: undefined, batch: undefined }),
      fc.oneof(debounce, leading).map((value) => ({ debounce: value, batch: undefined })),
      batch.map((value) => ({ debounce: undefined, batch: value })),
    ),
    throttle: fc.option(limit, { nil: undefined }),
  })
  .map(({ rateLimit, gathering, throttle }) => ({ rateLimit, ...gathering, throttle }));
const times = fc
  .array(fc.integer({ min: 0, max: 60 }), { maxLength: 60 })
  .map((gaps) => gaps.map((_, index) => gaps.slice(0, index + 1).reduce((sum, gap) => sum + gap, 1000)));

const event = (seq: number, atMs: number, nowMs = atMs, cause?: Cause): FlowInput => ({
  type: "event",
  event: { seq, atMs, cause },
  atMs: nowMs,
});
const longestMs = ({ rateLimit, debounce, batch, throttle }: FlowSpec): number =>
  Math.max(
    0,
    rateLimit?.perMs ?? 0,
    debounce?.maxMs ?? debounce?.quietMs ?? 0,
    batch?.withinMs ?? 0,
    throttle?.perMs ?? 0,
  );

describe("a flow of events", () => {
  it("puts every event into exactly one firing, or drops it", () => {
    fc.assert(
      fc.property(spec, times, (flow, atMs) => {
        const { firings, dropped } = playFlow(flow, atMs);
        const seen = [...firings.flatMap(({ seqs }) => seqs), ...dropped].toSorted((a, b) => a - b);
        expect(seen).toEqual(atMs.map((_, seq) => seq));
        expect(firings.every(({ count, seqs }) => count === seqs.length)).toBe(true);
      }),
    );
  });

  it("goes on from what was written down at any moment", () => {
    fc.assert(
      fc.property(spec, times, (flow, atMs) => {
        const read = (state: FlowState): FlowState => JSON.parse(JSON.stringify(state)) as FlowState;
        expect(playFlow(flow, atMs, read).firings).toEqual(playFlow(flow, atMs).firings);
      }),
    );
  });

  it("groups events by when they happened, however late or often it is told that it is due", () => {
    fc.assert(
      fc.property(spec, times, fc.array(fc.integer({ min: 0, max: 40 })), (settings, atMs, lags) => {
        const flow = { ...settings, throttle: undefined };
        const inTime = playFlow(flow, atMs).firings.map(({ seqs }) => seqs);
        // All events are read late, and nobody says that anything is due until the end.
        let [state, nowMs] = [initialFlow(), (atMs.at(-1) ?? 0) + 5000];
        const late: (readonly number[])[] = [];
        for (const [seq, happenedMs] of atMs.entries()) {
          nowMs += lags[seq] ?? 0;
          const step = stepFlow(flow, state, event(seq, happenedMs, nowMs));
          late.push(...step.firings.map(({ seqs }) => seqs));
          ({ state } = step);
        }
        const last = stepFlow(flow, state, { type: "due", atMs: 100_000 });
        late.push(...last.firings.map(({ seqs }) => seqs));
        expect(late).toEqual(inTime);
        expect(stepFlow(flow, last.state, { type: "due", atMs: 100_000 }).firings).toEqual([]);
      }),
    );
  });

  it("lets no more through than its limits say, wherever the time begins", () => {
    fc.assert(
      fc.property(times, limit, limit, (atMs, rateLimit, throttle) => {
        const most = (startsMs: readonly number[], perMs: number): number =>
          Math.max(0, ...startsMs.map((from) => startsMs.filter((at) => at >= from && at < from + perMs).length));
        const limited = playFlow({ ...NOTHING, rateLimit }, atMs).firings.map((firing) => firing.atMs);
        expect(most(limited, rateLimit.perMs)).toBeLessThanOrEqual(rateLimit.limit);
        const throttled = playFlow({ ...NOTHING, throttle }, atMs).firings.map((firing) => firing.atMs);
        expect(most(throttled, throttle.perMs)).toBeLessThanOrEqual(throttle.limit);
        expect(throttled).toHaveLength(atMs.length);
      }),
    );
  });

  it("makes no deadline later than its settings say, whatever the clock does", () => {
    const clock = fc.array(fc.record({ atMs: fc.integer({ min: 0, max: 100_000 }), due: fc.boolean() }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(spec, clock, (flow, moments) => {
        let state = initialFlow();
        for (const [seq, { atMs, due }] of moments.entries()) {
          const step = stepFlow(flow, state, due ? { type: "due", atMs } : event(seq, atMs));
          expect(step.dueMs ?? 0).toBeLessThanOrEqual(atMs + longestMs(flow));
          state = step.state;
        }
        // However it went: once it was quiet for that long, nothing is in the way of an event.
        const laterMs = (moments.at(-1)?.atMs ?? 0) + longestMs(flow);
        expect(stepFlow(flow, state, event(moments.length, laterMs)).dropped).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps what is left of a deadline when the clock is set back", () => {
    const flow: FlowSpec = { ...NOTHING, debounce: { quietMs: 500, maxMs: undefined, edge: "trailing" } };
    const { state } = stepFlow(flow, initialFlow(), event(0, 1_000_000));
    const moved = stepFlow(flow, state, { type: "due", atMs: 5000 });
    expect(moved.firings).toEqual([]);
    expect(moved.dueMs).toBe(5500);
    expect(stepFlow(flow, moved.state, { type: "due", atMs: 5500 }).firings).toHaveLength(1);
  });

  it("does not let everything go at once after a long absence", () => {
    const flow: FlowSpec = { ...NOTHING, throttle: { limit: 2, perMs: 1000 } };
    let state = initialFlow();
    for (let seq = 0; seq < 10; seq += 1) ({ state } = stepFlow(flow, state, event(seq, 0)));
    const back = stepFlow(flow, state, { type: "due", atMs: 1_000_000 });
    expect(back.released).toBe(2);
    expect(back.dueMs).toBe(1_001_000);
  });

  it("lets go what was held or gathered when its settings are gone", () => {
    const before: FlowSpec = {
      ...NOTHING,
      debounce: { quietMs: 500, maxMs: undefined, edge: "both" },
      throttle: { limit: 1, perMs: 60_000 },
    };
    let { state } = stepFlow(before, initialFlow(), event(0, 0));
    ({ state } = stepFlow(before, state, event(1, 10)));
    ({ state } = stepFlow(before, state, { type: "due", atMs: 510 }));
    ({ state } = stepFlow(before, state, event(2, 600)));
    ({ state } = stepFlow(before, state, event(3, 610)));
    const after = stepFlow(NOTHING, state, { type: "due", atMs: 620 });
    expect(after.released + after.firings.length).toBe(3);
    expect(after.dueMs).toBeUndefined();
  });

  it("stays small, however many events and files come", () => {
    const flow: FlowSpec = {
      rateLimit: { limit: 100_000, perMs: 86_400_000 },
      debounce: { quietMs: 500, maxMs: undefined, edge: "trailing" },
      batch: undefined,
      throttle: undefined,
    };
    let state = initialFlow();
    for (let seq = 0; seq < 10_000; seq += 1) {
      const paths = [`src/${seq}.ts`, `src/${seq}.css`, "src/same.ts"];
      const cause = { chain: `c${seq}`, depth: 1 + (seq % 7), triggers: [`r/t${seq % 9}`] };
      const input: FlowInput = { type: "event", event: { seq, atMs: seq, paths, cause }, atMs: seq };
      ({ state } = stepFlow(flow, state, input));
    }
    expect(JSON.stringify(state).length).toBeLessThan(50_000);
    expect(state.gathered).toMatchObject({ firstSeq: 0, lastSeq: 9999, count: 10_000 });
    expect(state.gathered?.seqs).toHaveLength(100);
    expect(state.gathered?.paths).toHaveLength(1000);
  });

  it("forgets no depth and no trigger of what led to its events", () => {
    const cause = fc.record({
      chain: fc.integer({ min: 0, max: 40 }).map((id) => `c${id}`),
      depth: fc.integer({ min: 1, max: 9 }),
      triggers: fc.array(fc.constantFrom("r/a", "r/b", "r/c", "r/d"), { minLength: 1, maxLength: 3 }),
    });
    const flow: FlowSpec = { ...NOTHING, batch: { size: 10_000, withinMs: 100 } };
    fc.assert(
      fc.property(fc.array(cause, { minLength: 1, maxLength: 80 }), (causes) => {
        let state = initialFlow();
        for (const [seq, one] of causes.entries()) ({ state } = stepFlow(flow, state, event(seq, 0, 0, one)));
        const [firing] = stepFlow(flow, state, { type: "due", atMs: 100 }).firings;
        const kept = firing?.causes ?? [];
        expect(Math.max(...kept.map(({ depth }) => depth))).toBe(Math.max(...causes.map(({ depth }) => depth)));
        expect(new Set(kept.flatMap(({ triggers }) => triggers))).toEqual(
          new Set(causes.flatMap(({ triggers }) => triggers)),
        );
        expect(kept.length).toBeLessThanOrEqual(16);
      }),
    );
  });
});
