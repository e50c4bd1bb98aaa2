import type { Git } from "../git/git.ts";
import { findRenames } from "../git/merge-tree.ts";
import { LARGEST_BLOB_BYTES } from "../git/objects.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import type { Entry, PathChange } from "../merge/change.ts";
import type { Loss } from "../merge/conservation/loss.ts";
import { findTextLosses } from "../merge/conservation/text-losses.ts";
import { findTreeLosses } from "../merge/conservation/tree-losses.ts";
import type { Rename } from "../merge/paths.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { HandMerge } from "./receipt.ts";

/** Three versions and what came of them: commits or trees in the vault. */
export type Joined = HandMerge;

/**
 * Finds every edit of either side that a result lacks, and everything in it that no side put there. It goes by the
 * objects alone and knows nothing of how the result came about.
 *
 * @param united paths whose lines were united by the repository's own wish, so that what a side removed may be there
 */
export async function findLosses(
  git: Git,
  vault: Vault,
  joined: Joined,
  united: ReadonlySet<string> = new Set(),
): Promise<Loss[]> {
  const { objects } = vault;
  const { base } = joined;
  const [ours, theirs, result] = await Promise.all(
    [joined.ours, joined.theirs, joined.result].map((side) => objects.compare(base, side)),
  );
  if (ours === undefined || theirs === undefined || result === undefined) return [];
  const plain = await countLosses(vault, joined, { ours, theirs, result, renames: [] }, united);
  if (plain.length === 0) return plain;
  // A file that one side moved and the other edited looks lost where it was.
  const renames = await findAllRenames(git, vault, joined, { ours, theirs });
  if (renames.length === 0) return plain;
  return countLosses(vault, joined, { ours, theirs, result, renames }, united);
}

interface Changes {
  readonly ours: readonly PathChange[];
  readonly theirs: readonly PathChange[];
  readonly result: readonly PathChange[];
  readonly renames: readonly Rename[];
}

async function countLosses(
  vault: Vault,
  joined: Joined,
  changes: Changes,
  united: ReadonlySet<string>,
): Promise<Loss[]> {
  const composed = await findComposed(vault, joined, changes);
  const texts: Loss[] = [];
  for (const { path, base, ours, theirs, result } of composed) {
    const losses = findTextLosses(path, { base, ours, theirs }, result);
    texts.push(...losses.filter((loss) => !(united.has(path) && loss.kind === "resurrected-line")));
  }
  const merged = new Set(composed.map(({ path }) => path));
  return [...findTreeLosses({ ...changes, merged, waived: new Set() }), ...texts];
}

async function findAllRenames(
  git: Git,
  vault: Vault,
  { base, ours, theirs }: Joined,
  changes: Pick<Changes, "ours" | "theirs">,
): Promise<Rename[]> {
  const find = async (side: "ours" | "theirs", commit: string): Promise<Rename[]> => {
    if (!["added", "deleted"].every((kind) => changes[side].some((change) => change.kind === kind))) return [];
    return (await findRenames(git, vault.place, base, commit)).map((rename) => ({ ...rename, side }));
  };
  return (await Promise.all([find("ours", ours), find("theirs", theirs)])).flat();
}

interface ComposedText {
  readonly path: string;
  readonly base: string | undefined;
  readonly ours: string;
  readonly theirs: string;
  readonly result: string;
}

/** The files of a result whose content is neither side's: what both had at them, as text. */
async function findComposed(vault: Vault, joined: Joined, changes: Changes): Promise<ComposedText[]> {
  const sides = {
    base: new TreeEditor(vault.objects, joined.base),
    ours: new TreeEditor(vault.objects, joined.ours),
    theirs: new TreeEditor(vault.objects, joined.theirs),
  };
  const composed: ComposedText[] = [];
  for (const { path, newMode: mode, newOid: oid } of changes.result) {
    if (!isRegular(mode)) continue;
    const moves = changes.renames.filter((rename) => rename.to === path);
    const from = moves[0]?.from ?? path;
    const at = (side: "ours" | "theirs"): Promise<Entry | undefined> =>
      sides[side].entryAt(moves.length === 0 || moves.some((move) => move.side === side) ? path : from);
    const [base, ours, theirs] = await Promise.all([sides.base.entryAt(from), at("ours"), at("theirs")]);
    if (ours === undefined || theirs === undefined || oid === ours.oid || oid === theirs.oid) continue;
    const texts = await readTexts(vault, [ours, theirs, { mode, oid }, ...(base === undefined ? [] : [base])]);
    const [own, other, result, before] = texts ?? [];
    if (own === undefined || other === undefined || result === undefined) continue;
    composed.push({ path, base: before, ours: own, theirs: other, result });
  }
  return composed;
}

/** `undefined` where one of them is no text that could be compared. */
async function readTexts({ objects }: Vault, entries: readonly Entry[]): Promise<string[] | undefined> {
  if (!entries.every(({ mode }) => isRegular(mode))) return undefined;
  const sizes = await Promise.all(entries.map(({ oid }) => objects.sizeOf(oid)));
  if (sizes.some((size) => size === undefined || size > LARGEST_BLOB_BYTES)) return undefined;
  const texts = await Promise.all(entries.map(async ({ oid }) => (await objects.readBlob(oid)).toString("latin1")));
  return texts.some((text) => text.includes("\0")) ? undefined : texts;
}

function isRegular(mode: string): boolean {
  return mode.startsWith("100");
}
