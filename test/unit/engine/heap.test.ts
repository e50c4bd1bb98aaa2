import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Heap } from "../../../src/engine/heap.ts";

const ascending = (a: number, b: number): number => a - b;

describe("a heap", () => {
  it("gives its items back in order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (items) => {
        const heap = new Heap(ascending);
        for (const item of items) heap.push(item);
        const popped = Array.from(items, () => heap.pop());
        expect(popped).toEqual([...items].sort(ascending));
        expect(heap.pop()).toBeUndefined();
      }),
    );
  });

  it("is at every moment what a sorted list would be", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer(), { freq: 2 })), (steps) => {
        const heap = new Heap(ascending);
        const model: number[] = [];
        for (const step of steps) {
          if (step === null) expect(heap.pop()).toBe(model.shift());
          else {
            heap.push(step);
            model.push(step);
            model.sort(ascending);
          }
          expect(heap.size).toBe(model.length);
          expect(heap.peek()).toBe(model[0]);
        }
      }),
    );
  });
});
