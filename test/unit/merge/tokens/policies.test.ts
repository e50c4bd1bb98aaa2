import { describe, expect, it } from "vitest";

import { mergePiece } from "../../../../src/merge/tokens/merge-piece.ts";

function merge(base: string, ours: string, theirs: string) {
  return mergePiece({ base, ours, theirs }, { language: "python", kind: "header" });
}

describe("years of a copyright that both sides changed", () => {
  it("are the highest, and the receipt names the others", () => {
    const line = (years: string) => `# Copyright ${years} The Authors\n`;
    expect(merge(line("2001-2010"), line("2001-2012"), line("2001-2011"))).toEqual({
      status: "merged",
      text: line("2001-2012"),
      steps: expect.arrayContaining([{ resolver: "policy:copyright-year", class: "D" }]),
      drops: [
        {
          policy: "policy:copyright-year",
          side: "theirs",
          dropped: line("2001-2011").trim(),
          kept: line("2001-2012").trim(),
        },
      ],
    });
  });

  it("stay a conflict where the first years differ, or the line says nothing of a copyright", () => {
    const line = (years: string) => `# Copyright ${years} The Authors\n`;
    expect(merge(line("2001-2010"), line("2000-2012"), line("2001-2011")).status).toBe("conflict");
    expect(merge("# since 2010\n", "# since 2012\n", "# since 2011\n").status).toBe("conflict");
  });
});

describe("a constant that holds a version", () => {
  it("is the highest of both sides, with a release above what came before it", () => {
    const line = (version: string) => `__version__ = "${version}"\n`;
    expect(merge(line("1.0-dev"), line("1.0"), line("1.1-dev"))).toMatchObject({ text: line("1.1-dev") });
    expect(merge(line("1.0-dev"), line("1.1"), line("1.1-dev"))).toMatchObject({ text: line("1.1") });
  });

  it("stays a conflict where a side holds no version, or both the same one", () => {
    const line = (version: string) => `__version__ = "${version}"\n`;
    expect(merge(line("1.0"), line("1.1"), line("next")).status).toBe("conflict");
    expect(merge(line("1.0"), line("1.1"), line("1.1.0")).status).toBe("conflict");
    expect(merge(`timeout = "1.0"\n`, `timeout = "1.1"\n`, `timeout = "1.2"\n`).status).toBe("conflict");
  });
});
