import { lockFileOwner } from "../../merge/lock-file.ts";
import type { Vault } from "../../workspaces/vault.ts";
import { refuseClasses, type LandingRules } from "../class-policy.ts";
import { editTo, type Decision, type OpenPath } from "../decision.ts";
import { openUncertain } from "../open-meeting.ts";
import { withScratch } from "../scratch.ts";
import type { ResolvedPath, RulesSource } from "../tree-merge.ts";
import { gatherFiles } from "./gather-files.ts";
import { makeLockFile, type LockFileMade, type LockFileMeans } from "./make-lock-file.ts";
import { dropOfLockFile } from "./made-anew.ts";
import { nameOf, type LockProgram } from "./program.ts";
import { LOCK_PROGRAMS } from "./programs.ts";

/** What the programs that make lock files may use. */
export type LockFileTools = Omit<LockFileMeans, "folder">;

/** Decisions, and the tree that they make of ours as far as they go. */
export interface DecidedTree {
  readonly decisions: readonly Decision[];
  readonly tree: () => Promise<string>;
  /** Paths that a person has chosen a side for. */
  readonly chosen: ReadonlySet<string>;
}

/**
 * Has each lock file that both sides changed made anew by its own program, where the manifests it is made from are
 * merged. What cannot be made stays a conflict, which says why, and what makes it.
 */
export async function decideLockFiles(
  vault: Vault,
  { decisions, tree, chosen }: DecidedTree,
  rules: RulesSource | undefined,
): Promise<readonly Decision[]> {
  if (!decisions.some((decision) => isOpenLockFile(decision, chosen))) return decisions;
  const given = await rules?.();
  if (given?.lockFiles === undefined) return decisions;
  const merged = await tree();
  const decided: Decision[] = [];
  for (const decision of decisions) {
    const isOpen = isOpenLockFile(decision, chosen);
    decided.push(isOpen ? await decide(vault, merged, decision, decisions, given, given.lockFiles) : decision);
  }
  return decided;
}

function isOpenLockFile(decision: Decision, chosen: ReadonlySet<string>): decision is OpenPath {
  if (decision.type !== "open") return false;
  const { path, kind, ours, theirs, renamedTo } = decision.conflict;
  const isMeeting = (kind === "contents" || kind === "both-added") && renamedTo === undefined;
  return (
    isMeeting && ours !== undefined && theirs !== undefined && lockFileOwner(path) !== undefined && !chosen.has(path)
  );
}

async function decide(
  vault: Vault,
  tree: string,
  open: OpenPath,
  decisions: readonly Decision[],
  rules: LandingRules,
  tools: LockFileTools,
): Promise<Decision> {
  const { path, base, ours, theirs } = open.conflict;
  const owner = lockFileOwner(path);
  if (owner === undefined || ours === undefined || theirs === undefined) return open;
  const program = LOCK_PROGRAMS[owner];
  const folder = path.slice(0, Math.max(0, path.length - nameOf(path).length - 1));
  const unmerged = findUnmerged(decisions, path, folder, program);
  if (unmerged !== undefined)
    return leave(open, `${unmerged}, which it is made from, is in conflict too`, program.command);
  const files = await gatherFiles(vault.objects, tree, folder, program);
  if (files === undefined) return leave(open, "it is made from too many files", program.command);
  const made = await withScratch(vault, (scratch) => makeLockFile({ path, files }, { ...tools, folder: scratch }));
  if (made.status === "refused") return leave(open, made.why, made.command);
  const entry = { mode: ours.mode, oid: vault.objects.stageBlob(made.content) };
  const resolved = resolvedBy(path, made);
  const refused = refuseClasses(rules, [resolved.class]);
  if (refused !== undefined) return openUncertain({ path, base, ours, theirs }, resolved, entry, refused, []);
  return { type: "merged", path, edits: [editTo(path, entry)], resolved };
}

/** A file in conflict that the program would read. */
function findUnmerged(
  decisions: readonly Decision[],
  lockFile: string,
  folder: string,
  program: LockProgram,
): string | undefined {
  const prefix = folder === "" ? "" : `${folder}/`;
  const open = decisions.flatMap((decision) => (decision.type === "open" ? [decision.conflict.path] : []));
  return open.find(
    (path) =>
      path !== lockFile &&
      path.startsWith(prefix) &&
      lockFileOwner(path) === undefined &&
      program.needOf(path.slice(prefix.length)) === "content",
  );
}

function leave(open: OpenPath, why: string, command: string): OpenPath {
  const { path } = open.conflict;
  const message = `both sides changed ${path}, and it could not be made anew: ${why}; ${command} makes it`;
  return { ...open, conflict: { ...open.conflict, message } };
}

function resolvedBy(path: string, { program }: Extract<LockFileMade, { status: "made" }>): ResolvedPath {
  return { path, resolver: "lock-file", class: "D", drops: [dropOfLockFile(nameOf(path), program)] };
}
