/**
 * The few shapes of `codex app-server` that are used, as the program writes them; what it sends is read loosely.
 * The program itself tells them all: `codex app-server generate-ts --out FOLDER`.
 */
import { fieldsOf, listOf, numberOf, textOf, type Fields } from "../fields.ts";

export { fieldsOf, listOf, numberOf, parseFields, textOf, type Fields } from "../fields.ts";

/** Names a request, in either direction. */
export type RequestId = number | string;

/** What may be asked of a person before it is done: everything, or nothing. */
export type ApprovalPolicy = "untrusted" | "never";

/** What commands may touch. */
export type SandboxMode = "read-only" | "workspace-write" | "danger-full-access";

/** One thing in a turn: a message, a command, a change of files. */
export interface Item {
  readonly type: string;
  readonly id: string;
  readonly status: string;
  /** Everything it says. */
  readonly fields: Fields;
}

/** How a turn stands. */
export interface TurnState {
  readonly id: string;
  readonly status: string;
  readonly error: Fields | undefined;
}

/** Tokens, counted for the whole thread or for its last request. */
export interface TokenCount {
  /** With what came from a cache or went into one. */
  readonly input: number;
  readonly cachedInput: number;
  readonly cacheWriteInput: number;
  readonly output: number;
  readonly total: number;
}

/** A file that a change is about. */
export interface FileChange {
  readonly path: string;
  readonly kind: string;
  /** Where it is moved to. */
  readonly movePath: string | undefined;
}

/** What the program takes a part of a command for. */
export interface CommandAction {
  readonly type: string;
  readonly path: string | undefined;
}

/** The item of a message about one. */
export function readItem(params: Fields): Item | undefined {
  const fields = fieldsOf(params["item"]);
  const [type, id] = [textOf(fields["type"]), textOf(fields["id"])];
  if (type === undefined || id === undefined) return undefined;
  return { type, id, status: textOf(fields["status"]) ?? "", fields };
}

/** The turn of a message about one. */
export function readTurn(message: Fields): TurnState | undefined {
  const fields = fieldsOf(message["turn"]);
  const id = textOf(fields["id"]);
  if (id === undefined) return undefined;
  const error = fields["error"];
  return {
    id,
    status: textOf(fields["status"]) ?? "",
    error: typeof error === "object" && error !== null ? fieldsOf(error) : undefined,
  };
}

/** A count of tokens. */
export function readTokens(value: unknown): TokenCount {
  const fields = fieldsOf(value);
  return {
    input: numberOf(fields["inputTokens"]),
    cachedInput: numberOf(fields["cachedInputTokens"]),
    cacheWriteInput: numberOf(fields["cacheWriteInputTokens"]),
    output: numberOf(fields["outputTokens"]),
    total: numberOf(fields["totalTokens"]),
  };
}

/** The files of a change. */
export function readChanges(item: Item): FileChange[] {
  return listOf(item.fields["changes"]).flatMap((value) => {
    const change = fieldsOf(value);
    const [path, kind] = [textOf(change["path"]), fieldsOf(change["kind"])];
    if (path === undefined) return [];
    return [{ path, kind: textOf(kind["type"]) ?? "update", movePath: textOf(kind["move_path"]) }];
  });
}

/** What the program takes a command for. */
export function readActions(fields: Fields): CommandAction[] {
  return listOf(fields["commandActions"]).map((value) => {
    const action = fieldsOf(value);
    return { type: textOf(action["type"]) ?? "unknown", path: textOf(action["path"]) };
  });
}

/** The threads that an item of a message says its agent has started. */
export function startedBy(params: Fields): string[] {
  const item = readItem(params);
  if (item?.type !== "collabAgentToolCall") return [];
  return listOf(item.fields["receiverThreadIds"]).filter((id) => typeof id === "string");
}
