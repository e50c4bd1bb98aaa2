/**
 * Merges whose right answer is known: what changed in a file between two releases is given to two sides, so that the newer
 * release is the merge. Where each edit goes to one side as a whole, by a place in the file or by chance, text alone can
 * merge them, and no such merge should be refused; where one edit is shared by both, it is a conflict for lines. An edit
 * that lines see as several may be torn apart, half a function to either side: sides like that nobody would hand in.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parseDocument } from "yaml";

import { findEdits } from "../src/merge/difference.ts";
import { mergeFile, type FileMerge } from "../src/merge/file.ts";
import { languageOf } from "../src/merge/language.ts";
import type { PieceVersions } from "../src/merge/resolution.ts";
import type { Parsers } from "../src/merge/syntax/parsers.ts";
import type { Bench } from "./bench.ts";
import { grammarsFor } from "./grammars-for.ts";
import { MergeCaseWriter } from "./merge-cases.ts";
import { seeded, shuffled, type Random } from "./random.ts";
import type { Report } from "./report.ts";

const LARGEST_BYTES = 200_000;
/** How far back the older release is in this repository's own history. */
const COMMITS_BACK = 150;

export const mergeReleases: Bench = {
  name: "merge-releases",
  about: "the changes between two releases, shared out to two sides: of this repository, or --old FOLDER --new FOLDER",
  async run(report, { releases, short, seed }) {
    const changes = releases === undefined ? readOwnHistory() : readFolders(releases.old, releases.new);
    if (changes.length === 0) return report.note("left out: there is no older release");
    const random = seeded(seed ?? 1);
    const chosen = shuffled(changes, random).slice(0, short ? 200 : 2000);
    const grammars = await grammarsFor(chosen.map(({ path }) => path));
    const cases = releases?.write === undefined ? undefined : new MergeCaseWriter(releases.write);
    const count = (share: Share): Answers => countAnswers({ random, parsers: grammars, cases }, chosen, share);
    writeReport(report, {
      "by a place between edits": count("by a place between edits"),
      "each edit by chance": count("each edit by chance"),
      "by a place inside an edit": count("by a place inside an edit"),
    });
  },
};

