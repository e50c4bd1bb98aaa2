import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { change, hitsOf, loadFor, type Texts } from "./trees.ts";

const word = fc.stringMatching(/^[a-f]{2,5}$/);
const ENDINGS = ["ts", "py", "go", "rs", "java", "js"] as const;

/** One function of each language, that calls another one. */
const FUNCTIONS: Readonly<Record<(typeof ENDINGS)[number], (name: string, call: string) => string>> = {
  ts: (name, call) => `export function ${name}() {\n  return ${call};\n}\n`,
  js: (name, call) => `export function ${name}() {\n  return ${call};\n}\n`,
  py: (name, call) => `def ${name}():\n    return ${call}\n`,
  go: (name, call) => `package main\n\nfunc ${name}() int {\n\treturn ${call}\n}\n`,
  rs: (name, call) => `pub fn ${name}() -> u32 {\n    ${call}\n}\n`,
  java: (name, call) => `class ${name} {\n  int run() {\n    return ${call};\n  }\n}\n`,
};

function functionText(ending: (typeof ENDINGS)[number], name: string, calls: string, argumentCount: number): string {
  return FUNCTIONS[ending](name, `${calls}(${Array.from({ length: argumentCount }, () => "1").join(", ")})`);
}

beforeAll(() => loadFor(...ENDINGS.map((ending) => `a.${ending}`)));

describe("two changes", () => {
  it("that have no name in common are never said to meet", async () => {
    const one = fc.record({ name: word, calls: word, count: fc.nat(3), file: word });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ENDINGS), one, one, async (ending, first, second) => {
        const text = (of: typeof first, mark: string): string =>
          functionText(ending, `${mark}${of.name}`, `${mark}${of.calls}`, of.count);
        const base: Texts = {
          [`own/${first.file}.${ending}`]: text(first, "x"),
          [`other/${second.file}.${ending}`]: text(second, "y"),
        };
        const ours = change(base, { [`own/${first.file}.${ending}`]: text({ ...first, calls: "changed" }, "x") });
        const theirs = change(base, {
          [`other/${second.file}.${ending}`]: undefined,
          [`other/${second.file}z.${ending}`]: text({ ...second, name: "renamed" }, "y"),
        });
        expect(await hitsOf(base, ours, theirs)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("of which one changes nothing are never said to meet", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ENDINGS), word, word, async (ending, name, calls) => {
        const base: Texts = { [`a.${ending}`]: functionText(ending, name, calls, 1) };
        const ours = change(base, { [`a.${ending}`]: functionText(ending, `${name}x`, calls, 2) });
        expect(await hitsOf(base, ours, base)).toEqual([]);
        expect(await hitsOf(base, base, ours)).toEqual([]);
        expect((await hitsOf(base, ours, ours)).filter(({ isCertain }) => isCertain)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it("are looked at whatever their texts are", async () => {
    const texts = fc.record({ base: fc.string(), ours: fc.string(), theirs: fc.string() });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ENDINGS), texts, async (ending, { base, ours, theirs }) => {
        const [own, other] = [`own.${ending}`, `other.${ending}`];
        const before: Texts = { [own]: base, [other]: base };
        await hitsOf(before, change(before, { [own]: ours }), change(before, { [other]: theirs }));
      }),
      { numRuns: 100 },
    );
  });

  it("of many files are looked at in little time", async () => {
    const files = Array.from(
      { length: 300 },
      (_, index) =>
        [
          `src/f${index}.ts`,
          `import { g${index} } from "./f${index + 1}.js";\n\nexport function g${index}x(): void {\n  g${index}();\n}\n`,
        ] as const,
    );
    const base: Texts = Object.fromEntries(files);
    const half = (from: number): Texts =>
      change(
        base,
        Object.fromEntries(
          files
            .filter((_, index) => index % 2 === from)
            .map(([path, text]) => [path, `${text}\nexport const added${from} = 1;\n`]),
        ),
      );
    const began = performance.now();
    await hitsOf(base, half(0), half(1));
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
