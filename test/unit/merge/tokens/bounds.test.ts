import { describe, expect, it } from "vitest";

import { mergePiece } from "../../../../src/merge/tokens/merge-piece.ts";

// Far more than is needed: what grows with the square of the size takes minutes.
const MOST_SECONDS = 60;

function merge(base: string, ours: string, theirs: string): string {
  return mergePiece({ base, ours, theirs }, { language: "typescript", kind: undefined }).status;
}

describe("pieces of any size", () => {
  it(
    "are merged, or not, in bounded time",
    () => {
      const lines = (count: number, line: (at: number) => string) =>
        Array.from({ length: count }, (_, at) => `${line(at)}\n`).join("");
      const large = lines(200_000, (at) => `call(${at}, "some more words here", other(${at}));`);
      expect(merge(large, large.replace("call(7,", "call(8,"), large.replace("other(7)", "other(9)"))).toBe("conflict");

      const minified = lines(1, () => "f(a,b);".repeat(100_000));
      expect(merge(minified, minified.replace("f(a", "g(a"), minified.replace(/b\);\n/, "c);\n"))).toBe("conflict");

      const equal = lines(50_000, () => "same();");
      expect(merge(equal, equal.slice(8 * 100), `other();\n${equal}`)).toMatch(/merged|conflict/);

      const mixed = (seed: number) => lines(20_000, (at) => `v${(at * seed) % 7} = w${(at * seed) % 3};`);
      expect(merge(mixed(1), mixed(2), mixed(3))).toBe("conflict");
    },
    MOST_SECONDS * 1000,
  );
});
