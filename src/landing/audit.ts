/**
 * Whether a receipt is true: judged from what the objects of the vault say, never from what was noted elsewhere. Pure.
 */
import type { Loss } from "../merge/conservation/loss.ts";
import { landingOf, taskOf } from "./landed-commit.ts";
import { neededCommits, type HandMerge, type LandedChangeset, type Receipt } from "./receipt.ts";
import { waiversOfPolicies } from "./policy-waivers.ts";
import type { ResolvedPath, Waiver } from "./tree-merge.ts";

/** A commit as the object itself says it is. */
export interface CommitFacts {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
}

/** What was found of one changeset of a receipt. */
export interface ChangesetFacts {
  /** What is lost or made up between the changeset, what it was put on, and its commit. */
  readonly losses: readonly Loss[];
  /** The same for each merge that a person made by hand. */
  readonly handLosses: readonly (readonly Loss[])[];
  /** Files that got conflict markers by it. */
  readonly marked: readonly string[];
}

/** Everything that a verdict on a receipt needs. */
export interface AuditFacts {
  /** The last part of the name of the ref that holds it. */
  readonly ref: string;
  readonly receipt: Receipt;
  /** What its commit holds on to. */
  readonly parents: readonly string[];
  /** Which of the commits that it names are not in the vault. */
  readonly missing: readonly string[];
  /** From `after` back, as far as the changesets go, or to where it breaks off. */
  readonly chain: readonly CommitFacts[];
  /** In the order of the receipt's changesets. */
  readonly changesets: readonly ChangesetFacts[];
  /** Where it is of an acceptance: what is lost or made up by it, and the tree of the user's state after it. */
  readonly accepted: { readonly losses: readonly Loss[]; readonly tree: string } | undefined;
  /** Whether the target still holds what landed; `undefined` where there is no such ref any more. */
  readonly isOnTarget: boolean | undefined;
}

/** Why a receipt is not proved: one sentence each, none where it is. */
export function judgeReceipt(facts: AuditFacts): string[] {
  const { missing } = facts;
  if (missing.length > 0) return [`objects are gone: ${missing.slice(0, 3).join(", ")}`];
  return [
    ...judgeReference(facts),
    ...(facts.accepted === undefined
      ? [...judgeChain(facts), ...judgeTree(facts), ...judgeWork(facts)]
      : judgeAcceptance(facts.receipt, facts.accepted)),
    ...(facts.isOnTarget === false
      ? [`${facts.receipt.target.kind} ${facts.receipt.target.name} does not hold ${short(facts.receipt.after)}`]
      : []),
  ];
}

/** It brings the whole of a lane into the user's state; the steps of the lane have receipts of their own. */
function judgeAcceptance(
  { tree, verification, accepted }: Receipt,
  found: NonNullable<AuditFacts["accepted"]>,
): string[] {
  const waived = waivedPaths(accepted?.waivers ?? []);
  const open = found.losses.filter(({ path }) => !waived.has(path));
  return [
    ...judgeDrops(accepted?.resolved ?? [], accepted?.waivers ?? []),
    ...open.slice(0, MOST_LOSSES).map(describeLoss),
    ...(found.tree === tree && found.tree === verification.tree
      ? []
      : [`it came to the tree ${short(found.tree)}, not to ${short(tree)}, which was verified`]),
    ...(verification.status === "failed" ? ["it failed verification"] : []),
  ];
}

function judgeReference({ ref, receipt, parents }: AuditFacts): string[] {
  const problems: string[] = [];
  if (receipt.landing !== ref) problems.push(`it stands under ${ref} but is of landing ${receipt.landing}`);
  const held = new Set(parents);
  const loose = [...new Set(neededCommits(receipt))].filter((oid) => !held.has(oid));
  if (loose.length > 0) problems.push(`it does not hold on to ${loose.map(short).join(", ")}`);
  return problems;
}

/** From what it started to what it left there is one commit for each changeset that changed anything, in its order. */
function judgeChain({ receipt, chain }: AuditFacts): string[] {
  const commits = new Map(chain.map((commit) => [commit.oid, commit]));
  const problems: string[] = [];
  let tip = receipt.before;
  for (const changeset of receipt.changesets) {
    if (changeset.commit === tip) {
      if (changeset.paths > 0) problems.push(`${changeset.task} changed ${changeset.paths} files and has no commit`);
      continue;
    }
    const commit = commits.get(changeset.commit);
    if (commit === undefined) {
      problems.push(`the commit of ${changeset.task}, ${short(changeset.commit)}, is not between before and after`);
      continue;
    }
    problems.push(...judgeCommit(receipt, changeset, commit, tip));
    tip = commit.oid;
  }
  if (tip !== receipt.after) problems.push(`its commits end at ${short(tip)}, not at ${short(receipt.after)}`);
  return problems;
}

