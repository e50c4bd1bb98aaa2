import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { mergeImports } from "../../../../src/merge/imports/merge-imports.ts";
import { readRun } from "../../../../src/merge/imports/read-run.ts";
import { REPEATED } from "../../../../src/merge/imports/statement.ts";
import type { Language } from "../../../../src/merge/language.ts";

type Names = ReadonlyMap<string, ReadonlySet<string>>;
type Style = "line" | "lines" | "apart";

const LANGUAGES: readonly Language[] = ["typescript", "javascript", "python", "rust", "java", "go"];
const MODULES = ["alpha", "beta", "gamma", "delta"];
const NAMES = ["one", "two", "three", "four", "five"];

const anyNames = fc.uniqueArray(fc.tuple(fc.constantFrom(...MODULES), fc.constantFrom(...NAMES)), {
  selector: ([module, name]) => `${module} ${name}`,
  maxLength: 12,
});
const anyCase = fc.record({
  language: fc.constantFrom(...LANGUAGES),
  style: fc.constantFrom<Style>("line", "lines", "apart"),
  base: anyNames,
  ours: anyNames,
  theirs: anyNames,
  isSorted: fc.boolean(),
});

function group(pairs: readonly (readonly [string, string])[]): Names {
  const groups = new Map<string, Set<string>>();
  // A name is bound once: each has its module in it.
  for (const [module, name] of pairs) groups.set(module, (groups.get(module) ?? new Set()).add(`${name}_${module}`));
  return groups;
}

function write(language: Language, names: Names, style: Style, isSorted: boolean): string {
  const modules = isSorted ? [...names.keys()].sort() : [...names.keys()];
  const statements = modules.map((module) => {
    const all = [...(names.get(module) ?? [])];
    return writeModule(language, module, isSorted ? all.sort() : all, style);
  });
  return language === "go" ? `import (\n${statements.join("")})\n` : statements.join("");
}

function writeModule(language: Language, module: string, names: readonly string[], style: Style): string {
  const each = (write: (name: string) => string): string => names.map((name) => `${write(name)}\n`).join("");
  if (language === "java") return each((name) => `import ${module}.${name};`);
  if (language === "go") return each((name) => `\t${name} "${module}/${name}"`);
  const [open, close] = language === "python" ? ["(", ")"] : ["{", "}"];
  const long = `${open}\n${each((name) => `    ${name},`)}${close}`;
  const around = (list: string): string =>
    language === "python"
      ? `from ${module} import ${list}`
      : language === "rust"
        ? `use ${module}::${list};`
        : `import ${list} from "${module}";`;
  if (style === "apart") return each((name) => around(language === "python" ? name : `${open}${name}${close}`));
  const short = language === "python" ? names.join(", ") : `${open} ${names.join(", ")} ${close}`;
  return `${around(style === "lines" ? long : short)}\n`;
}

function keysOf(language: Language, text: string): string[] {
  return readRun(language, text)
    .statements.flatMap(({ names }) => names.map(({ key }) => key))
    .sort();
}

function isRepeated(key: string): boolean {
  return key.includes(REPEATED);
}

function merged(language: Language, base: string, ours: string, theirs: string): string {
  const merge = mergeImports(language, { base, ours, theirs });
  return merge.status === "merged" ? merge.text : "conflict";
}

