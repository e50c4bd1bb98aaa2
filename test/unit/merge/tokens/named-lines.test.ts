import { describe, expect, it } from "vitest";

import { mergePiece } from "../../../../src/merge/tokens/merge-piece.ts";

const piece = (...lines: string[]): string => ["make({", ...lines.map((line) => `  ${line}`), "});", ""].join("\n");

describe("lines that name something", () => {
  const base = piece("a: one(),", "b: two(),");

  it("are a conflict where both sides brought one name with different values", () => {
    const versions = {
      base,
      ours: piece("a: one(),", "b: two(),", "id: 1,"),
      theirs: piece("a: uno(),", "b: due(),", "id: 2,"),
    };
    expect(mergePiece(versions, { language: "typescript", kind: undefined }).status).toBe("conflict");
  });

  it("are both there where their names differ", () => {
    const versions = {
      base,
      ours: piece("a: one(),", "b: two(),", "id: 1,"),
      theirs: piece("a: uno(),", "b: due(),"),
    };
    const merge = mergePiece(versions, { language: "typescript", kind: undefined });
    expect(merge).toMatchObject({ status: "merged", text: piece("a: uno(),", "b: due(),", "id: 1,") });
  });
});
