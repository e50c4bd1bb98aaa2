import type { Language } from "../language.ts";
import type { PieceMerge, PieceVersions, ResolutionClass } from "../resolution.ts";
import { composeRun } from "./compose-run.ts";
import { followRename } from "./follow-rename.ts";
import { isWhole } from "./is-whole.ts";
import { readRun } from "./read-run.ts";
import { wantedNames } from "./wanted-names.ts";

/**
 * Merges three versions of a run of import statements by the names they import: every name that a side added is there
 * once, every one that a side removed is gone, and all that was not changed keeps its bytes.
 *
 * A conflict where both sides bind a name to different things, one changed what the other removed, or something
 * beside the names was changed by both.
 *
 * @example
 * mergeImports("python", { base: "from m import a\n", ours: "from m import a, b\n", theirs: "from m import a, c\n" })
 * // "from m import a, b, c\n"
 */
export function mergeImports(language: Language, versions: PieceVersions): PieceMerge {
  const { base, ours, theirs } = versions;
  if (ours === theirs || theirs === base) return merged(ours, "A");
  if (ours === base) return merged(theirs, "A");
  const read = { base: readRun(language, base), ours: readRun(language, ours), theirs: readRun(language, theirs) };
  const runs = followRename(language, read);
  const wanted = wantedNames(runs);
  if (wanted === undefined) return conflict(versions);
  const composed = composeRun(runs, wanted);
  if (composed === undefined || !isWhole(language, runs, wanted, composed.text)) return conflict(versions);
  return merged(composed.text, composed.isDisjoint ? "A" : "B");
}

function merged(text: string, resolutionClass: ResolutionClass): PieceMerge {
  return { status: "merged", text, steps: [{ resolver: "imports", class: resolutionClass }], drops: [] };
}

function conflict({ base, ours, theirs }: PieceVersions): PieceMerge {
  const [baseLines, oursLines, theirsLines] = [base, ours, theirs].map(linesOf) as [string[], string[], string[]];
  const hunk = { baseStart: 0, baseLines, oursStart: 0, ours: oursLines, theirsStart: 0, theirs: theirsLines };
  return { status: "conflict", hunks: [hunk] };
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
