import type { ObjectStore } from "../git/objects.ts";
import { LARGEST_BLOB_BYTES } from "../git/objects.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import { findAddedMarkers, leftMarkers, type MarkedFile } from "./markers.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { PlacedPath } from "./conflict-content.ts";

/**
 * Where a person's work still has conflict markers: anything that looks like one in the files that had them for the
 * person, and whole ones anywhere else.
 */
export async function findLeftMarkers(
  vault: Vault,
  base: string,
  fixed: string,
  theirs: string,
  placed: readonly PlacedPath[],
): Promise<MarkedFile[]> {
  const changes = await vault.objects.compare(base, fixed);
  const marked = new Map((await findAddedMarkers(vault.objects, changes)).map((file) => [file.path, file]));
  const sides = [base, theirs].map((commit) => new TreeEditor(vault.objects, commit));
  const result = new TreeEditor(vault.objects, fixed);
  for (const { path, holds } of placed) {
    if (holds !== "markers") continue;
    const text = await readText(vault.objects, result, path);
    if (text === undefined) continue;
    const versions = await Promise.all(sides.map((side) => readText(vault.objects, side, path)));
    const lines = leftMarkers(
      text,
      versions.filter((version) => version !== undefined),
    );
    if (lines.length > 0) marked.set(path, { path, lines });
  }
  return [...marked.values()];
}

async function readText(objects: ObjectStore, tree: TreeEditor, path: string): Promise<string | undefined> {
  const entry = await tree.entryAt(path);
  if (entry === undefined || !entry.mode.startsWith("100")) return undefined;
  const sizeBytes = (await objects.sizeOf(entry.oid)) ?? 0;
  return sizeBytes > LARGEST_BLOB_BYTES ? undefined : (await objects.readBlob(entry.oid)).toString("latin1");
}
