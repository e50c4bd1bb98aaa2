/**
 * The engine against sources cut up and put together at random: it must never throw, never take long, and what it merges
 * must have every word that the two sides' edits leave, counted here by itself.
 */
import { systemClock } from "../src/base/clock.ts";
import { Grammars } from "../src/grammars/grammars.ts";
import { mergeFile, type FileMerge } from "../src/merge/file.ts";
import { languageOf, type Language } from "../src/merge/language.ts";
import { readSource } from "../src/merge/syntax/read-source.ts";
import type { Bench } from "./bench.ts";
import { readMergeCases } from "./merge-cases.ts";
import { makeMerge } from "./merge-sources.ts";
import { seeded, type Random } from "./random.ts";

const CHOSEN_CASES = 400;
const SHOWN = 5;

export const mergeFuzz: Bench = {
  name: "merge-fuzz",
  about: "sources cut up at random: never thrown, never slow, no word lost; also with --cases FOLDER",
  async run(report, { short, seed, cases }) {
    const count = short ? 1000 : 10_000;
    const seeds = seed === undefined ? Array.from({ length: count }, (_, at) => at + 1) : [seed];
    const grammars = new Grammars();
    const known = cases === undefined ? [] : chooseCases(cases);
    const outcomes: Outcome[] = [];
    for (const one of seeds) outcomes.push(await tryOne(one, known, grammars));
    const merged = outcomes.filter(({ answer }) => answer === "merged");
    const bad = outcomes.filter(({ answer, words }) => answer === "thrown" || words.length > 0);
    for (const { seed: which, path, why, words } of bad.slice(0, SHOWN))
      report.note(`--seed ${which}: ${path}: ${why ?? words.slice(0, SHOWN).join(", ")}`);
    const answers = ["merged", "lines", "loss", "thrown"];
    const counts = answers.map((name) => outcomes.filter(({ answer }) => answer === name).length);
    report.table("random splices", answers, [counts]);
    report.limit("thrown", outcomes.filter(({ answer }) => answer === "thrown").length, { atMost: 0 });
    report.limit("merged with a word too few or too many", merged.filter(({ words }) => words.length > 0).length, {
      atMost: 0,
    });
    report.limit("slowest, ms", Math.max(...outcomes.map(({ tookMs }) => tookMs)), { atMost: 5000 });
  },
};

