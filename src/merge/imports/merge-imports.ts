import { linesOf } from "../lines.ts";
import type { Language } from "../language.ts";
import type { PieceMerge, PieceVersions, PolicyDrop, ResolutionClass, Step } from "../resolution.ts";
import { composeRun } from "./compose-run.ts";
import { followRename } from "./follow-rename.ts";
import { isWhole } from "./is-whole.ts";
import { isInPlace } from "./in-place.ts";
import { readRun } from "./read-run.ts";
import type { UnusedNames } from "./unused-names.ts";
import { wantedNames, type LeftOut, type Runs } from "./wanted-names.ts";

const UNUSED = { resolver: "policy:unused-import", class: "D" } as const;

/**
 * Merges three versions of a run of import statements by the names they import: every name that a side added is there
 * once, every one that a side removed is gone, and all that was not changed keeps its bytes.
 *
 * A conflict where both sides bind a name to different things, one changed what the other removed, or something
 * beside the names was changed by both.
 *
 * @param unused takes the names that are left out because one side imports them no more, although the other one changed
 * where they come from; whoever gives it sees that nothing uses them. Without it, that is a conflict
 * @example
 * mergeImports("python", { base: "from m import a\n", ours: "from m import a, b\n", theirs: "from m import a, c\n" })
 * // "from m import a, b, c\n"
 */
export function mergeImports(language: Language, versions: PieceVersions, unused?: UnusedNames): PieceMerge {
  const { base, ours, theirs } = versions;
  if (ours === theirs || theirs === base) return merged(ours, "A");
  if (ours === base) return merged(theirs, "A");
  const read = { base: readRun(language, base), ours: readRun(language, ours), theirs: readRun(language, theirs) };
  const runs = followRename(language, read);
  const wanted = wantedNames(runs);
  if (wanted === undefined) return conflict(versions);
  const { keys, leftOut } = wanted;
  const drops = dropsOf(runs, leftOut);
  const canLeaveOut = leftOut.every(({ name }) => unused?.canHold(language, name) === true);
  if (drops === undefined || !canLeaveOut) return conflict(versions);
  const composed = composeRun(runs, keys);
  if (composed === undefined || !isWhole(language, runs, keys, composed.text)) return conflict(versions);
  unused?.add(leftOut);
  return merged(composed.text, composed.isDisjoint ? "A" : "B", drops);
}

function merged(text: string, resolutionClass: ResolutionClass, drops: readonly PolicyDrop[] = []): PieceMerge {
  const step: Step = { resolver: "imports", class: resolutionClass };
  return { status: "merged", text, steps: drops.length === 0 ? [step] : [step, UNUSED], drops };
}

// A statement that also imports something else is more than what may be left out.
function dropsOf(runs: Runs, leftOut: readonly LeftOut[]): PolicyDrop[] | undefined {
  const drops: PolicyDrop[] = [];
  for (const one of leftOut) {
    const { name, side } = one;
    const statement = runs[side].statements.find(({ names }) => names.includes(name));
    if (statement === undefined || statement.names.length > 1 || !isInPlace(runs, one)) return undefined;
    drops.push({ policy: UNUSED.resolver, side, dropped: statement.text.trim(), kept: "" });
  }
  return drops;
}

function conflict({ base, ours, theirs }: PieceVersions): PieceMerge {
  const [baseLines, oursLines, theirsLines] = [base, ours, theirs].map(linesOf) as [string[], string[], string[]];
  const hunk = { baseStart: 0, baseLines, oursStart: 0, ours: oursLines, theirsStart: 0, theirs: theirsLines };
  return { status: "conflict", hunks: [hunk] };
}
