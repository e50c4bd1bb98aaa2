import { landedByPath, type PathHistory } from "../landing/history.ts";
import { mergeChangeset } from "../landing/merge-changeset.ts";
import type { PathConflict } from "../landing/tree-merge.ts";
import type { ConflictFileView, ConflictListing, ConflictView } from "../protocol/views.ts";
import { loadOpenConflicts } from "../store/conflicts.ts";
import { toleratedCommands } from "./base-verdict.ts";
import { runOf, type KeptConflict } from "./conflict-lookup.ts";
import { findOpened } from "./conflict-workspace.ts";
import type { Lander } from "./lander.ts";
import { summarizeConflict } from "./landing-views.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { ConflictRecord } from "./settlement.ts";
import { landingRulesOf } from "./verify-rules.ts";
import { intentOf } from "../workflows/intent.ts";

/** Every conflict that waits for somebody, of one repository or of all. */
export async function listConflicts(parts: Parts, repositoryId: string | undefined): Promise<ConflictListing[]> {
  const rows = await loadOpenConflicts<ConflictRecord>(parts.store, repositoryId);
  return Promise.all(rows.map(async (row) => listConflict(parts, await runOf(parts, row), row)));
}

async function listConflict(parts: Parts, run: LiveRun, row: KeptConflict): Promise<ConflictListing> {
  const opened = row.state === "open" ? await findOpened(parts, run, row) : undefined;
  return {
    ...summarizeConflict(row),
    ...(run.row.spec.name === undefined ? {} : { runName: run.row.spec.name }),
    repository: run.row.plan.root,
    ...(opened === undefined ? {} : { folder: opened.folder }),
  };
}

/** How much of a conflict is shown. */
interface Bounds {
  readonly files: number;
  readonly hunks: number;
  readonly lines: number;
}

const SOME: Bounds = { files: 20, hunks: 10, lines: 40 };
const ALL: Bounds = { files: 100_000, hunks: 100_000, lines: 1_000_000 };

/** A conflict with both sides and where they meet, as it was when it came up. */
export async function viewConflict(
  parts: Parts,
  lander: Lander,
  row: KeptConflict,
  full: boolean,
): Promise<ConflictView> {
  const run = await runOf(parts, row);
  const vault = parts.vaultOf(run.row.repositoryId);
  const { candidate, ours, lane } = row.record;
  const bounds = full ? ALL : SOME;
  const rules = landingRulesOf(parts, vault, ours, toleratedCommands(run, run.row.landing));
  const [listing, merge, history, tip] = await Promise.all([
    listConflict(parts, run, row),
    mergeChangeset(parts.git, vault, ours, candidate, rules),
    landedByPath(parts.git, vault, candidate.base, ours),
    lander.laneOf(run, false).then((lane) => lane.tip()),
  ]);
  const found = new Map(merge.status === "conflict" ? merge.conflicts.map((one) => [one.path, one]) : []);
  const shown = row.record.conflicts.slice(0, bounds.files);
  return {
    ...listing,
    attempt: candidate.attempt,
    intent: candidate.intent,
    lane,
    base: candidate.base,
    ours,
    theirs: candidate.snapshot,
    isOutdated: (tip ?? run.row.baseCommit) !== ours,
    ...(row.landing === undefined ? {} : { landing: row.landing }),
    files: await Promise.all(
      shown.map(async (conflict) => ({
        ...viewFile(found.get(conflict.path) ?? conflict, row, bounds),
        landed: await Promise.all((history.get(conflict.path) ?? []).map((one) => viewLanded(parts, one))),
      })),
    ),
    filesLeft: row.record.conflicts.length - shown.length,
  };
}

function viewFile(conflict: PathConflict, { choices }: KeptConflict, bounds: Bounds): Omit<ConflictFileView, "landed"> {
  const { path, kind, message, renamedTo, base, ours, theirs, hunks = [] } = conflict;
  const choice = choices[path];
  return {
    path,
    kind,
    message,
    ...(choice === undefined ? {} : { choice }),
    ...(renamedTo === undefined ? {} : { renamedTo }),
    modes: {
      ...(base === undefined ? {} : { base: base.mode }),
      ...(ours === undefined ? {} : { ours: ours.mode }),
      ...(theirs === undefined ? {} : { theirs: theirs.mode }),
    },
    hunks: hunks.slice(0, bounds.hunks).map((hunk) => viewHunk(hunk, bounds.lines)),
    hunksLeft: Math.max(0, hunks.length - bounds.hunks),
  };
}

type Hunk = NonNullable<PathConflict["hunks"]>[number];

function viewHunk(hunk: Hunk, most: number): ConflictFileView["hunks"][number] {
  const view = (start: number, lines: readonly string[]): ConflictFileView["hunks"][number]["base"] => ({
    start: start + 1,
    lines: lines.slice(0, most).map((line) => line.slice(0, LONGEST_LINE)),
    linesLeft: Math.max(0, lines.length - most),
  });
  return {
    base: view(hunk.baseStart, hunk.baseLines),
    ours: view(hunk.oursStart, hunk.ours),
    theirs: view(hunk.theirsStart, hunk.theirs),
  };
}

const LONGEST_LINE = 2000;

async function viewLanded(parts: Parts, landed: PathHistory): Promise<ConflictFileView["landed"][number]> {
  const { commit, subject, author, attempt } = landed;
  if (attempt === undefined) return { commit, subject, author };
  const [run = "", task = ""] = attempt.split("/");
  const spec = (await parts.book.find(run))?.tasks.get(task)?.spec;
  const intent = spec === undefined ? undefined : intentOf(spec);
  return { commit, subject, author, task: `${run}/${task}`, ...(intent === undefined ? {} : { intent }) };
}
