import type { Permission } from "./agent.ts";
import { isReadingCommand } from "./reading-command.ts";

/** What a tool is about to do, with its paths told apart. */
export interface ToolUse {
  readonly action: "read" | "write" | "execute" | "other";
  /** Outside of the agent's workspace, absolute. */
  readonly outside: readonly string[];
  readonly command: string | undefined;
}

/** What is to become of it. */
export type PermissionVerdict =
  | { readonly verdict: "allow" | "ask" }
  | { readonly verdict: "deny"; readonly reason: string };

/**
 * Judges a tool by what its agent may do. Whatever the permission, nothing outside of the workspace is written; and
 * reading is always allowed, also by commands that surely only read.
 *
 * @example
 * judgePermission("read-only", { action: "write", outside: [], command: undefined }, "/ws").verdict // "deny"
 */
export function judgePermission(permission: Permission, use: ToolUse, tree: string): PermissionVerdict {
  const { action, outside, command } = use;
  if (action === "write" && outside.length > 0) {
    return {
      verdict: "deny",
      reason: `${outside[0]} is outside of your workspace. Write only below ${tree}.`,
    };
  }
  if (action === "read" || action === "other") return { verdict: "allow" };
  if (action === "execute" && command !== undefined && isReadingCommand(command)) return { verdict: "allow" };
  if (permission !== "read-only") return { verdict: permission === "ask" ? "ask" : "allow" };
  const reason =
    action === "write"
      ? "You may read, but not write. Report what you would change instead."
      : "You may run only commands that read, such as ls, cat, grep, git log and git diff, without redirection.";
  return { verdict: "deny", reason };
}