function judgeCommit(receipt: Receipt, { task, attempt }: LandedChangeset, commit: CommitFacts, tip: string): string[] {
  const problems: string[] = [];
  const [parent, ...others] = commit.parents;
  if (parent !== tip || others.length > 0) {
    problems.push(`${short(commit.oid)} of ${task} does not stand on ${short(tip)} alone`);
  }
  if (landingOf(commit.message) !== receipt.landing) {
    problems.push(`${short(commit.oid)} of ${task} does not name landing ${receipt.landing}`);
  }
  if (taskOf(commit.message) !== `${receipt.run}/${task}/${attempt}`) {
    problems.push(`${short(commit.oid)} does not name task ${receipt.run}/${task}/${attempt}`);
  }
  return problems;
}

function judgeTree({ receipt, chain }: AuditFacts): string[] {
  const { after, tree, verification } = receipt;
  const problems: string[] = [];
  const actual = chain.find(({ oid }) => oid === after)?.tree;
  if (actual !== tree) problems.push(`${short(after)} has the tree ${short(actual ?? "none")}, not ${short(tree)}`);
  if (verification.tree !== tree) problems.push(`what was verified is ${short(verification.tree)}, not ${short(tree)}`);
  if (verification.status === "failed") problems.push("it failed verification");
  return problems;
}

function judgeWork({ receipt, changesets }: AuditFacts): string[] {
  return receipt.changesets.flatMap((changeset, index) => {
    const { losses = [], handLosses = [], marked = [] } = changesets[index] ?? {};
    const waived = waivedPaths(changeset.waivers);
    const open = losses.filter(({ path }) => !waived.has(path));
    return [
      ...open.slice(0, MOST_LOSSES).map((loss) => `${changeset.task}: ${describeLoss(loss)}`),
      ...judgeDrops(changeset.resolved, changeset.waivers).map((problem) => `${changeset.task}: ${problem}`),
      ...judgeHandMerges(changeset, handLosses),
      ...marked.map((path) => `${changeset.task}: ${path} got conflict markers`),
    ];
  });
}

const MOST_LOSSES = 20;

/** The paths of which somebody gave something up as a whole. A policy's waiver is for what it names and no more. */
function waivedPaths(waivers: readonly Waiver[]): ReadonlySet<string> {
  return new Set(waivers.filter(({ by }) => !by.startsWith("policy:")).map(({ path }) => path));
}

/** What a policy dropped is named by a waiver, each edit by itself. */
function judgeDrops(resolved: readonly ResolvedPath[], waivers: readonly Waiver[]): string[] {
  const named = new Set(waivers.filter(({ by }) => by.startsWith("policy:")).map(waiverKey));
  const open = resolved.flatMap(waiversOfPolicies).filter((waiver) => !named.has(waiverKey(waiver)));
  return open.slice(0, MOST_LOSSES).map(({ path, what }) => `${path}: ${what}, and no waiver`);
}

/** What a person gave up is named one by one; and what they made starts from the task's own work. */
function judgeHandMerges(
  changeset: LandedChangeset,
  handLosses: AuditFacts["changesets"][number]["handLosses"],
): string[] {
  const { task, byHand = [], waivers, base, snapshot } = changeset;
  const problems: string[] = [];
  const last = byHand.at(-1);
  if (last !== undefined && (last.result !== snapshot || last.ours !== base || !isLinked(byHand))) {
    problems.push(`${task}: what was merged by hand is not what landed`);
  }
  const named = new Set(waivers.map(waiverKey));
  const open = handLosses.flatMap((losses) => waiversOf(losses)).filter((waiver) => !named.has(waiverKey(waiver)));
  return [
    ...problems,
    ...open.slice(0, MOST_LOSSES).map(({ path, what }) => `${task}: ${path}: ${what}, and no waiver`),
  ];
}

function isLinked(steps: readonly HandMerge[]): boolean {
  return steps.every((step, index) => index === 0 || steps[index - 1]?.result === step.theirs);
}

function waiverKey({ path, what }: Waiver): string {
  return `${path}\0${what}`;
}

/** What somebody who merged by hand has given up or added, each thing by its name. */
export function waiversOf(losses: readonly Loss[]): Waiver[] {
  return losses.map((loss) => ({ path: loss.path, what: describeEdit(loss), by: "person" }));
}

function describeLoss(loss: Loss): string {
  return `${loss.path}: ${describeEdit(loss)}, and no waiver`;
}

const WORDS: Readonly<Record<Loss["kind"], string>> = {
  "lost-line": "a line is gone",
  "resurrected-line": "a deleted line is back",
  "lost-change": "a change is gone",
  "resurrected-path": "a deleted file is back",
  "foreign-change": "a change is from neither side",
  mode: "the mode is",
  "overwritten-line": "a line that both sides changed lacks one change",
  "foreign-line": "a line is from neither side",
  "duplicate-definition": "a definition is there twice",
  "duplicate-import": "an import is there twice",
  "duplicate-key": "a key is there twice",
  "parse-error": "a place does not parse",
  markers: "a conflict marker is left",
};

function describeEdit({ kind, detail, count }: Loss): string {
  return `${WORDS[kind]}: ${detail}${count > 1 ? ` (${count} times)` : ""}`;
}

function short(oid: string): string {
  return oid.slice(0, 10);
}