describe("a merge of imports", () => {
  it("has what either side added and what neither removed, once, whichever side is which", () => {
    fc.assert(
      fc.property(anyCase, ({ language, style, isSorted, ...sides }) => {
        const [base, ours, theirs] = [sides.base, sides.ours, sides.theirs].map((pairs) =>
          write(language, group(pairs), style, isSorted),
        ) as [string, string, string];
        const [inBase, inOurs, inTheirs] = [base, ours, theirs].map((text) => keysOf(language, text)) as [
          string[],
          string[],
          string[],
        ];
        const wanted = [...new Set([...inOurs, ...inTheirs])]
          .filter((key) => !inBase.includes(key) || (inOurs.includes(key) && inTheirs.includes(key)))
          .sort();
        const result = merged(language, base, ours, theirs);
        expect(keysOf(language, result)).toEqual(wanted);
        expect(keysOf(language, merged(language, base, theirs, ours))).toEqual(wanted);
        expect(keysOf(language, merged(language, base, result, ours))).toEqual(wanted);
        expect(merged(language, base, result, result)).toBe(result);
      }),
      { numRuns: 400 },
    );
  });

  it("is the other side, byte for byte, where one side changed nothing", () => {
    fc.assert(
      fc.property(anyCase, ({ language, style, isSorted, ...sides }) => {
        const [base, side] = [sides.base, sides.ours].map((pairs) =>
          write(language, group(pairs), style, isSorted),
        ) as [string, string];
        expect(merged(language, base, side, base)).toBe(side);
        expect(merged(language, base, base, side)).toBe(side);
      }),
      { numRuns: 100 },
    );
  });

  it("writes no line that neither side has where the two changed different statements", () => {
    fc.assert(
      fc.property(anyCase, ({ language, style, isSorted, base, ours, theirs }) => {
        const fixed = (pairs: typeof base, from: readonly string[]): typeof base => [
          ...pairs.filter(([module]) => from.includes(module)),
          ...base.filter(([module]) => !from.includes(module)),
        ];
        const [text, mine, its] = [base, fixed(ours, ["alpha", "beta"]), fixed(theirs, ["gamma", "delta"])].map(
          (pairs) => write(language, group(pairs), style, isSorted),
        ) as [string, string, string];
        const known = new Set([...mine.split("\n"), ...its.split("\n")]);
        const result = merged(language, text, mine, its);
        expect(result.split("\n").filter((line) => !known.has(line))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it("reads any text without losing a byte of it", () => {
    const anyPiece = fc.constantFrom(
      ..."import |from |use |{|}|(|)|,|;|\n|  |a|b::c|'m'|\"n\"|# x\n|// y\n|/* z */| as |*|type |=|require|\\\n|`".split(
        "|",
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...LANGUAGES), fc.array(anyPiece, { maxLength: 30 }), (language, pieces) => {
        const text = pieces.join("");
        const { statements, tail } = readRun(language, text);
        expect(statements.map((statement) => statement.lead + statement.text).join("") + tail).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it("answers for any texts, and alike whichever side is which where statements are whole", () => {
    const SCRIPT = [
      'import { a } from "m";',
      'import { a, b } from "m";',
      'import { c } from "n"; // c',
      "// why",
      "",
      "import * as all from 'm'",
      'import "./x.css";',
      "const x = require('x');",
      "configure();",
    ];
    const WHOLE: Readonly<Record<string, readonly string[]>> = {
      typescript: SCRIPT,
      javascript: SCRIPT,
      python: [
        "from m import a",
        "from m import (a,\n    b)",
        "import os, sys",
        "# why",
        "",
        "import a.b as c",
        "setup()",
      ],
      rust: ["use a::{b, c};", "use a::b as d;", "mod x;", "#[cfg(x)]\nuse a::e;", "// why", "", "pub use a::*;"],
      java: ["import a.b.C;", "import static a.B.c;", "import b.*;", "// why", ""],
      go: ['import "a"', 'import b "c/b"', "// why", "", 'import _ "x"'],
    };
    const BROKEN = ["from m import (a,", "    b)", "try:", "    import json", "}", "export {", "/*", '"', "#[cfg(x)]"];
    const anyTextOf = (all: readonly string[]): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...all), { maxLength: 8 }).map((some) => some.map((line) => `${line}\n`).join(""));
    const anyBroken = anyTextOf([...Object.values(WHOLE).flat(), ...BROKEN]);
    fc.assert(
      fc.property(fc.constantFrom(...LANGUAGES), anyBroken, anyBroken, anyBroken, (language, base, ours, theirs) => {
        expect(mergeImports(language, { base, ours, theirs }).status).toMatch(/^(merged|conflict)$/);
      }),
      { numRuns: 500 },
    );
    for (const language of LANGUAGES) {
      const anyText = anyTextOf(WHOLE[language] ?? []).filter((text) => !keysOf(language, text).some(isRepeated));
      fc.assert(
        fc.property(anyText, anyText, anyText, (base, ours, theirs) => {
          const there = mergeImports(language, { base, ours, theirs });
          const back = mergeImports(language, { base, ours: theirs, theirs: ours });
          expect(back.status).toBe(there.status);
        }),
        { numRuns: 200 },
      );
    }
  });
});

describe("a merge of very many imports", () => {
  it("takes no more than a moment", () => {
    const run = (from: number, to: number): string =>
      Array.from({ length: to - from }, (_, at) => `import { n${at + from} } from "m${at + from}";\n`).join("");
    const base = run(0, 20_000);
    const began = process.cpuUsage().user;
    const result = merged("typescript", base, base + run(20_000, 20_200), run(0, 19_900));
    expect(result).toBe(run(0, 19_900) + run(20_000, 20_200));
    expect((process.cpuUsage().user - began) / 1000).toBeLessThan(10_000);
  });
});
