import type { RulesSource } from "../landing/tree-merge.ts";
import { completePolicy, type LandingRules } from "../landing/class-policy.ts";
import { FILE_NAME, parseRepositoryFile } from "../workflows/file.ts";
import type { RepositoryFile } from "../workflows/schema.ts";
import { durationMs } from "../workflows/units.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { Parts } from "./parts.ts";

/** A command that must pass before anything lands. */
export interface VerifyCommand {
  readonly command: string;
  readonly timeoutMs: number;
}

const DEFAULT_TIMEOUT = "30m";

/**
 * The verification rules of a commit: what its own `anabranch.yaml` names.
 *
 * @throws {AnabranchError} `CONFIG_SYNTAX`, `CONFIG_INVALID`: rules that cannot be read are not taken for none
 */
export async function loadVerifyRules(parts: Parts, vault: Vault, commit: string): Promise<VerifyCommand[]> {
  return verifyCommands(await loadFileOf(parts, vault, commit));
}

/** A program that makes a lock file may have to ask a registry about every package. */
const LOCK_FILE_LIMIT_MS = 5 * 60_000;

/**
 * Says, when it is asked, by what rules of a commit merges land on it; it is read once.
 *
 * @param tolerated commands that may fail: where there is one, what merges is not taken for verified
 */
export function landingRulesOf(
  parts: Parts,
  vault: Vault,
  commit: string,
  tolerated: ReadonlySet<string>,
): RulesSource {
  let loaded: Promise<LandingRules> | undefined;
  const load = async (): Promise<LandingRules> => {
    const file = await loadFileOf(parts, vault, commit);
    const commands = verifyCommands(file);
    const isVerified = commands.length > 0 && !commands.some(({ command }) => tolerated.has(command));
    const lockFiles = { environment: process.env, limitMs: LOCK_FILE_LIMIT_MS };
    return { classes: completePolicy(file.merge ?? {}), isVerified, lockFiles };
  };
  return () => (loaded ??= load());
}

async function loadFileOf(parts: Parts, vault: Vault, commit: string): Promise<RepositoryFile> {
  const { stdout, status } = await parts.git.run(vault.place, ["cat-file", "blob", `${commit}:${FILE_NAME}`], {
    allow: [128],
  });
  if (status !== 0) return {};
  return parseRepositoryFile(stdout.toString("utf8"), `${FILE_NAME} of ${commit.slice(0, 10)}`);
}

function verifyCommands({ verify = [] }: RepositoryFile): VerifyCommand[] {
  return [verify].flat().map((rule) => {
    const { run, timeout = DEFAULT_TIMEOUT } = typeof rule === "string" ? { run: rule } : rule;
    return { command: run, timeoutMs: durationMs(timeout) };
  });
}
