import { FILE_NAME, parseRepositoryFile } from "../workflows/file.ts";
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
  const { stdout, status } = await parts.git.run(vault.place, ["cat-file", "blob", `${commit}:${FILE_NAME}`], {
    allow: [128],
  });
  if (status !== 0) return [];
  const { verify = [] } = await parseRepositoryFile(stdout.toString("utf8"), `${FILE_NAME} of ${commit.slice(0, 10)}`);
  return [verify].flat().map((rule) => {
    const { run, timeout = DEFAULT_TIMEOUT } = typeof rule === "string" ? { run: rule } : rule;
    return { command: run, timeoutMs: durationMs(timeout) };
  });
}
