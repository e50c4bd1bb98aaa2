import { describeRefusal, type ClassRefusal } from "./class-policy.ts";
import type { Entry } from "../merge/change.ts";
import type { FileMerge } from "../merge/file.ts";
import type { Hunk } from "../merge/versions.ts";
import type { Meeting } from "./contents.ts";
import { editTo, type OpenPath } from "./decision.ts";
import type { TextEncoding } from "../base/text-encoding.ts";
import type { ConflictKind, PathConflict, ResolvedPath } from "./tree-merge.ts";

/** A file whose contents do not merge. */
export function openContents(
  meeting: Meeting,
  { why, hunks, losses = [] }: Extract<FileMerge, { status: "conflict" }>,
  encoding: TextEncoding,
): OpenPath {
  const { path } = meeting;
  const places = readable(hunks, encoding);
  if (why === "binary") return openMeeting(meeting, "binary", `both sides changed ${path}, which is no text`);
  if (why === "both-added") {
    return openMeeting(meeting, "both-added", `both sides added ${path}, with different contents`, places);
  }
  if (why === "loss") {
    const [loss] = losses;
    const what = `${loss?.kind ?? "lost-change"}, ${loss?.detail ?? ""}`;
    return openMeeting(meeting, "loss", `merging ${path} would not keep every edit: ${what}`, places);
  }
  if (why === "lock-file") {
    return openMeeting(
      meeting,
      "contents",
      `both sides changed ${path}, which its own program makes: it is not merged as text`,
    );
  }
  return openMeeting(
    meeting,
    "contents",
    `both sides changed ${path} ${placesOf(hunks.length)}${within(hunks)}`,
    places,
  );
}

/** A file that merges, of which the rules want more than that. */
export function openUncertain(
  meeting: Meeting,
  { resolver }: ResolvedPath,
  proposed: Entry,
  refused: ClassRefusal,
  hunks: readonly Hunk[],
): OpenPath {
  const message = `both sides changed ${meeting.path}; it merges by ${resolver}, but ${describeRefusal(refused)}`;
  const opened = openMeeting(meeting, "uncertain", message, hunks);
  return { ...opened, conflict: { ...opened.conflict, proposed } };
}

/** Places for people to read, where their lines may be bytes. */
export function readable(hunks: readonly Hunk[], encoding: TextEncoding): Hunk[] {
  const decode = (line: string): string => Buffer.from(line, encoding).toString("utf8");
  return hunks.map((hunk) => ({
    ...hunk,
    baseLines: hunk.baseLines.map(decode),
    ours: hunk.ours.map(decode),
    theirs: hunk.theirs.map(decode),
  }));
}

/** What the places are part of, as far as that has names. */
export function entitiesOf(hunks: readonly Hunk[]): string[] {
  return [...new Set(hunks.flatMap(({ entity }) => entity ?? []))];
}

const MOST_NAMED = 5;

function within(hunks: readonly Hunk[]): string {
  const names = entitiesOf(hunks);
  if (names.length === 0) return "";
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  return `, in ${names.slice(0, MOST_NAMED).join(", ")}${more}`;
}

function placesOf(count: number): string {
  return count === 1 ? "at the same place" : `at the same ${count} places`;
}

/** A file that needs a choice; each choice takes a side as it is. */
export function openMeeting(
  meeting: Meeting,
  kind: ConflictKind,
  message: string,
  hunks?: PathConflict["hunks"],
): OpenPath {
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
