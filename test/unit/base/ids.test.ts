import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { newId, systemRandom } from "../../../src/base/ids.ts";

describe("an id", () => {
  it("starts with a letter, has the length asked for and is safe in paths, refs and shells", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.integer({ min: 1, max: 64 }), (bytes, length) => {
        const id = newId(() => bytes, length);
        expect(id).toMatch(/^[a-z][0-9a-z]*$/);
        expect(id).toHaveLength(length);
        expect(id).not.toMatch(/[ilou]/);
      }),
    );
  });

  it("uses every letter, and no two of ten thousand are equal", () => {
    const ids = Array.from({ length: 10_000 }, () => newId(systemRandom));
    expect(new Set(ids).size).toBe(10_000);
    expect(new Set(ids.map((id) => id[0])).size).toBe(22);
    expect(new Set(ids.map((id) => id[1])).size).toBe(32);
  });
});
