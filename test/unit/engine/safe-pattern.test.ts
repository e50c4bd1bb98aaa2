import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readPattern, type PatternNode } from "../../../src/engine/pattern-reader.ts";
import { patternProblem } from "../../../src/engine/safe-pattern.ts";
import { workOf } from "../../fixtures/work.ts";

/** Goes back and tries again, as matchers of regular expressions do, and counts. */
class Tries {
  count = 0;
  readonly #text: readonly string[];
  readonly #most: number;

  constructor(text: string, most = Infinity) {
    this.#text = Array.from(text);
    this.#most = most;
  }

  /** Whether a pattern matches the whole text, or from a place on. */
  whole(node: PatternNode): boolean {
    return this.#try(node, 0, (at) => at === this.#text.length);
  }

  anywhere(node: PatternNode, anchored: boolean): number {
    for (let at = 0; at <= (anchored ? 0 : this.#text.length); at += 1) this.#try(node, at, () => false);
    return this.count;
  }

  #try(node: PatternNode, at: number, then: (at: number) => boolean): boolean {
    this.count += 1;
    if (this.count > this.#most) return true;
    switch (node.type) {
      case "one": {
        const code = this.#text[at]?.codePointAt(0);
        return code !== undefined && node.set.some(([from, to]) => from <= code && code <= to) && then(at + 1);
      }
      case "sequence":
        return this.#trySequence(node.items, 0, at, then);
      case "choice":
        return node.items.some((item) => this.#try(item, at, then));
      default:
        return this.#tryRepeat(node, 0, at, then);
    }
  }

  #trySequence(items: readonly PatternNode[], index: number, at: number, then: (at: number) => boolean): boolean {
    const item = items[index];
    if (item === undefined) return then(at);
    return this.#try(item, at, (next) => this.#trySequence(items, index + 1, next, then));
  }

  #tryRepeat(node: PatternNode & { type: "repeat" }, done: number, at: number, then: (at: number) => boolean): boolean {
    const again = (next: number): boolean =>
      // What is empty is not repeated for ever.
      (next > at || done < node.min) && this.#tryRepeat(node, done + 1, next, then);
    return (done < node.max && this.#try(node.item, at, again)) || (done >= node.min && then(at));
  }
}

const { pattern } = fc.letrec<{ pattern: string; item: string }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom("a", "b", "ab", "[ab]", "[^a]", ".", "\\d", "\\w", "c", "[a-c]", "\\x61", "\\u{62}", "\\n"),
    tie("pattern").map((inner) => `(${inner})`),
    fc.tuple(tie("pattern"), tie("pattern")).map(([one, other]) => `(?:${one}|${other})`),
  ),
  pattern: fc
    .array(fc.tuple(tie("item"), fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,3}", "*?")), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.map(([item, times]) => (times === "" ? item : `(?:${item})${times}`)).join("")),
}));
const text = fc.array(fc.constantFrom("a", "b", "c", "1", "\n"), { maxLength: 8 }).map((parts) => parts.join(""));

describe("a pattern for lines that others write", () => {
  it.each([
    "error",
    "failed: .* in \\d+",
    "^.*foo.*",
    "^a.*b.*c",
    "(\\d+,)*x",
    "(?:\\d{1,3}\\.){3}\\d{1,3}",
    "(?<level>ERROR|WARN): (?<what>.*)",
    "^(\\d+)-(\\d+)$",
    "\\p{L}+: \\S+",
    "https?://\\S+",
    "\\bfail(ed|ure)?\\b",
    "^\\s*(\\w+)\\s*=\\s*(.*)$",
    "(\\d{4})-(\\d{2})-(\\d{2})T",
    "took [0-9.]+ (?:ms|s)",
    "[^\\]]*\\]",
  ])("%s is used", (source) => {
    expect(patternProblem(source)).toBeUndefined();
  });

  it.each([
    ["[", "cannot be read"],
    ["a**", "cannot be read"],
    ["(a)\\1", "refers to a group"],
    ["(?<x>a)\\k<x>", "refers to a group"],
    ["(?=a)b", "looks ahead or behind"],
    ["(?<!a)b", "looks ahead or behind"],
    ["(a+)*", "in several ways"],
    ["(a+)+$", "in several ways"],
    ["(a|ab)*", "in several ways"],
    ["(a|a)*", "in several ways"],
    ["(\\w+\\s?)*$", "in several ways"],
    ["([a-zA-Z]+)*$", "in several ways"],
    ["(x+x+)+y", "in several ways"],
    ["(.*,){11}", "in several ways"],
    ["(a?){30}a{30}", "in several ways"],
    ["(?:)*", "in several ways"],
    ["a.*b.*c", "in a row"],
    ["\\w+.*\\d+x", "in a row"],
    ["^.*.*.*$", "in a row"],
    ["a?".repeat(9), "too many ways"],
    ["(a|b|c|d)".repeat(5), "too many ways"],
    ["a".repeat(501), "longer than 500"],
  ])("%s is refused: %s", (source, why) => {
    expect(patternProblem(source)?.why).toContain(why);
  });

  it("is read as the language reads it", () => {
    fc.assert(
      fc.property(pattern, text, (source, line) => {
        const { node } = readPattern(source);
        const tries = new Tries(line, 100_000);
        const matches = tries.whole(node);
        // The language would try as long, and its tries cannot be counted.
        fc.pre(tries.count < 100_000);
        expect(matches).toBe(new RegExp(`^(?:${source})$`, "u").test(line));
      }),
      { numRuns: 1000 },
    );
  });

  it("takes time that grows with the square of the line at most", () => {
    const parts = fc.array(fc.constantFrom("a", "b", "ab", "aab", "c", "1", "abc"), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(pattern, parts, fc.boolean(), (inner, pumped, fromStart) => {
        const source = fromStart ? `^(?:${inner})` : inner;
        fc.pre(patternProblem(source) === undefined);
        const { node, anchored } = readPattern(source);
        const triesOf = (length: number): number => {
          const line = pumped.join("").repeat(length).slice(0, length);
          return new Tries(`${line}!`, 1_000_000).anywhere(node, anchored);
        };
        const [short, long] = [triesOf(20), triesOf(40)];
        // Twice the line, four times the tries: eight times would be the cube.
        expect(long).toBeLessThan(Math.max(20_000, 5 * short));
      }),
      { numRuns: 300 },
    );
  });

  it("is judged in no time, however it was made", () => {
    const tricky = [
      `${"(".repeat(160)}a${")*".repeat(160)}`,
      `(${"a?".repeat(200)})*`,
      `(${"[a-z]*".repeat(80)})*`,
      "(a|b)".repeat(100),
      `(${Array.from({ length: 90 }, (_, index) => String.fromCodePoint(0x1_00 + index)).join("|")})*`,
      "(((a{10}){10}){10}){10}".repeat(20),
      "(?:a*b){9}".repeat(40),
    ];
    for (const source of tricky)
      expect(
        workOf(() => patternProblem(source)),
        source,
      ).toBeLessThan(1000);
  });
});
