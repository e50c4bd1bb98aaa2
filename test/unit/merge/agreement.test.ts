import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { mergeText } from "../../../src/merge/text.ts";
import { anyLineVersions, anyPlainVersions, textOf, type Lines } from "../../fixtures/texts.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "anabranch-merge-file-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What git makes of each case; `undefined` where it leaves a conflict. */
function mergeByGit(cases: readonly Lines[]): (string | undefined)[] {
  for (const [at, versions] of cases.entries()) {
    for (const name of ["base", "ours", "theirs"] as const)
      writeFileSync(join(folder, `${at}.${name}`), textOf(versions[name]));
  }
  const script = `for at in $(seq 0 ${cases.length - 1}); do
    git merge-file -p -q "$at.ours" "$at.base" "$at.theirs" > "$at.result"; echo $?
  done`;
  const codes = execFileSync("sh", ["-c", script], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" },
  })
    .trim()
    .split("\n");
  expect(codes.length).toBe(cases.length);
  return codes.map((code, at) => (code === "0" ? readFileSync(join(folder, `${at}.result`), "utf8") : undefined));
}

function mergeByLines(versions: Lines): string | undefined {
  const merge = mergeText(
    { base: textOf(versions.base), ours: textOf(versions.ours), theirs: textOf(versions.theirs) },
    "text",
  );
  return merge.status === "merged" && merge.resolver !== "whitespace" ? merge.text : undefined;
}

describe("a merge of lines and git's own", () => {
  it("decide the same and make the same text, where no line repeats", () => {
    const seed = Date.now();
    const cases = fc.sample(anyPlainVersions, { numRuns: 400, seed });
    const byGit = mergeByGit(cases);
    const merged = byGit.filter((text) => text !== undefined).length;
    for (const [at, versions] of cases.entries()) {
      expect({ versions, text: mergeByLines(versions) }, `seed ${seed}`).toEqual({ versions, text: byGit[at] });
    }
    expect(merged).toBeGreaterThan(50);
    expect(merged).toBeLessThan(350);
  });

  it("hardly ever make two different texts where lines repeat", () => {
    const seed = Date.now();
    const cases = fc.sample(anyLineVersions(fc.constantFrom("a", "b", "c"), 12), { numRuns: 400, seed });
    const byGit = mergeByGit(cases);
    let [agreed, differed] = [0, 0];
    for (const [at, versions] of cases.entries()) {
      const [text, gitText] = [mergeByLines(versions), byGit[at]];
      if (text === undefined || gitText === undefined) continue;
      if (text === gitText) agreed += 1;
      else differed += 1;
    }
    expect(agreed, `seed ${seed}`).toBeGreaterThan(100);
    expect(differed, `seed ${seed}`).toBeLessThan(agreed / 20);
  });
});
