import type { Statement, Store } from "./port.ts";
import { jsonOf, numberOf, textOf } from "./statements.ts";

/** What a person has agreed that an agent of a repository may bring. */
export interface AgentPin {
  readonly repositoryId: string;
  readonly name: string;
  readonly contentHash: string;
  /** In words, as they were seen. */
  readonly wants: readonly string[];
  readonly createdMs: number;
}

/** Notes that it was agreed to, in place of what was before. */
export function replaceAgentPin(pin: AgentPin): Statement {
  return {
    sql: "insert or replace into agent_pins (repository_id, name, content_hash, wants_json, created_ms) values (?, ?, ?, ?, ?)",
    values: [pin.repositoryId, pin.name, pin.contentHash, JSON.stringify(pin.wants), pin.createdMs],
  };
}

/** What was agreed to of an agent, if anything. */
export async function loadAgentPin(store: Store, repositoryId: string, name: string): Promise<AgentPin | undefined> {
  const [row] = await store.read("select * from agent_pins where repository_id = ? and name = ?", [repositoryId, name]);
  if (row === undefined) return undefined;
  return {
    repositoryId: textOf(row, "repository_id"),
    name: textOf(row, "name"),
    contentHash: textOf(row, "content_hash"),
    wants: jsonOf<string[]>(row, "wants_json"),
    createdMs: numberOf(row, "created_ms"),
  };
}
