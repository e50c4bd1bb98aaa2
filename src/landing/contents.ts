import { Semaphore } from "../base/semaphore.ts";
import type { Git } from "../git/git.ts";
import type { Entry } from "../merge/change.ts";
import type { FileMerge } from "../merge/file.ts";
import { hasMarkers, type MergePolicy } from "../merge/text.ts";
import type { Hunk } from "../merge/versions.ts";
import type { Vault } from "../workspaces/vault.ts";
import { readPolicies, type PathPolicy } from "./attributes.ts";
import { editTo, type Decision } from "./decision.ts";
import { readContents, type TextEncoding } from "./file-contents.ts";
import { mergeContents } from "./file-merge.ts";
import type { ConflictKind, PathConflict } from "./tree-merge.ts";

/** A file that both sides changed, or both added; each may have it at another path. */
export interface Meeting {
  /** Where the result is to have it. */
  readonly path: string;
  /** Where the base had it, if it was moved. */
  readonly movedFrom?: string | undefined;
  readonly movedBy?: "ours" | "theirs" | undefined;
  readonly base: Entry | undefined;
  readonly ours: Entry;
  readonly theirs: Entry;
}

/** Above this a file is not merged as text. */
const LARGEST_TEXT_BYTES = 16 * 1024 * 1024;
/** As many are in memory at once, with three texts each. */
const MOST_MEETINGS = 4;
/** More merged texts than this are not kept in memory. */
const MOST_STAGED_BYTES = 32 * 1024 * 1024;

/** Decides about files that both sides changed: their contents are merged by the attributes of ours. */
export async function decideMeetings(
  git: Git,
  vault: Vault,
  ours: string,
  meetings: readonly Meeting[],
): Promise<Decision[]> {
  if (meetings.length === 0) return [];
  const paths = meetings.map(({ path }) => path);
  const policies = await readPolicies(git, vault, ours, paths);
  const turns = new Semaphore(MOST_MEETINGS);
  const decide = async (meeting: Meeting): Promise<Decision> => {
    const decision = await decideMeeting(vault, meeting, policies.get(meeting.path) ?? { policy: "text" });
    await vault.objects.flush(MOST_STAGED_BYTES);
    return decision;
  };
  return Promise.all(meetings.map((meeting) => turns.run(() => decide(meeting))));
}

async function decideMeeting(vault: Vault, meeting: Meeting, { policy, driver }: PathPolicy): Promise<Decision> {
  const mode = mergeModes(meeting);
  if (mode === undefined) {
    const modes = `${meeting.ours.mode} and ${meeting.theirs.mode}`;
    return open(meeting, "mode", `the two sides gave ${meeting.path} different modes, ${modes}`);
  }
  if (driver !== undefined) return open(meeting, "attributes", namesDriver(meeting.path, driver));
  const sizeBytes = await largestSize(vault, meeting);
  if (policy === "binary" || sizeBytes > LARGEST_TEXT_BYTES) {
    const why = policy === "binary" ? "the attributes say that it is not to be merged" : `it has ${sizeBytes} bytes`;
    return open(meeting, "binary", `both sides changed ${meeting.path}, and ${why}`);
  }
  return decideContents(vault, meeting, mode, policy);
}

function namesDriver(path: string, driver: string): string {
  return `both sides changed ${path}, for which the attributes name the merge driver ${JSON.stringify(driver)}: such a program is not run`;
}

async function largestSize({ objects }: Vault, { base, ours, theirs }: Meeting): Promise<number> {
  const oids = [base, ours, theirs].flatMap((entry) => (entry === undefined ? [] : [entry.oid]));
  const sizes = await Promise.all(oids.map((oid) => objects.sizeOf(oid)));
  return Math.max(...sizes.map((size) => size ?? 0));
}

async function decideContents(vault: Vault, meeting: Meeting, mode: string, policy: MergePolicy): Promise<Decision> {
  const { path, movedFrom } = meeting;
  const { versions, encoding } = await readContents(vault, meeting);
  const merge = await mergeContents(path, { versions, encoding }, policy);
  if (merge.status === "conflict") return openContents(meeting, merge, encoding);
  if (hasMarkers(merge.text) && !hasMarkers(versions.ours) && !hasMarkers(versions.theirs)) {
    return open(meeting, "contents", `merging ${path} would leave conflict markers in it`);
  }
  const oid = vault.objects.stageBlob(Buffer.from(merge.text, encoding));
  const { resolvers, drops } = merge;
  return {
    type: "merged",
    path,
    edits: [...(movedFrom === undefined ? [] : [editTo(movedFrom, undefined)]), editTo(path, { mode, oid })],
    resolved: {
      path,
      resolver: resolvers.join("+"),
      class: merge.class,
      ...(drops.length === 0 ? {} : { drops }),
    },
  };
}

/** Content and mode are each taken from the side that changed them. */
function mergeModes({ base, ours, theirs }: Meeting): string | undefined {
  if (ours.mode === theirs.mode || theirs.mode === base?.mode) return ours.mode;
  return ours.mode === base?.mode ? theirs.mode : undefined;
}

function openContents(
  meeting: Meeting,
  { why, hunks, losses = [] }: Extract<FileMerge, { status: "conflict" }>,
  encoding: TextEncoding,
): Decision {
  const { path } = meeting;
  const places = encoding === "utf8" ? hunks : hunks.map(readable);
  if (why === "binary") return open(meeting, "binary", `both sides changed ${path}, which is no text`);
  if (why === "both-added") {
    return open(meeting, "both-added", `both sides added ${path}, with different contents`, places);
  }
  if (why === "loss") {
    const [loss] = losses;
    const what = `${loss?.kind ?? "lost-change"}, ${loss?.detail ?? ""}`;
    return open(meeting, "loss", `merging ${path} would not keep every edit: ${what}`, places);
  }
  if (why === "lock-file") {
    return open(
      meeting,
      "contents",
      `both sides changed ${path}, which its own program makes: it is not merged as text`,
    );
  }
  return open(meeting, "contents", `both sides changed ${path} ${placesOf(hunks.length)}`, places);
}

/** A place for people to read, where its lines are bytes. */
function readable(hunk: Hunk): Hunk {
  const decode = (line: string): string => Buffer.from(line, "latin1").toString("utf8");
  return {
    ...hunk,
    baseLines: hunk.baseLines.map(decode),
    ours: hunk.ours.map(decode),
    theirs: hunk.theirs.map(decode),
  };
}

function placesOf(count: number): string {
  return count === 1 ? "at the same place" : `at the same ${count} places`;
}

function open(meeting: Meeting, kind: ConflictKind, message: string, hunks?: PathConflict["hunks"]): Decision {
  const { path, movedFrom, movedBy, base, ours, theirs } = meeting;
  const left = movedFrom === undefined ? [] : [editTo(movedFrom, undefined)];
  return {
    type: "open",
    conflict: {
      path: movedBy === "theirs" ? (movedFrom ?? path) : path,
      kind,
      base,
      ours,
      theirs,
      hunks,
      message,
      renamedTo: movedBy === "theirs" ? path : undefined,
    },
    held: movedFrom === undefined ? [path] : [movedFrom, path],
    choices: { ours: [...left, editTo(path, ours)], theirs: [...left, editTo(path, theirs)] },
  };
}
