import type { Git } from "../git/git.ts";
import { findRenames } from "../git/merge-tree.ts";
import { LARGEST_BLOB_BYTES } from "../git/objects.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import type { Entry, PathChange } from "../merge/change.ts";
import type { Loss } from "../merge/conservation/loss.ts";
import { findTextLosses } from "../merge/conservation/text-losses.ts";
import { findTreeLosses } from "../merge/conservation/tree-losses.ts";
import type { Rename } from "../merge/paths.ts";
import type { PolicyDrop } from "../merge/resolution.ts";
import type { Vault } from "../workspaces/vault.ts";
import { encodingOf } from "../base/text-encoding.ts";
import { findContentLosses } from "./file-merge.ts";
import { isMadeAnew } from "./lock-files/made-anew.ts";
import type { HandMerge } from "./receipt.ts";

/** Three versions and what came of them: commits or trees in the vault. */
export type Joined = HandMerge;

/** What is known of a result besides its versions. */
export interface Allowance {
  /** Paths whose lines were united by the repository's own wish, so that what a side removed may be there. */
  readonly united: ReadonlySet<string>;
  /** What policies have dropped, by path. */
  readonly drops: ReadonlyMap<string, readonly PolicyDrop[]>;
  /** How contents are looked at: as what their language says, or line by line as before there was such a thing. */
  readonly by: "language" | "lines";
}

const NO_ALLOWANCE: Allowance = { united: new Set(), drops: new Map(), by: "language" };

/**
 * Finds every edit of either side that a result lacks, and everything in it that no side put there. It goes by the
 * objects alone and knows nothing of how the result came about.
 */
export async function findLosses(
  git: Git,
  vault: Vault,
  joined: Joined,
  allowance: Allowance = NO_ALLOWANCE,
): Promise<Loss[]> {
  const { objects } = vault;
  const { base } = joined;
  const [ours, theirs, result] = await Promise.all(
    [joined.ours, joined.theirs, joined.result].map((side) => objects.compare(base, side)),
  );
  if (ours === undefined || theirs === undefined || result === undefined) return [];
  const plain = await countLosses(vault, joined, { ours, theirs, result, renames: [] }, allowance);
  if (plain.length === 0) return plain;
  // A file that one side moved and the other edited looks lost where it was.
  const renames = await findAllRenames(git, vault, joined, { ours, theirs });
  if (renames.length === 0) return plain;
  return countLosses(vault, joined, { ours, theirs, result, renames }, allowance);
}

interface Changes {
  readonly ours: readonly PathChange[];
  readonly theirs: readonly PathChange[];
  readonly result: readonly PathChange[];
  readonly renames: readonly Rename[];
}

async function countLosses(vault: Vault, joined: Joined, changes: Changes, allowance: Allowance): Promise<Loss[]> {
  const composed = await findComposed(vault, joined, changes, allowance);
  const texts: Loss[] = [];
  const merged = new Set<string>();
  for (const one of composed) {
    const losses = await findTextLossesOf(one, allowance);
    // As a side has it, though the other changed it too: that one's edits are all there, or the file was not merged.
    if (one.isSide && losses.length > 0) continue;
    merged.add(one.path);
    texts.push(...losses);
  }
  return [...findTreeLosses({ ...changes, merged, waived: new Set() }), ...texts];
}

async function findTextLossesOf(composed: ComposedText, { united, drops, by }: Allowance): Promise<Loss[]> {
  const { path, contents } = composed;
  // Made anew from what is merged: the lines of either side say nothing about it.
  if (isMadeAnew(path, drops.get(path))) return [];
  const isUnited = united.has(path);
  const encoding =
    by === "language" ? encodingOf(Object.values(contents).filter((one) => one !== undefined)) : "latin1";
  const versions = {
    base: contents.base?.toString(encoding),
    ours: contents.ours.toString(encoding),
    theirs: contents.theirs.toString(encoding),
  };
  const result = contents.result.toString(encoding);
  if (by === "language" && !isUnited) return findContentLosses(path, versions, result, drops.get(path) ?? []);
  return findTextLosses(path, versions, result).filter((loss) => !isUnited || loss.kind !== "resurrected-line");
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
  /** Whether the result is one side's as a whole, though both changed it. */
  readonly isSide: boolean;
  readonly contents: {
    readonly base: Buffer | undefined;
    readonly ours: Buffer;
    readonly theirs: Buffer;
    readonly result: Buffer;
  };
}

/** The files of a result whose content is neither side's, or could be both: what both had at them. */
async function findComposed(
  vault: Vault,
  joined: Joined,
  changes: Changes,
  { by }: Allowance,
): Promise<ComposedText[]> {
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
    if (ours === undefined || theirs === undefined) continue;
    const isSide = oid === ours.oid || oid === theirs.oid;
    const isContested = ours.oid !== theirs.oid && ours.oid !== base?.oid && theirs.oid !== base?.oid;
    if (isSide && (by === "lines" || !isContested)) continue;
    const texts = await readTexts(vault, [ours, theirs, { mode, oid }, ...(base === undefined ? [] : [base])]);
    const [own, other, result, before] = texts ?? [];
    if (own === undefined || other === undefined || result === undefined) continue;
    composed.push({ path, isSide, contents: { base: before, ours: own, theirs: other, result } });
  }
  return composed;
}

/** `undefined` where one of them is no text that could be compared. */
async function readTexts({ objects }: Vault, entries: readonly Entry[]): Promise<Buffer[] | undefined> {
  if (!entries.every(({ mode }) => isRegular(mode))) return undefined;
  const sizes = await Promise.all(entries.map(({ oid }) => objects.sizeOf(oid)));
  if (sizes.some((size) => size === undefined || size > LARGEST_BLOB_BYTES)) return undefined;
  const contents = await Promise.all(entries.map(({ oid }) => objects.readBlob(oid)));
  return contents.some((bytes) => bytes.includes(0)) ? undefined : contents;
}

function isRegular(mode: string): boolean {
  return mode.startsWith("100");
}
