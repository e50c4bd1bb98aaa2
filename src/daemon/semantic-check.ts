/**
 * What the daemon does about changes that merge as texts and may not fit each other: it says so in the receipt, has
 * verification run afresh, and where the repository names no rules, asks the repository's own TypeScript compiler.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { TreeEditor } from "../git/tree-editor.ts";
import type { Judge } from "../landing/compose-changesets.ts";
import { semanticJudge } from "../landing/semantic-judge.ts";
import { newErrors } from "../landing/compiler-errors.ts";
import type { SemanticHit } from "../landing/receipt.ts";
import type { Verification } from "../landing/verification.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { Verifier, VerifyRequest } from "./verifier.ts";
import { loadVerifyRules } from "./verify-rules.ts";

const COMPILER = "node_modules/typescript/bin/tsc";
const COMPILE = {
  command: `node ${COMPILER} --noEmit --pretty false --project tsconfig.json`,
  timeoutMs: 10 * 60_000,
};
const MOST_SAID = 5;

/** Judges the changesets of a run that are to land on a commit. */
export function judgeFor(parts: Parts, { row }: LiveRun, before: string): Judge {
  const vault = parts.vaultOf(row.repositoryId);
  return semanticJudge(parts.git, vault, async () => ({
    hasRules: (await loadVerifyRules(parts, vault, before)).length > 0,
    hasCompiler: await hasCompiler(parts, row, before),
  }));
}

/** Whether workspaces have a TypeScript compiler of the repository's own, and a project for it. */
async function hasCompiler(parts: Parts, row: LiveRun["row"], commit: string): Promise<boolean> {
  const { root, dependencies } = row.plan;
  if (!dependencies.paths.includes("node_modules") || !existsSync(join(root, COMPILER))) return false;
  return new TreeEditor(parts.vaultOf(row.repositoryId).objects, commit).has("tsconfig.json");
}

/**
 * Compiles what no rule verifies, where two changes of TypeScript meet. Only errors that the target has not already
 * keep it from landing.
 */
export async function compileMeeting(
  parts: Parts,
  verifier: Verifier,
  request: VerifyRequest,
  verification: Verification,
  hits: readonly SemanticHit[],
): Promise<Verification> {
  const { row, commit, rulesFrom } = request;
  if (verification.status !== "unverified" || !hits.some(isAboutTypes)) return verification;
  if (!(await hasCompiler(parts, row, commit))) return verification;
  const merged = await verifier.verify({ ...request, commands: [COMPILE] });
  const [result] = merged.commands;
  if (merged.status !== "failed" || result === undefined) return merged;
  if (result.outcome !== "failed")
    return { ...verification, notices: [`the compiler could not look at the merged result: it ${result.outcome}`] };
  const target = await verifier.verify({ ...request, commit: rulesFrom, commands: [COMPILE] });
  const [now, before] = await Promise.all([result.log, target.commands[0]?.log].map(readLog));
  const added = newErrors(before ?? "", now ?? "");
  if (added.length > 0)
    return { ...merged, notices: added.slice(0, MOST_SAID).map((error) => `new for the compiler: ${error}`) };
  return { ...verification, notices: ["the compiler finds no errors but those that the target has already"] };
}

function isAboutTypes({ definedIn, usedIn }: SemanticHit): boolean {
  return [definedIn, usedIn].some((place) => /\.[cm]?tsx?(:\d+)?$/.test(place));
}

async function readLog(path: string | undefined): Promise<string> {
  return path === undefined ? "" : readFile(path, "utf8").catch(() => "");
}

/** What people are told of places where changes meet. */
export function noticesOf(hits: readonly SemanticHit[]): string[] {
  const said = hits.slice(0, MOST_SAID).map(({ message }) => `merged, but look: ${message}`);
  return hits.length > MOST_SAID ? [...said, `… and ${hits.length - MOST_SAID} more places where changes meet`] : said;
}