interface Texts {
  readonly path: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

interface Outcome {
  readonly seed: number;
  readonly path: string;
  readonly answer: string;
  readonly tookMs: number;
  readonly why?: string;
  /** Words that the result has too few or too many of. */
  readonly words: readonly string[];
}

function chooseCases(folder: string): Texts[] {
  const known: Texts[] = [];
  let at = 0;
  for (const { path, base, ours, theirs } of readMergeCases(folder)) {
    at += 1;
    if (at % 2 === 0 && languageOf(path) !== undefined && base.length < 40_000)
      known.push({ path, base, ours, theirs });
  }
  return known.filter((_, place) => place % Math.ceil(known.length / CHOSEN_CASES) === 0);
}

async function tryOne(seed: number, known: readonly Texts[], parsers: Grammars): Promise<Outcome> {
  const random = seeded(seed);
  const texts = spliced(
    known.length === 0 ? makeMerge(seed, random) : (known[random.below(known.length)] as Texts),
    random,
  );
  const { path, ...versions } = texts;
  const language = languageOf(path);
  if (language !== undefined) await parsers.load(language);
  const beganMs = systemClock.monotonicMs();
  try {
    const merge = mergeFile({ path, versions, policy: "text", parsers });
    const tookMs = systemClock.monotonicMs() - beganMs;
    return { seed, path, answer: answerOf(merge), tookMs, words: wrongWords(texts, merge, parsers) };
  } catch (error) {
    return { seed, path, answer: "thrown", tookMs: 0, why: String(error), words: [] };
  }
}

function answerOf(merge: FileMerge): string {
  return merge.status === "merged" ? "merged" : merge.why;
}

// Each side is the base after some random edits, with pieces of all versions.
function spliced({ path, base, ours, theirs }: Texts, random: Random): Texts {
  const pool = [base, ours, theirs].flatMap((text) => text.split("\n"));
  const start = random.below(2) === 0 ? base : ours;
  const edit = (): string => {
    let lines = start.split("\n");
    for (let edits = random.below(4); edits >= 0; edits -= 1) lines = edited(lines, pool, random);
    return lines.join("\n");
  };
  return { path, base: start, ours: edit(), theirs: random.below(4) === 0 ? theirs : edit() };
}

function edited(lines: readonly string[], pool: readonly string[], random: Random): string[] {
  const at = random.below(lines.length + 1);
  const size = 1 + random.below(6);
  const [before, some, after] = [lines.slice(0, at), lines.slice(at, at + size), lines.slice(at + size)];
  const from = random.below(pool.length);
  const taken = pool.slice(from, from + size);
  switch (random.below(7)) {
    case 0:
      return [...before, ...taken, ...some, ...after];
    case 1:
      return [...before, ...after];
    case 2:
      return [...before, ...taken, ...after];
    case 3:
      return [...before, ...some.map((line) => `  ${line}`), ...after];
    case 4: {
      const place = random.below(after.length + 1);
      return [...before, ...after.slice(0, place), ...some, ...after.slice(place)];
    }
    case 5:
      return [...before, ...some.map((line) => line.replace(/\w+/, `name${random.below(5)}`)), ...after];
    default:
      return [...before, ...some.map((line) => line.slice(0, random.below(line.length + 1))), ...after];
  }
}

// A line that both sides added, or both took away, may be one edit or two. Imports are merged as sets of names, so words
// in them are not counted; and in what does not parse nobody can tell what is one.
function wrongWords({ path, base, ours, theirs }: Texts, merge: FileMerge, parsers: Grammars): string[] {
  const language = languageOf(path);
  if (merge.status === "conflict" || merge.drops.length > 0 || language === undefined) return [];
  const read = [base, ours, theirs, merge.text].map((text) => readWords(parsers, language, text));
  if (read.includes(undefined)) return [];
  const counts = read.map((one) => one?.counts ?? new Map<string, number>());
  const imported = new Set(read.flatMap((one) => [...(one?.imported ?? [])]));
  const shared = sharedEdits(base, ours, theirs);
  return [...new Set(counts.flatMap((words) => [...words.keys()]))].filter((word) => {
    if (imported.has(word)) return false;
    const [before = 0, byOurs = 0, byTheirs = 0, after = 0] = counts.map((words) => words.get(word) ?? 0);
    const both = byOurs + byTheirs - before;
    return after < both - (shared.added.get(word) ?? 0) || after > both + (shared.removed.get(word) ?? 0);
  });
}

interface Words {
  readonly counts: ReadonlyMap<string, number>;
  readonly imported: ReadonlySet<string>;
}

function readWords(parsers: Grammars, language: Language, text: string): Words | undefined {
  const parsed = parsers.parse(language, text);
  if (parsed === undefined) return undefined;
  const { entities, errorCount } = readSource(parsed);
  parsed.tree.delete();
  if (errorCount > 0) return undefined;
  const counts = new Map<string, number>();
  const imported = new Set<string>();
  for (const { kind, start, end } of entities) {
    for (const word of wordsOf(text.slice(start, end))) {
      if (kind === "imports") imported.add(word);
      else counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return { counts, imported };
}

/** The words of lines that both sides added, and of those that both took away: as often as both did. */
function sharedEdits(base: string, ours: string, theirs: string): Record<"added" | "removed", Map<string, number>> {
  const [before, own, other] = [base, ours, theirs].map(countLines) as [LineCounts, LineCounts, LineCounts];
  const shared = { added: new Map<string, number>(), removed: new Map<string, number>() };
  for (const line of new Set([...before.keys(), ...own.keys(), ...other.keys()])) {
    const [byOurs, byTheirs] = [own, other].map((side) => (side.get(line) ?? 0) - (before.get(line) ?? 0)) as [
      number,
      number,
    ];
    const to = byOurs > 0 && byTheirs > 0 ? shared.added : byOurs < 0 && byTheirs < 0 ? shared.removed : undefined;
    const times = Math.min(Math.abs(byOurs), Math.abs(byTheirs));
    if (to !== undefined) for (const word of wordsOf(line)) to.set(word, (to.get(word) ?? 0) + times);
  }
  return shared;
}

type LineCounts = ReadonlyMap<string, number>;

function countLines(text: string): LineCounts {
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) counts.set(line.trim(), (counts.get(line.trim()) ?? 0) + 1);
  return counts;
}

function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}_$]+/gu) ?? [];
}
