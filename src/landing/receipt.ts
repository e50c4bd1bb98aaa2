import type { SemanticHit } from "../merge/symbols/semantic-hit.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { ResolvedPath, Waiver } from "./tree-merge.ts";
import type { Verification } from "./verification.ts";

export type { SemanticHit };

/** A merge that a person made by hand: what came of three versions. All are commits in the vault. */
export interface HandMerge {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly result: string;
}

/** One changeset of a landing. */
export interface LandedChangeset {
  readonly task: string;
  readonly attempt: number;
  readonly base: string;
  readonly snapshot: string;
  /** What it became on the target. */
  readonly commit: string;
  readonly paths: number;
  readonly resolved: readonly ResolvedPath[];
  readonly waivers: readonly Waiver[];
  /** Where it meets what had landed since its base, though both merge as texts. */
  readonly semantic?: readonly SemanticHit[] | undefined;
  /** The conflict that this settles. */
  readonly conflict?: string | undefined;
  /**
   * How a person made `snapshot` of what the task had left, step by step: each starts from the result of the one before,
   * and the first one's `theirs` is the task's own snapshot.
   */
  readonly byHand?: readonly HandMerge[] | undefined;
}

/** How a lane's work was merged into the user's state: commits in the vault. */
export interface AcceptedMerge {
  readonly base: string;
  readonly lane: string;
  /** The user's whole state, before and after. */
  readonly before: string;
  readonly after: string;
  readonly resolved: readonly ResolvedPath[];
  readonly waivers: readonly Waiver[];
}

/** What a landing did and proved. */
export interface LandingRecord {
  readonly target: { readonly kind: "lane" | "branch" | "tree"; readonly name: string };
  /** What the target stood at, and what it stands at since. */
  readonly before: string;
  readonly after: string;
  readonly tree: string;
  /** In the order of their commits. */
  readonly changesets: readonly LandedChangeset[];
  readonly verification: Verification;
  readonly notices: readonly string[];
  readonly atMs: number;
  /** Where this is an acceptance: it is no step on a lane. */
  readonly accepted?: AcceptedMerge | undefined;
}

/** The ref in the vault that holds a landing's receipt. */
export function receiptRef(landing: string): string {
  return `refs/receipts/${landing}`;
}

const RECEIPT_FILE = "receipt.json";

/**
 * Writes the receipt of a landing into the vault: a commit with the record as a file, whose parents are all that is
 * needed to prove it again, so that none of it can be collected while the receipt is there.
 *
 * @returns the commit, for {@link receiptRef} to point at
 */
export async function writeReceipt(vault: Vault, run: string, id: string, record: LandingRecord): Promise<string> {
  const text = `${JSON.stringify({ version: 2, landing: id, run, ...record }, undefined, 2)}\n`;
  const oid = await vault.objects.writeBlob(Buffer.from(text));
  const tree = await vault.objects.writeTree([{ mode: "100644", type: "blob", oid, name: RECEIPT_FILE }]);
  const parents = [...new Set(neededCommits(record))];
  const message = `Receipt of landing ${id}\n\nRun ${run} on ${record.target.kind} ${record.target.name}.`;
  return vault.commits.write({ tree, parents, message, atSeconds: record.atMs / 1000 });
}

/** The commits without which a landing could not be proved again. */
export function neededCommits({ after, before, changesets, accepted }: LandingRecord): string[] {
  const sources = changesets.flatMap(({ base, snapshot, byHand = [] }) => [
    base,
    snapshot,
    ...byHand.flatMap((step) => [step.base, step.ours, step.theirs, step.result]),
  ]);
  const merged = accepted === undefined ? [] : [accepted.base, accepted.lane, accepted.before, accepted.after];
  return [after, before, ...sources, ...merged];
}

/** A receipt, as it stands in the vault. */
export interface Receipt extends LandingRecord {
  /** Contents of the first version's landings were checked line by line, as bytes. */
  readonly version: 1 | 2;
  readonly landing: string;
  readonly run: string;
}

/** Reads a receipt back. */
export async function readReceipt(vault: Vault, commit: string): Promise<Receipt> {
  const file = (await vault.objects.readTree(commit)).find((entry) => entry.name === RECEIPT_FILE);
  if (file === undefined) throw new Error(`${commit} holds no ${RECEIPT_FILE}`);
  return JSON.parse((await vault.objects.readBlob(file.oid)).toString("utf8")) as Receipt;
}
