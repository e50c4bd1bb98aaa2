import type { TaskSpec } from "./spec.ts";

/** What a task was asked to do, in the words of whoever asked: its agent's prompt, or its command. */
export function intentOf({ agent, command }: Pick<TaskSpec, "agent" | "command">): string {
  return agent?.prompt ?? command;
}
