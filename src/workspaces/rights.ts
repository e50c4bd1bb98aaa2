import { isAnabranchError } from "../base/errors.ts";
import { plainEnvironment } from "../process/own-programs.ts";
import { runProgram } from "../process/program.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Does something with a workspace's files; where they cannot be read because a task took the rights from them, the
 * rights are given back and it is done again.
 */
export async function withRights<Result>({ tree }: Workspace, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (cause) {
    const unreadable = isAnabranchError(cause)
      ? cause.code === "UNREADABLE_FILES" || cause.message.includes("Permission denied")
      : cause instanceof Error && cause.message.startsWith("EACCES");
    if (!unreadable) throw cause;
    await giveRightsBack(tree);
    return action();
  }
}

/** Lets the user read, write and enter everything below a folder, as far as that is allowed. */
export async function giveRightsBack(folder: string): Promise<void> {
  await runProgram({ program: "chmod", args: ["-R", "u+rwX", "--", folder], environment: plainEnvironment() });
}
