import { existsSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";

const PACKAGE = join("@anthropic-ai", "claude-agent-sdk");
const MODULE = "sdk.mjs";

/**
 * The module of the agent SDK: the one that `ANABRANCH_CLAUDE_SDK` names (a folder that has it in its `node_modules`, or
 * the package itself), or the one that is installed beside the program. Never one of the folder that is worked in: it
 * would run in here, and that folder may be anybody's.
 */
export function findSdk(program: string, environment: NodeJS.ProcessEnv): string | undefined {
  const named = environment["ANABRANCH_CLAUDE_SDK"];
  // What is named and not there is an error, which loading it tells.
  if (named !== undefined) return moduleIn(join(named, "node_modules", PACKAGE)) ?? join(named, MODULE);
  const path = realpathSync(program);
  const at = path.lastIndexOf(`${sep}node_modules${sep}`);
  return at < 0 ? undefined : moduleIn(join(path.slice(0, at), "node_modules", PACKAGE));
}

function moduleIn(folder: string): string | undefined {
  const path = join(folder, MODULE);
  return existsSync(path) ? path : undefined;
}