interface Change {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

function readFolders(old: string, now: string): Change[] {
  const changes: Change[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of readdirSync(join(old, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      if (!entry.isFile() || !isTaken(path) || !existsSync(join(now, path))) continue;
      changes.push({
        path,
        before: readFileSync(join(old, path), "utf8"),
        after: readFileSync(join(now, path), "utf8"),
      });
    }
  }
  return changes.filter(isUseful);
}

function readOwnHistory(): Change[] {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8", maxBuffer: 1 << 28 });
  const old = `HEAD~${Math.min(COMMITS_BACK, Number(git("rev-list", "--count", "HEAD")) - 1)}`;
  const paths = git("diff", "--name-only", "--diff-filter=M", "--no-renames", old, "HEAD").trim().split("\n");
  const at = (commit: string, path: string): string => git("show", `${commit}:${path}`);
  const changes = paths.filter(isTaken).map((path) => ({ path, before: at(old, path), after: at("HEAD", path) }));
  return changes.filter(isUseful);
}

function isTaken(path: string): boolean {
  return /\.(tsx?|[mc]?jsx?|py|go|rs|java|md|toml|txt|json|ya?ml)$/.test(path) && !/lock\.json$|\.d\.ts$/.test(path);
}

function isUseful({ before, after }: Change): boolean {
  return before !== after && Math.max(before.length, after.length) <= LARGEST_BYTES && !before.includes("\r");
}

/** How edits are shared out. */
type Share = "by a place between edits" | "each edit by chance" | "by a place inside an edit";

interface Answers {
  merges: number;
  /** Equal to the newer release. */
  right: number;
  /** With its lines in another order: both sides put something at one place. */
  reordered: number;
  readonly other: Odd[];
  readonly refused: Odd[];
  /** Those refused of which a side does not parse, or has a key twice. */
  torn: number;
}

/** A merge that one may want to look at. */
interface Odd extends PieceVersions {
  readonly path: string;
  readonly merge: FileMerge;
}

interface Means {
  readonly random: Random;
  readonly parsers: Parsers;
  /** Where the merges are to be kept. */
  readonly cases: MergeCaseWriter | undefined;
}

function countAnswers({ random, parsers, cases }: Means, changes: readonly Change[], share: Share): Answers {
  const answers: Answers = { merges: 0, right: 0, reordered: 0, other: [], refused: [], torn: 0 };
  for (const change of changes) {
    const versions = shareOut(change, random, share);
    if (versions === undefined) continue;
    answers.merges += 1;
    cases?.add({ path: change.path, ...versions, human: change.after });
    const merge = mergeFile({ path: change.path, versions, policy: "text", parsers });
    const odd = { path: change.path, ...versions, merge };
    if (merge.status === "conflict") {
      answers.refused.push(odd);
      if (isTorn(change.path, versions, parsers)) answers.torn += 1;
    } else if (linesOf(merge.text).join("\n") === linesOf(change.after).join("\n")) answers.right += 1;
    else if (sorted(merge.text) === sorted(change.after)) answers.reordered += 1;
    else answers.other.push(odd);
  }
  return answers;
}

function isTorn(path: string, { base, ours, theirs }: PieceVersions, parsers: Parsers): boolean {
  return isWhole(path, base, parsers) && ![ours, theirs].every((side) => isWhole(path, side, parsers));
}

function isWhole(path: string, text: string, parsers: Parsers): boolean {
  if (/\.(json|ya?ml)$/.test(path)) return parseDocument(text).errors.length === 0;
  const language = languageOf(path);
  const tree = language && parsers.parse(language, text)?.tree;
  const hasError = tree?.rootNode.hasError ?? false;
  tree?.delete();
  return !hasError;
}

/** A piece of an edit, as what stands in the place of lines of the older release. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

function shareOut({ before, after }: Change, random: Random, share: Share): PieceVersions | undefined {
  const [base, side] = [before.split("\n"), after.split("\n")];
  const edits = findEdits(base, side).map((edit) => ({
    start: edit.baseStart,
    end: edit.baseEnd,
    lines: side.slice(edit.sideStart, edit.sideEnd),
  }));
  const pieces = share === "by a place inside an edit" ? edits.flatMap(halves) : edits;
  const first = new Set(share === "each edit by chance" ? pieces.filter(() => random.below(2) === 0) : []);
  if (share !== "each edit by chance") {
    const places = pieces.flatMap((piece, at) => {
      const isTouching = at > 0 && pieces[at - 1]?.end === piece.start;
      return at > 0 && isTouching === (share === "by a place inside an edit") ? [at] : [];
    });
    for (const piece of pieces.slice(0, places[random.below(places.length)] ?? 0)) first.add(piece);
  }
  if (first.size === 0 || first.size === pieces.length) return undefined;
  const of = (isFirst: boolean): string =>
    apply(
      base,
      pieces.filter((piece) => first.has(piece) === isFirst),
    );
  const [ours, theirs] = random.below(2) === 0 ? [of(true), of(false)] : [of(false), of(true)];
  return { base: before, ours, theirs };
}

/** An edit in two, each of which could be an edit: line by line where as many lines are replaced, or of what is added. */
function halves({ start, end, lines }: Piece): Piece[] {
  const half = Math.floor(lines.length / 2);
  if (lines.length < 2 || (end > start && end - start !== lines.length)) return [{ start, end, lines }];
  const middle = end === start ? start : start + half;
  return [
    { start, end: middle, lines: lines.slice(0, half) },
    { start: middle, end, lines: lines.slice(half) },
  ];
}

function apply(base: readonly string[], pieces: readonly Piece[]): string {
  const lines: string[] = [];
  let at = 0;
  for (const piece of pieces) {
    lines.push(...base.slice(at, piece.start), ...piece.lines);
    at = piece.end;
  }
  return [...lines, ...base.slice(at)].join("\n");
}

function linesOf(text: string): string[] {
  return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trimEnd()]));
}

function sorted(text: string): string {
  return linesOf(text)
    .map((line) => line.trim())
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join("\n");
}

function writeReport(report: Report, answers: Readonly<Record<Share, Answers>>): void {
  const columns = [
    "edits are shared out",
    "merges",
    "right %",
    "reordered %",
    "other",
    "refused %",
    "of whole sides %",
  ];
  const percent = (count: number, { merges }: Answers): number => (100 * count) / merges;
  const row = ([share, answer]: [string, Answers]): (string | number)[] => {
    const { merges, right, reordered, other, refused, torn } = answer;
    const shares = [percent(refused.length, answer), percent(refused.length - torn, answer)];
    return [share, merges, percent(right, answer), percent(reordered, answer), other.length, ...shares];
  };
  report.table("what became of them", columns, Object.entries(answers).map(row));
  const { "by a place between edits": apart, "each edit by chance": mixed } = answers;
  report.keep("odd", answers);
  report.limit("merges by a place that came to something else", apart.other.length, { atMost: 0 });
  const wholeSides = (answer: Answers): number => percent(answer.refused.length - answer.torn, answer);
  report.limit("merges of whole sides by a place refused, %", wholeSides(apart), { atMost: 2 });
  report.limit("merges of whole sides by chance refused, %", wholeSides(mixed), { atMost: 5 });
}
