import type { AgentAdapter } from "../../agents/port.ts";
import type { Reason } from "../../store/runs.ts";
import { findSession, type SessionRecord } from "../../store/sessions.ts";
import type { LiveTask } from "../live-run.ts";
import type { AgentWorkContext } from "./agent-work.ts";

/**
 * The conversation that a new one begins with: the one that is forked; or, where work is done again because it did not
 * land, the author's own.
 */
export async function sourceOf(
  { parts, agent, task, attempt }: AgentWorkContext,
  adapter: AgentAdapter,
): Promise<SessionRecord["from"]> {
  if (agent.fork !== undefined && attempt.number === 1) {
    const { conversation, way, directory } = agent.fork;
    return { conversation, way, directory };
  }
  if (reasonToDoAgain(task) === undefined) return undefined;
  const earlier = await findSession(parts.store, { ...attempt, number: attempt.number - 1 });
  if (earlier?.conversation === undefined || !adapter.capabilities.forkCwd) return undefined;
  return { conversation: earlier.conversation, way: "copy", directory: earlier.record.directory };
}

/** Why an earlier attempt of a task did not land. */
export function reasonToDoAgain({ row }: LiveTask): Reason | undefined {
  return row.reason?.code === "MERGE_CONFLICT" || row.reason?.code === "VERIFY_FAILED" ? row.reason : undefined;
}
