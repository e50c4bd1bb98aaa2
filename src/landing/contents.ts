import { Semaphore } from "../base/semaphore.ts";
import type { Git } from "../git/git.ts";
import type { Entry } from "../merge/change.ts";
import { refuseClasses } from "./class-policy.ts";
import type { FileMerge } from "../merge/file.ts";
import { hasMarkers, mergeText, type MergePolicy } from "../merge/text.ts";
import type { Hunk, TextVersions } from "../merge/versions.ts";
import type { Vault } from "../workspaces/vault.ts";
import { readPolicies, type PathPolicy } from "./attributes.ts";
import { editTo, type Decision } from "./decision.ts";
import { readContents } from "./file-contents.ts";
import { mergeContents } from "./file-merge.ts";
import { openContents, openMeeting, openUncertain, readable } from "./open-meeting.ts";
import { recallResolutions, type KnownResolutions } from "./resolution-cache.ts";
import type { ResolvedPath, RulesSource } from "./tree-merge.ts";

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

/**
 * Decides about files that both sides changed: their contents are merged by the attributes of ours, and are open all the
 * same where the rules do not let such a merge land by itself.
 */
export async function decideMeetings(
  git: Git,
  vault: Vault,
  ours: string,
  meetings: readonly Meeting[],
  rules: RulesSource | undefined,
): Promise<Decision[]> {
  if (meetings.length === 0) return [];
  const paths = meetings.map(({ path }) => path);
  const policies = await readPolicies(git, vault, ours, paths);
  const turns = new Semaphore(MOST_MEETINGS);
  const means = { vault, rules, recall: recallResolutions(git, vault) };
  const decide = async (meeting: Meeting): Promise<Decision> => {
    const policy = policies.get(meeting.path) ?? { policy: "text" };
    const decision = await decideMeeting(means, meeting, policy);
    await vault.objects.flush(MOST_STAGED_BYTES);
    return decision;
  };
  return Promise.all(meetings.map((meeting) => turns.run(() => decide(meeting))));
}

/** What decisions are made with. */
interface Means {
  readonly vault: Vault;
  readonly rules: RulesSource | undefined;
  readonly recall: () => Promise<KnownResolutions>;
}

async function decideMeeting(means: Means, meeting: Meeting, { policy, driver }: PathPolicy): Promise<Decision> {
  const mode = mergeModes(meeting);
  if (mode === undefined) {
    const modes = `${meeting.ours.mode} and ${meeting.theirs.mode}`;
    return openMeeting(meeting, "mode", `the two sides gave ${meeting.path} different modes, ${modes}`);
  }
  if (driver !== undefined) return openMeeting(meeting, "attributes", namesDriver(meeting.path, driver));
  const sizeBytes = await largestSize(means.vault, meeting);
  if (policy === "binary" || sizeBytes > LARGEST_TEXT_BYTES) {
    const why = policy === "binary" ? "the attributes say that it is not to be merged" : `it has ${sizeBytes} bytes`;
    return openMeeting(meeting, "binary", `both sides changed ${meeting.path}, and ${why}`);
  }
  return decideContents(means, meeting, mode, policy);
}

function namesDriver(path: string, driver: string): string {
  return `both sides changed ${path}, for which the attributes name the merge driver ${JSON.stringify(driver)}: such a program is not run`;
}

async function largestSize({ objects }: Vault, { base, ours, theirs }: Meeting): Promise<number> {
  const oids = [base, ours, theirs].flatMap((entry) => (entry === undefined ? [] : [entry.oid]));
  const sizes = await Promise.all(oids.map((oid) => objects.sizeOf(oid)));
  return Math.max(...sizes.map((size) => size ?? 0));
}

async function decideContents(
  { vault, rules, recall }: Means,
  meeting: Meeting,
  mode: string,
  policy: MergePolicy,
): Promise<Decision> {
  const { path, movedFrom } = meeting;
  const { versions, encoding } = await readContents(vault, meeting);
  const merge = await mergeContents(path, { versions, encoding }, policy, recall);
  if (merge.status === "conflict") {
    const hunks = merge.hunks.length > 0 ? merge.hunks : meetingPlaces(versions, policy);
    return openContents(meeting, { ...merge, hunks }, encoding);
  }
  if (hasMarkers(merge.text) && !hasMarkers(versions.ours) && !hasMarkers(versions.theirs)) {
    return openMeeting(meeting, "contents", `merging ${path} would leave conflict markers in it`);
  }
  const entry = { mode, oid: vault.objects.stageBlob(Buffer.from(merge.text, encoding)) };
  const resolved = resolvedBy(path, merge);
  const refused = rules === undefined ? undefined : refuseClasses(await rules(), merge.classes);
  if (refused !== undefined) {
    const hunks = readable(meetingPlaces(versions, policy), encoding);
    return openUncertain(meeting, resolved, entry, refused, hunks);
  }
  const left = movedFrom === undefined ? [] : [editTo(movedFrom, undefined)];
  return { type: "merged", path, edits: [...left, editTo(path, entry)], resolved };
}

/** Where both sides changed the same lines. */
function meetingPlaces(versions: TextVersions, policy: MergePolicy): readonly Hunk[] {
  const lines = mergeText(versions, policy);
  return lines.status === "conflict" ? lines.hunks : [];
}

function resolvedBy(
  path: string,
  { resolvers, class: found, drops }: Extract<FileMerge, { status: "merged" }>,
): ResolvedPath {
  return { path, resolver: resolvers.join("+"), class: found, ...(drops.length === 0 ? {} : { drops }) };
}

/** Content and mode are each taken from the side that changed them. */
function mergeModes({ base, ours, theirs }: Meeting): string | undefined {
  if (ours.mode === theirs.mode || theirs.mode === base?.mode) return ours.mode;
  return ours.mode === base?.mode ? theirs.mode : undefined;
}
