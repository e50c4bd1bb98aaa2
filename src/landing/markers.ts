import type { ObjectStore } from "../git/objects.ts";
import { LARGEST_BLOB_BYTES } from "../git/objects.ts";
import type { PathChange } from "../merge/change.ts";
import { hasMarkers } from "../merge/text.ts";

/** A file that comes to hold conflict markers, and in which lines (from 1). */
export interface MarkedFile {
  readonly path: string;
  readonly lines: readonly number[];
}

const MARKER_LINE = /^(?:<{7}|\|{7}|>{7})(?: .*)?\r?$/;
const REGULAR_FILE = /^100/;
const MOST_FILES_AT_ONCE = 64;

/**
 * Finds the files that get more conflict markers by these changes than stood there before, or in a file that the same
 * changes remove: one that was moved.
 */
export async function findAddedMarkers(
  objects: ObjectStore,
  changes: readonly PathChange[],
): Promise<readonly MarkedFile[]> {
  const marked: MarkedFile[] = [];
  const written = changes.filter((change) => REGULAR_FILE.test(change.newMode));
  for (let at = 0; at < written.length; at += MOST_FILES_AT_ONCE) {
    const some = written.slice(at, at + MOST_FILES_AT_ONCE);
    const found = await Promise.all(some.map((change) => findIn(objects, change, changes)));
    marked.push(...found.filter((file) => file !== undefined));
  }
  return marked;
}

async function findIn(
  objects: ObjectStore,
  change: PathChange,
  all: readonly PathChange[],
): Promise<MarkedFile | undefined> {
  const lines = await readMarkers(objects, change.newOid);
  if (lines.length === 0) return undefined;
  const removed = all.filter(({ kind, path }) => kind === "deleted" || path === change.path);
  for (const { oldMode, oldOid } of removed) {
    if (REGULAR_FILE.test(oldMode) && (await readMarkers(objects, oldOid)).length >= lines.length) return undefined;
  }
  return { path: change.path, lines };
}

async function readMarkers(objects: ObjectStore, oid: string): Promise<number[]> {
  const sizeBytes = await objects.sizeOf(oid);
  if (sizeBytes === undefined || sizeBytes > LARGEST_BLOB_BYTES) return [];
  const bytes = await objects.readBlob(oid);
  if (!bytes.includes("<<<<<<<") || !bytes.includes(">>>>>>>") || bytes.includes(0)) return [];
  return markerLines(bytes.toString("latin1"));
}

/** The lines of a text (from 1) that are conflict markers; none where nothing is opened and closed. */
function markerLines(text: string): number[] {
  if (!hasMarkers(text)) return [];
  return text.split("\n").flatMap((line, index) => (MARKER_LINE.test(line) ? [index + 1] : []));
}

const OPEN_LINE = /^(?:<{7}|\|{7}|={7}|>{7})(?: .*)?$/;

/**
 * The lines of a text that look like part of a conflict and stand in none of its versions: what is left where somebody
 * has not settled all of it.
 */
export function leftMarkers(text: string, versions: readonly string[]): number[] {
  const known = new Map<string, number>();
  for (const version of versions) {
    for (const [line, count] of countOpen(version)) known.set(line, Math.max(count, known.get(line) ?? 0));
  }
  const seen = new Map<string, number>();
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (!OPEN_LINE.test(line)) return [];
    const count = (seen.get(line) ?? 0) + 1;
    seen.set(line, count);
    return count > (known.get(line) ?? 0) ? [index + 1] : [];
  });
}

function countOpen(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split(/\r?\n/)) {
    if (OPEN_LINE.test(line)) counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return counts;
}
