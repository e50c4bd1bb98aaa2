import type { MessageTiming } from "../engine/agent.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import { insertInto, jsonOf, numberOf, optionalNumberOf, textOf } from "./statements.ts";

/** Who says something to an agent at work. */
export type MessageSender =
  | { readonly kind: "person" }
  | { readonly kind: "task"; readonly run: string; readonly task: string }
  /** An entry of the inbox of the task that is told. */
  | { readonly kind: "inbox"; readonly entry: string };

/** Something that is said to an agent at work. */
export interface MessageRow {
  readonly id: string;
  readonly run: string;
  readonly task: string;
  readonly sender: MessageSender;
  readonly timing: MessageTiming;
  readonly text: string;
  /** `undelivered`: the agent's work was over before. */
  readonly state: "waiting" | "delivered" | "undelivered";
  readonly createdMs: number;
  readonly endedMs: number | undefined;
}

/** Adds a message that waits to be delivered. */
export function insertMessage(message: Omit<MessageRow, "state" | "endedMs">): Statement {
  return insertInto("messages", {
    id: message.id,
    run_id: message.run,
    task: message.task,
    sender_json: JSON.stringify(message.sender),
    timing: message.timing,
    body: message.text,
    state: "waiting",
    created_ms: message.createdMs,
  });
}

/** Adds a message of which an attempt of a task gets one; what did not reach it before waits once more. */
export function insertMessageOnce(message: Omit<MessageRow, "state" | "endedMs">): Statement {
  const { sql, values } = insertMessage(message);
  const again = "do update set state = 'waiting', ended_ms = null where messages.state = 'undelivered'";
  return { sql: `${sql} on conflict (id) ${again}`, values };
}

/** Settles a message that waits; does nothing for one that is settled. */
export function settleMessage(id: string, state: "delivered" | "undelivered", atMs: number): Statement {
  return {
    sql: "update messages set state = ?, ended_ms = ? where id = ? and state = 'waiting'",
    values: [state, atMs, id],
  };
}

/** The messages to a task, oldest first; all of them, or those that wait. */
export async function loadMessages(store: Store, run: string, task: string, only?: "waiting"): Promise<MessageRow[]> {
  const rows =
    only === undefined
      ? await store.read("select * from messages where run_id = ? and task = ? order by created_ms, rowid", [run, task])
      : await store.read(
          "select * from messages where run_id = ? and task = ? and state = 'waiting' order by created_ms, rowid",
          [run, task],
        );
  return rows.map(parseMessage);
}

function parseMessage(row: SqlRow): MessageRow {
  return {
    id: textOf(row, "id"),
    run: textOf(row, "run_id"),
    task: textOf(row, "task"),
    sender: jsonOf<MessageSender>(row, "sender_json"),
    timing: textOf(row, "timing") as MessageTiming,
    text: textOf(row, "body"),
    state: textOf(row, "state") as MessageRow["state"],
    createdMs: numberOf(row, "created_ms"),
    endedMs: optionalNumberOf(row, "ended_ms"),
  };
}
