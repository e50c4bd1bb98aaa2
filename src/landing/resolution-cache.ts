/**
 * What people have made of places that both sides of a file had changed, so that nobody is asked the same thing twice.
 *
 * One file in the vault, held by a ref, so that it outlives collecting; the newest entries stay. Which place it was is
 * told by the path and by what the place says in all three versions, whichever side is which. What is found here is no
 * more than a proposal: it counts like any other merge, if no edit of either side is lost.
 */
import { createHash } from "node:crypto";

import type { Git } from "../git/git.ts";
import { LARGEST_BLOB_BYTES } from "../git/objects.ts";
import { listRefs } from "../git/refs.ts";
import type { Ref } from "../git/repository.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import type { Entry } from "../merge/change.ts";
import { readResolutions, type ContestedPlace, type Resolution } from "../merge/resolutions.ts";
import type { Vault } from "../workspaces/vault.ts";
import { readContents } from "./file-contents.ts";
import type { HandMerge } from "./receipt.ts";

const REF = "refs/resolutions/known";
const MOST_ENTRIES = 1000;
const MOST_BYTES = 1024 * 1024;
/** Longer ones hardly come again as they are. */
const LONGEST_PLACE = 200;
const MOST_FILES = 100;

type Entries = readonly (readonly [key: string, lines: readonly string[]])[];

/** What is known of places in files. */
export interface KnownResolutions {
  readonly find: (path: string, place: ContestedPlace) => readonly string[] | undefined;
}

/** Reads what is known, once it is asked for. */
export function recallResolutions(git: Git, vault: Vault): () => Promise<KnownResolutions> {
  let loaded: Promise<KnownResolutions> | undefined;
  return () => (loaded ??= loadResolutions(git, vault));
}

async function loadResolutions(git: Git, vault: Vault): Promise<KnownResolutions> {
  const known = new Map(await readEntries(vault, await findRef(git, vault)));
  return { find: (path, place) => known.get(keyOf(path, place)) };
}

/** Remembers what somebody has made of three versions, place by place. */
export async function rememberResolutions(git: Git, vault: Vault, step: HandMerge): Promise<void> {
  const found = new Map<string, readonly string[]>();
  for (const [path, resolution] of await findResolutions(vault, step)) {
    if (lengthOf(resolution) <= LONGEST_PLACE) found.set(keyOf(path, resolution), resolution.lines);
  }
  if (found.size === 0) return;
  const ref = await findRef(git, vault);
  const before = (await readEntries(vault, ref)).filter(([key]) => !found.has(key));
  const text = JSON.stringify(newest([...before, ...found]));
  const oid = await vault.objects.writeBlob(Buffer.from(text));
  await vault.refs.update([{ name: REF, from: ref?.oid ?? null, to: oid }]);
}

async function findRef(git: Git, vault: Vault): Promise<Ref | undefined> {
  return (await listRefs(git, vault.directory, REF)).find(({ name }) => name === REF);
}

async function readEntries({ objects }: Vault, ref: Ref | undefined): Promise<Entries> {
  return ref === undefined ? [] : (JSON.parse((await objects.readBlob(ref.oid)).toString("utf8")) as Entries);
}

function newest(entries: Entries): Entries {
  const kept: (typeof entries)[number][] = [];
  let bytes = 0;
  for (const entry of entries.slice(-MOST_ENTRIES).toReversed()) {
    bytes += JSON.stringify(entry).length;
    if (bytes > MOST_BYTES) break;
    kept.push(entry);
  }
  return kept.toReversed();
}

function keyOf(path: string, { base, ours, theirs }: ContestedPlace): string {
  const [one, other] = [textOf(ours), textOf(theirs)].toSorted();
  return createHash("sha256")
    .update(JSON.stringify([path, textOf(base), one, other]))
    .digest("hex");
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => line.trimEnd()).join("\n");
}

function lengthOf({ base, ours, theirs, lines }: Resolution): number {
  return base.length + ours.length + theirs.length + lines.length;
}

/** What became of the files that both sides had changed. */
async function findResolutions(vault: Vault, step: HandMerge): Promise<[path: string, resolution: Resolution][]> {
  const { objects } = vault;
  const [ours, theirs] = await Promise.all([step.ours, step.theirs].map((side) => objects.compare(step.base, side)));
  const byPath = new Map(ours?.map((change) => [change.path, change]));
  const result = new TreeEditor(objects, step.result);
  const found: [string, Resolution][] = [];
  let files = 0;
  for (const { path, kind, oldMode, oldOid, newMode, newOid } of theirs ?? []) {
    const own = byPath.get(path);
    const made = own?.kind === "modified" && kind === "modified" ? await result.entryAt(path) : undefined;
    if (own === undefined || made === undefined || own.newOid === newOid || files >= MOST_FILES) continue;
    files += 1;
    const base = { mode: oldMode, oid: oldOid };
    const sides = { base, ours: { mode: own.newMode, oid: own.newOid }, theirs: { mode: newMode, oid: newOid } };
    for (const one of await readFile(vault, sides, made)) found.push([path, one]);
  }
  return found;
}

async function readFile(
  vault: Vault,
  sides: { readonly base: Entry; readonly ours: Entry; readonly theirs: Entry },
  made: Entry,
): Promise<Resolution[]> {
  const entries = [sides.base, sides.ours, sides.theirs, made];
  const sizes = await Promise.all(entries.map(({ oid }) => vault.objects.sizeOf(oid)));
  if (sizes.some((size) => size === undefined || size > LARGEST_BLOB_BYTES)) return [];
  const { versions, encoding } = await readContents(vault, sides);
  // Only what is characters is compared as such.
  if (encoding !== "utf8" || versions.ours.includes("\0") || versions.theirs.includes("\0")) return [];
  return readResolutions(versions, (await vault.objects.readBlob(made.oid)).toString("utf8"));
}
