import type { Language } from "../language.ts";
import { lexisOf } from "./languages/lexis.ts";
import { readRun } from "./read-run.ts";
import { blankComments } from "./scan.ts";
import type { ImportRun } from "./statement.ts";
import type { Runs } from "./wanted-names.ts";

/** Whether a text that was put together has just the names it has to have, and the comments of both sides. */
export function isWhole(language: Language, runs: Runs, wanted: ReadonlySet<string>, text: string): boolean {
  const result = readRun(language, text);
  const keys = result.statements.flatMap(({ names }) => names.map(({ key }) => key));
  if (keys.length !== wanted.size || keys.some((key) => !wanted.has(key))) return false;
  const [base, ours, theirs] = [runs.base, runs.ours, runs.theirs].map((run) => tallyComments(language, textOf(run)));
  const counts = tallyComments(language, text);
  const comments = new Set([base, ours, theirs, counts].flatMap((tally) => [...(tally?.keys() ?? [])]));
  return [...comments].every((comment) => {
    const [before = 0, byOurs = 0, byTheirs = 0, after = 0] = [base, ours, theirs, counts].map(
      (tally) => tally?.get(comment) ?? 0,
    );
    const both = byOurs + byTheirs - before;
    // What both added, or both removed, may be one edit.
    const least = Math.min(both, Math.max(byOurs, byTheirs));
    const most = Math.max(both, Math.min(byOurs, byTheirs));
    return after >= least && after <= most;
  });
}

function textOf({ statements, tail }: ImportRun): string {
  return statements.map(({ lead, text }) => lead + text).join("") + tail;
}

// Comment lines, each as it is without the code beside it.
function tallyComments(language: Language, text: string): Map<string, number> {
  const code = blankComments(text, lexisOf(language)).split("\n");
  const counts = new Map<string, number>();
  for (const [at, line] of text.split("\n").entries()) {
    let comment = "";
    const plain = code[at] ?? "";
    for (let place = 0; place < line.length; place += 1)
      if (line[place] !== plain[place]) comment += line[place] as string;
    const words = comment.replace(/\s+/g, "");
    if (words !== "") counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  return counts;
}
