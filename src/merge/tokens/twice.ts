import { tokenize, type Tokens } from "./lexer.ts";
import type { Language } from "../language.ts";
import type { Range } from "../three-way.ts";
import type { LineVersions } from "../versions.ts";
import type { Slice } from "./slice.ts";

const SHORTEST = 3;
/** Values that are no names: two things may well have the same one. */
const VALUES = new Set(["true", "false", "null", "undefined", "True", "False", "None", "nil"]);

/**
 * Whether both sides added one word, and the result has it from both: side by side, that is likely one edit that was
 * made twice.
 *
 * @example
 * // base `f(a);`, ours `f(log, a);`, theirs `f(a, log);`: the result `f(log, a, log);` has `log` twice
 */
export function addsTwice(
  versions: { readonly base: Slice; readonly ours: Slice; readonly theirs: Slice },
  result: string,
  language: Language | undefined,
): boolean {
  const [base, ours, theirs] = [countWords(versions.base), countWords(versions.ours), countWords(versions.theirs)];
  for (const [word, count] of countWords(tokenize(result, language))) {
    const [inBase, inOurs, inTheirs] = [base.get(word) ?? 0, ours.get(word) ?? 0, theirs.get(word) ?? 0];
    if (inOurs > inBase && inTheirs > inBase && count > Math.max(inOurs, inTheirs)) return true;
  }
  return false;
}

/**
 * Whether both sides added one line, and the result has it from both.
 *
 * @example
 * // base `run(0);`, ours `run(1);`, theirs `run(0);` and `run(1);`: the result `run(1);` and `run(1);` has it twice
 */
export function addsLineTwice(
  lines: LineVersions,
  place: { readonly base: Range; readonly ours: Range; readonly theirs: Range },
  result: string,
): boolean {
  const countOf = (version: "base" | "ours" | "theirs"): ReadonlyMap<string, number> =>
    countLines(lines[version].slice(place[version].start, place[version].end));
  const [base, ours, theirs] = [countOf("base"), countOf("ours"), countOf("theirs")];
  for (const [line, count] of countLines(result.split("\n"))) {
    const [inBase, inOurs, inTheirs] = [base.get(line) ?? 0, ours.get(line) ?? 0, theirs.get(line) ?? 0];
    if (inOurs > inBase && inTheirs > inBase && count > Math.max(inOurs, inTheirs)) return true;
  }
  return false;
}

function countLines(lines: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) if (/\w/.test(line)) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

function countWords({ texts, kinds }: Pick<Tokens, "texts" | "kinds">): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [at, text] of texts.entries()) {
    if (text.length < SHORTEST || VALUES.has(text) || (kinds[at] !== "word" && kinds[at] !== "quoted")) continue;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}
