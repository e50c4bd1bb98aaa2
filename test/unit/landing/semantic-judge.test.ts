import { describe, expect, it } from "vitest";

import { newErrors } from "../../../src/landing/compiler-errors.ts";
import { isDecisive } from "../../../src/landing/semantic-judge.ts";
import type { SemanticHit } from "../../../src/landing/receipt.ts";

const hit = (patch: Partial<SemanticHit> = {}): SemanticHit => ({
  kind: "missing-definition",
  symbol: "load",
  definedIn: "src/store.ts:1",
  usedIn: "src/app.ts:3",
  message: "src/app.ts imports load, which is gone",
  isCertain: true,
  ...patch,
});

const nobody = { hasRules: false, hasCompiler: false };

describe("whether a place where changes meet is a conflict", () => {
  it("is decided by the symbols where nothing else would look at it", () => {
    expect(isDecisive(hit(), nobody)).toBe(true);
    expect(isDecisive(hit({ isCertain: false }), nobody)).toBe(false);
  });

  it("is left to verification where there are rules", () => {
    expect(isDecisive(hit(), { hasRules: true, hasCompiler: false })).toBe(false);
  });

  it("is left to the compiler where that can see it", () => {
    const compiled = { hasRules: false, hasCompiler: true };
    expect(isDecisive(hit(), compiled)).toBe(false);
    expect(isDecisive(hit({ usedIn: "src/app.py:3" }), compiled)).toBe(true);
    expect(isDecisive(hit({ kind: "same-number", usedIn: "db/migrations/0002_a.ts" }), compiled)).toBe(true);
    expect(isDecisive(hit({ kind: "argument-order" }), compiled)).toBe(true);
    expect(isDecisive(hit({ kind: "dependency" }), compiled)).toBe(true);
  });
});

describe("the errors of a compiler", () => {
  const error = (path: string, line: number, what: string): string => `${path}(${line},5): error TS2304: ${what}\n`;

  it("are new where the target has them not, or not that often, wherever they stand", () => {
    const before = error("src/a.ts", 1, "Cannot find name 'one'.");
    const after = error("src/a.ts", 9, "Cannot find name 'one'.") + error("src/b.ts", 2, "Cannot find name 'two'.");
    expect(newErrors(before, after)).toEqual(["src/b.ts:2 error TS2304: Cannot find name 'two'."]);
    expect(newErrors(before, before + before)).toHaveLength(1);
    expect(newErrors(after, before)).toEqual([]);
  });

  it("are not what else it prints", () => {
    expect(newErrors("", "Found 2 errors.\n\n  at x (y)\n")).toEqual([]);
  });
});
