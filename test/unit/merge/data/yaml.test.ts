import { describe, expect, it } from "vitest";

import { mergeData } from "../../../../src/merge/data/merge-data.ts";
import type { PieceMerge } from "../../../../src/merge/resolution.ts";

function merge(base: string, ours: string, theirs: string, path = "a.yaml"): PieceMerge | undefined {
  return mergeData(path, { base, ours, theirs });
}

function textOf(result: PieceMerge | undefined): string | undefined {
  return result?.status === "merged" ? result.text : undefined;
}

const BASE = `# How it is built.
name: build

on:
  push:
    branches: [main, next] # both
jobs:
  test:
    # On Linux only.
    runs-on: ubuntu
    steps:
      - uses: checkout
      - name: test
        run: |
          npm ci

          npm test
    timeout: 5
`;

describe("a merge of YAML", () => {
  it("takes each key from the side that changed it, and keeps all else as it is written", () => {
    const ours = BASE.replace("timeout: 5", "timeout: 6").replace("name: build", "name:   built");
    const theirs = BASE.replace("npm ci", "npm install").replace("ubuntu", "debian # newer");
    expect(textOf(merge(BASE, ours, theirs))).toBe(
      ours.replace("npm ci", "npm install").replace("ubuntu", "debian # newer"),
    );
    expect(textOf(merge(BASE, theirs, ours))).toBe(textOf(merge(BASE, ours, theirs)));
  });

  it("puts new keys and elements of both sides beside their neighbours", () => {
    const ours = BASE.replace("    timeout: 5\n", "    timeout: 5\n    env: one\n  lint:\n    runs-on: any\n");
    const theirs = BASE.replace("    timeout: 5\n", "    timeout: 5\n    needs: two\n").replace(
      "[main,",
      "[main, old,",
    );
    const expected = ours.replace("    env: one\n", "    env: one\n    needs: two\n").replace("[main,", "[main, old,");
    const result = merge(BASE, ours, theirs);
    expect(textOf(result)).toBe(expected);
    expect(result?.status === "merged" && result.steps).toEqual([{ resolver: "data", class: "B" }]);
  });

  it("takes out what one side took out, with its comments", () => {
    const ours = BASE.replace("    # On Linux only.\n    runs-on: ubuntu\n", "");
    const theirs = BASE.replace("timeout: 5", "timeout: 6");
    expect(textOf(merge(BASE, ours, theirs))).toBe(ours.replace("timeout: 5", "timeout: 6"));
    expect(merge(BASE, ours, BASE.replace("ubuntu", "debian"))?.status).toBe("conflict");
    expect(merge(BASE, ours, BASE.replace("On Linux only", "On Linux"))?.status).toBe("conflict");
  });

  it("follows edits of comments", () => {
    const ours = BASE.replace("# How", "# This is how").replace("# both", "# two");
    const theirs = BASE.replace("timeout: 5", "timeout: 6 # minutes").replace("# On Linux only.", "# Not on Windows.");
    expect(textOf(merge(BASE, ours, theirs))).toBe(
      ours.replace("timeout: 5", "timeout: 6 # minutes").replace("# On Linux only.", "# Not on Windows."),
    );
    expect(merge(BASE, ours, BASE.replace("# both", "# all"))?.status).toBe("conflict");
  });

  it("merges lists of maps by name, and elements without a name by their neighbours", () => {
    const base = "- name: a\n  at: 1\n- name: b\n  at: 1\n";
    expect(textOf(merge(base, base.replace("at: 1", "at: 2"), `${base}- name: c\n`))).toBe(
      "- name: a\n  at: 2\n- name: b\n  at: 1\n- name: c\n",
    );
    expect(
      textOf(merge(base, base.replace("  at: 1\n", ""), base.replace("- name: a\n", "- name: a\n  to: 1\n"))),
    ).toBe("- name: a\n  to: 1\n- name: b\n  at: 1\n");
    const steps = "steps:\n  - run: a\n  - run: b\n  - run: c\n";
    expect(textOf(merge(steps, steps.replace("run: a", "run: x"), steps.replace("run: c", "run: y")))).toBe(
      "steps:\n  - run: x\n  - run: b\n  - run: y\n",
    );
    expect(textOf(merge(steps, steps.replace("run: a", "run: x"), steps.replace("run: b", "run: y")))).toBe(
      "steps:\n  - run: x\n  - run: y\n  - run: c\n",
    );
    expect(merge(steps, `${steps}  - run: d\n`, `${steps}  - run: e\n`)?.status).toBe("conflict");
  });

  it("keeps the shape of a list whose elements begin on the line of their dash", () => {
    const base = "- a: 1\n  b: 1\n  c: 1\n- d: 1\n";
    expect(textOf(merge(base, base.replace("a: 1\n  ", ""), base.replace("c: 1", "c: 2")))).toBe(
      "- b: 1\n  c: 2\n- d: 1\n",
    );
    expect(textOf(merge(base, base.replace("a: 1", "z: 1\n  a: 1"), base.replace("c: 1", "c: 2")))).toBe(
      "- z: 1\n  a: 1\n  b: 1\n  c: 2\n- d: 1\n",
    );
  });

  it("writes a value where it has to stand, also where another kind of value stood", () => {
    const base = "a:\nb: 1\nc:\n  d: 1\n";
    expect(textOf(merge(base, base.replace("b: 1", "b: 2"), "a: 1\nb: 1\nc: [x]\n"))).toBe("a: 1\nb: 2\nc: [x]\n");
    expect(textOf(merge("a: 1\nb: 1\n", "a: 1\nb: 2\n", "a:\n  c: 1\nb: 1\n"))).toBe("a:\n  c: 1\nb: 2\n");
  });

  it("merges as many documents as there are", () => {
    const base = "---\na: 1\n---\nb: 1\nc: 1\n";
    expect(textOf(merge(base, base.replace("a: 1", "a: 2"), base.replace("b: 1", "b: 2")))).toBe(
      "---\na: 2\n---\nb: 2\nc: 1\n",
    );
    expect(merge(base, `${base}---\nd: 1\n`, base.replace("a: 1", "a: 2"))?.status).toBe("conflict");
  });

  it("takes anchors, aliases, tags and block texts for what they stand for", () => {
    const base = "a: &one\n  x: 1\nb:\n  <<: *one\n  y: !!str 1\nc: >-\n  text\nd: {e: 1}\n";
    expect(textOf(merge(base, base.replace("y: !!str 1", "y: 2"), base.replace("d: {e: 1}", "d: {e: 2}")))).toBe(
      "a: &one\n  x: 1\nb:\n  <<: *one\n  y: 2\nc: >-\n  text\nd: {e: 2}\n",
    );
    // An alias that the other side added needs the anchor that this side took out.
    expect(merge("a: &one 1\nb: 1\n", "b: 1\n", "a: &one 1\nb: 1\nc: *one\n")?.status).toBe("conflict");
    expect(merge("a: &one 1\nb: 1\n", "a: &two 1\nb: 1\n", "a: &three 1\nb: 1\n")?.status).toBe("conflict");
  });

  it("asks where one side uses a value by its alias and the other changes that value", () => {
    expect(merge("a: &one 1\n", "a: &one 2\n", "a: &one 1\nb: *one\n")?.status).toBe("conflict");
    const base = "a: &one\n  x: 1\n";
    expect(merge(base, base.replace("x: 1", "x: 2"), `${base}b:\n  <<: *one\n`)?.status).toBe("conflict");
    expect(merge("a: &one 1\nb: *one\n", "a: &one 1\nb: 1\n", "a: &one 2\nb: *one\n")?.status).toBe("conflict");
  });

  it("asks where it cannot surely read a version", () => {
    const good = "a: 1\n";
    const bad = [
      "a: 1\na: 2\n",
      "a: [1\n",
      "a: 'x\n",
      "\ta: 1\n",
      "a: *none\n",
      "%YAML 9.9\n---\na: 1\n",
      "a: 1\n b: 2\n",
      "[".repeat(2000),
      `${"- ".repeat(2000)}a\n`,
      `${"? ".repeat(2000)}a\n`,
    ];
    for (const text of bad) {
      expect(merge(text, good, "a: 3\n")?.status).toBe("conflict");
      expect(merge("a: 3\n", text, good)?.status).toBe("conflict");
      expect(merge("a: 3\n", good, text)?.status).toBe("conflict");
    }
  });

  it("asks where a map has one name twice, or nests so deeply that reading it could end the process", () => {
    for (const value of ["{b: 1, b: 2}", `${"[".repeat(100)}b${"]".repeat(100)}`]) {
      const text = `a: ${value}\n`;
      expect(merge(text, `${text}x: 1\n`, `y: 1\n${text}`)?.status).toBe("conflict");
    }
    const text = `a: ${"[".repeat(10)}b${"]".repeat(10)}\n`;
    expect(merge(text, `${text}x: 1\n`, `y: 1\n${text}`)?.status).toBe("merged");
  });

  it("asks where aliases stand for more than can be compared", () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${"bcdefghi".replace(/./g, (key) => `${key}: &${key} [${`*${String.fromCharCode(key.charCodeAt(0) - 1)}, `.repeat(9)}]\n`)}`;
    expect(merge(bomb, `${bomb}y: 1\n`, `${bomb}z: 1\n`)?.status).toBe("conflict");
  });

  it("moves versions in a catalog by the rules for versions", () => {
    const base = "catalog:\n  a: ^1.0.0\n  b: '>=1.0.0'\n";
    const result = merge(
      base,
      base.replace("^1.0.0", "^1.1.0").replace(">=1.0.0", ">=3.0.0"),
      base.replace("^1.0.0", "^1.2.0").replace(">=1.0.0", ">=2.0.0"),
      "pnpm-workspace.yaml",
    );
    expect(textOf(result)).toBe("catalog:\n  a: ^1.2.0\n  b: '>=3.0.0'\n");
    expect(merge("a: 1.0.0\n", "a: 1.1.0\n", "a: 1.2.0\n")?.status).toBe("conflict");
  });
});
