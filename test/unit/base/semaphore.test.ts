import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Semaphore } from "../../../src/base/semaphore.ts";

describe("a semaphore", () => {
  it("never lets more run at once than it is wide, lets all run, in the order they came, and loses no place to a failure", async () => {
    const actions = fc.array(fc.record({ turns: fc.integer({ min: 1, max: 4 }), fails: fc.boolean() }), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), actions, async (width, actions) => {
        const semaphore = new Semaphore(width);
        const started: number[] = [];
        let [running, most] = [0, 0];
        const all = actions.map(({ turns, fails }, index) =>
          semaphore.run(async () => {
            started.push(index);
            most = Math.max(most, (running += 1));
            for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
            running -= 1;
            if (fails) throw new Error("failed");
            return index;
          }),
        );
        const ends = await Promise.allSettled(all);
        expect(ends.map((end) => end.status)).toEqual(actions.map(({ fails }) => (fails ? "rejected" : "fulfilled")));
        expect(started).toEqual(actions.map((_, index) => index));
        expect(most).toBe(Math.min(width, actions.length));
      }),
    );
  });
});
