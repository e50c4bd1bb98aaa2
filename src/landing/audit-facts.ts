import type { Git, GitPlace } from "../git/git.ts";
import { listRefs } from "../git/refs.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { AuditFacts, ChangesetFacts, CommitFacts } from "./audit.ts";
import { findLosses, type Allowance } from "./losses.ts";
import { findAddedMarkers } from "./markers.ts";
import { neededCommits, readReceipt, type AcceptedMerge, type LandedChangeset, type Receipt } from "./receipt.ts";
import type { ResolvedPath } from "./tree-merge.ts";

/** Where the target of a receipt is: the vault, or the user's repository. */
export type TargetPlace = (receipt: Receipt) => { readonly gitDirectory: string; readonly ref: string } | undefined;

/**
 * Gathers what the objects say of a receipt.
 *
 * @throws where the receipt itself cannot be read
 */
export async function gatherFacts(
  git: Git,
  vault: Vault,
  receiptRef: { readonly name: string; readonly oid: string },
  targetOf: TargetPlace,
): Promise<AuditFacts> {
  const receipt = await readReceipt(vault, receiptRef.oid);
  const parents = await readParents(git, vault.place, receiptRef.oid);
  const missing = await findMissing(vault, receipt);
  const ref = receiptRef.name.slice(receiptRef.name.lastIndexOf("/") + 1);
  const facts = { ref, receipt, parents, missing };
  const nothing = { ...facts, chain: [], changesets: [], accepted: undefined, isOnTarget: undefined };
  if (missing.length > 0) return nothing;
  // What became of the user's own branch afterwards is the user's business.
  if (receipt.accepted !== undefined) {
    return { ...nothing, accepted: await gatherAcceptance(git, vault, receipt, receipt.accepted) };
  }
  const chain = await readChain(git, vault, receipt);
  const changesets: ChangesetFacts[] = [];
  // One after the other: each reads what it compares.
  for (const changeset of receipt.changesets)
    changesets.push(await gatherChangeset(git, vault, receipt, changeset, chain));
  return { ...facts, chain, changesets, accepted: undefined, isOnTarget: await isOnTarget(git, receipt, targetOf) };
}

async function gatherAcceptance(
  git: Git,
  vault: Vault,
  receipt: Receipt,
  { base, lane, before, after, resolved }: AcceptedMerge,
): Promise<NonNullable<AuditFacts["accepted"]>> {
  const joined = { base, ours: before, theirs: lane, result: after };
  return {
    losses: await findLosses(git, vault, joined, allowanceOf(receipt, resolved)),
    tree: await vault.objects.treeOf(after),
  };
}

/** What a receipt says of how contents came about. One of the first version was proved line by line. */
function allowanceOf({ version }: Receipt, resolved: readonly ResolvedPath[]): Allowance {
  return {
    united: new Set(resolved.filter(({ resolver }) => resolver === "union").map(({ path }) => path)),
    drops: new Map(resolved.map(({ path, drops = [] }) => [path, drops])),
    by: version === 1 ? "lines" : "language",
  };
}

async function findMissing(vault: Vault, receipt: Receipt): Promise<string[]> {
  const named = new Set([...neededCommits(receipt), ...receipt.changesets.map(({ commit }) => commit), receipt.tree]);
  const missing: string[] = [];
  for (const oid of named) if (!isOid(oid) || (await vault.objects.sizeOf(oid)) === undefined) missing.push(oid);
  return missing;
}

// A receipt is read as it is: what it names may be anything.
function isOid(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** The parents of a commit, as it has them written down. */
async function readParents(git: Git, place: GitPlace, oid: string): Promise<string[]> {
  const [headers = ""] = (await git.text(place, ["cat-file", "commit", oid])).split("\n\n");
  return headers.split("\n").flatMap((line) => (line.startsWith("parent ") ? [line.slice("parent ".length)] : []));
}

/** The commits from `after` back: no more than there are changesets, and the one they start from. */
async function readChain(git: Git, vault: Vault, { after, changesets }: Receipt): Promise<CommitFacts[]> {
  const count = `--max-count=${changesets.length + 1}`;
  const args = ["log", "-z", "--first-parent", count, "--format=%H%n%T%n%P%n%B", after, "--"];
  return (await git.records(vault.place, args)).map((record) => {
    const [oid = "", tree = "", parents = "", ...message] = record.split("\n");
    return { oid, tree, parents: parents.split(" ").filter(Boolean), message: message.join("\n") };
  });
}

async function gatherChangeset(
  git: Git,
  vault: Vault,
  receipt: Receipt,
  changeset: LandedChangeset,
  chain: readonly CommitFacts[],
): Promise<ChangesetFacts> {
  const { base, snapshot, commit, byHand = [], resolved } = changeset;
  const allowance = allowanceOf(receipt, resolved);
  // What changed nothing stands on itself.
  const isCommit = commit !== receipt.before && receipt.changesets.find((one) => one.commit === commit) === changeset;
  const parent = isCommit ? (chain.find(({ oid }) => oid === commit)?.parents[0] ?? receipt.before) : commit;
  const handLosses = [];
  for (const step of byHand) handLosses.push(await findLosses(git, vault, step, allowanceOf(receipt, [])));
  const changes = await vault.objects.compare(parent, commit);
  return {
    losses: await findLosses(git, vault, { base, ours: parent, theirs: snapshot, result: commit }, allowance),
    handLosses,
    marked: (await findAddedMarkers(vault.objects, changes)).map(({ path }) => path),
  };
}

async function isOnTarget(git: Git, receipt: Receipt, targetOf: TargetPlace): Promise<boolean | undefined> {
  const target = targetOf(receipt);
  if (target === undefined) return undefined;
  const { gitDirectory, ref } = target;
  const tip = (await listRefs(git, gitDirectory, ref)).find(({ name }) => name === ref)?.oid;
  if (tip === undefined) return undefined;
  if (tip === receipt.after) return true;
  const answer = await git.run({ gitDirectory }, ["merge-base", "--is-ancestor", receipt.after, tip], {
    allow: [1, 128],
  });
  return answer.status === 0;
}
