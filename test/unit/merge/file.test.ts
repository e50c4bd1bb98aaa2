import { beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { Grammars } from "../../../src/grammars/grammars.ts";
import { mergeFile, type FileMerge } from "../../../src/merge/file.ts";
import type { Parsers } from "../../../src/merge/syntax/parsers.ts";
import type { TextVersions } from "../../../src/merge/versions.ts";
import { workOf } from "../../fixtures/work.ts";

const grammars = new Grammars();
const BASE = "export function one() {\n  return 1;\n}\n";
const two = `${BASE}\nexport function two() {\n  return 2;\n}\n`;
const three = `${BASE}\nexport function three() {\n  return 3;\n}\n`;
const both = `${two}\nexport function three() {\n  return 3;\n}\n`;

/** Each time it is read, a second has gone by. */
function lateClock(): () => number {
  let nowMs = 0;
  return () => (nowMs += 1000);
}

function merge(versions: TextVersions, path = "a.ts", policy: "text" | "union" | "binary" = "text"): FileMerge {
  return mergeFile({ path, versions, policy, parsers: grammars });
}

describe("a merge of a file", () => {
  beforeAll(() => grammars.load("typescript"));

  it("keeps line ends, byte order mark and a last line without its end", () => {
    const form = (text: string): string => `\ufeff${text.replaceAll("\n", "\r\n")}`.replace(/\r\n$/, "");
    const merged = merge({ base: form(BASE), ours: form(two), theirs: form(three) });
    expect(merged).toMatchObject({ status: "merged", text: form(both), class: "B" });
  });

  it("takes line ends from the side that changed them, and the words from the other", () => {
    const crlf = (text: string): string => text.replaceAll("\n", "\r\n");
    expect(merge({ base: BASE, ours: crlf(BASE), theirs: three })).toMatchObject({ text: crlf(three) });
    expect(merge({ base: BASE, ours: crlf(two), theirs: three })).toMatchObject({ text: crlf(both) });
  });

  it("leaves a text alone whose line ends differ from line to line", () => {
    const mixed = (text: string): string => text.replace("\n", "\r\n");
    expect(merge({ base: mixed(BASE), ours: mixed(two), theirs: mixed(three) }).status).toBe("conflict");
  });

  it("looks at no syntax where the path has another ending, or the attributes want something else", () => {
    const versions = { base: BASE, ours: two, theirs: three };
    expect(merge(versions, "a.txt")).toMatchObject({ status: "conflict", why: "lines" });
    expect(merge(versions, "a.ts", "binary")).toMatchObject({ status: "conflict", why: "binary" });
    expect(merge(versions, "a.ts", "union")).toMatchObject({ status: "merged", resolvers: ["union"], class: "D" });
  });

  it("keeps conflict markers that a version had, and brings none", () => {
    const markers = "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n";
    const text = (middle: string): string => `/*\n${markers}*/\n${middle}`;
    const merged = merge({ base: text(BASE), ours: text(two), theirs: text(three) });
    expect(merged).toMatchObject({ status: "merged", text: text(both) });
  });

  it.each<[string, (keyof TextVersions)[]]>([
    ["only ours does not parse", ["ours"]],
    ["only theirs does not parse", ["theirs"]],
    ["only the base does not parse", ["base"]],
    ["both sides do not parse", ["ours", "theirs"]],
    ["the base and a side do not parse", ["base", "ours"]],
    ["nothing parses", ["base", "ours", "theirs"]],
  ])("leaves functions that both put at one place to a person where %s", (_what, broken) => {
    const error = "function ( {{{\n";
    const write = (name: keyof TextVersions, text: string): string => (broken.includes(name) ? error + text : text);
    const versions = { base: write("base", BASE), ours: write("ours", two), theirs: write("theirs", three) };
    expect(merge(versions).status).toBe("conflict");
  });

  it("leaves a conflict where the parser runs out of time", async () => {
    const late = new Grammars({ clock: { ...systemClock, monotonicMs: lateClock() }, limitMs: 1 });
    await late.load("typescript");
    const many = BASE.repeat(2_000);
    const versions = { base: many, ours: `${many}${two}`, theirs: `${many}${three}` };
    expect(mergeFile({ path: "a.ts", versions, policy: "text", parsers: grammars }).status).toBe("merged");
    expect(mergeFile({ path: "a.ts", versions, policy: "text", parsers: late }).status).toBe("conflict");
  });

  it("parses no version where the lines of both merge and the result parses", () => {
    const parsed: string[] = [];
    const parsers: Parsers = {
      parse(language, text, near) {
        parsed.push(text);
        return grammars.parse(language, text, near);
      },
    };
    const [ours, theirs] = [`// first\n${BASE}`, `${BASE}// last\n`];
    const merged = mergeFile({ path: "a.ts", versions: { base: BASE, ours, theirs }, policy: "text", parsers });
    expect(merged).toMatchObject({ status: "merged", text: `// first\n${BASE}// last\n`, resolvers: ["lines"] });
    expect(parsed).toStrictEqual([`// first\n${BASE}// last\n`]);
  });

  it("tries the next resolver where the lines of both would define one thing twice", () => {
    const base = `${BASE}\nlet a;\nlet b;\nlet c;\nlet d;\n`;
    const added = "export function two() {\n  return 2;\n}\n";
    const merged = merge({
      base,
      ours: base.replace("let a;\n", `let a;\n${added}`),
      theirs: `${base}${added.replace("return 2", "return 3")}`,
    });
    expect(merged.status).toBe("conflict");
  });

  it("looks no coarser where what entities come to loses a line", async () => {
    await grammars.load("java");
    const method = (name: string): string => `    void ${name}() {\n        run(0);\n    }\n`;
    const mark = "    @Override\n";
    const [first, second] = [method("first"), method("second")];
    const file = (...members: string[]): string => `class Program {\n    int size = 1;\n\n${members.join("")}}\n`;
    const base = file(mark, first, "\n", second);
    const [removed, marked] = [file(mark, second), file(mark, first, "\n", mark, second)];
    expect(merge({ base, ours: removed, theirs: marked }, "A.java")).toMatchObject({ status: "conflict", why: "loss" });
    expect(merge({ base, ours: marked, theirs: removed }, "A.java")).toMatchObject({ status: "conflict", why: "loss" });
  });

  it("takes a comment for part of what it stands above, whichever side comes first", async () => {
    await grammars.load("python");
    const base = "class Program:\n    def first(self):\n        run(0)\n";
    const [second, third] = ["second", "third"].map((name) => `\n    def ${name}(self):\n        run(0)\n`);
    const noted = `\n    # Why there is a second one.${second}`;
    const merged = (ours: string, theirs: string): FileMerge => merge({ base, ours, theirs }, "a.py");
    expect(merged(base + noted, base + third)).toMatchObject({ text: base + noted + third });
    expect(merged(base + third, base + noted)).toMatchObject({ text: base + third + noted });
  });

  it("merges what programs wrote by lines alone, and at once", () => {
    const many = BASE.repeat(60_000);
    const workMs = workOf(() => {
      const merged = merge({ base: many, ours: `${many}a();\n`, theirs: `b();\n${many}` });
      expect(merged).toMatchObject({ status: "merged", resolvers: ["lines"] });
      expect(merge({ base: many, ours: `${many}a();\n`, theirs: `${many}b();\n` }).status).toBe("conflict");
    });
    expect(workMs).toBeLessThan(10_000);
  });

  it("takes a line of many statements in linear time", () => {
    const line = "var a = 1;".repeat(20_000);
    const workMs = workOf(() => merge({ base: `${line}\n`, ours: `${line}b();\n`, theirs: `c();${line}\n` }));
    expect(workMs).toBeLessThan(10_000);
  });
});
