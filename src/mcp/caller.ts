import type { BaseContext } from "@modelcontextprotocol/server";

/** The tasks extension of MCP: a call may be answered with a handle that the client asks about now and then. */
export const TASKS_EXTENSION = "io.modelcontextprotocol/tasks";

/** The conversation in which a tool was called, as far as the client tells. */
export type Conversation =
  | { readonly kind: "claude"; readonly toolUse: string }
  | { readonly kind: "codex"; readonly conversation: string };

/** What is known of the client behind one call. */
export interface Caller {
  readonly conversation: Conversation | undefined;
  /** Whether it takes a handle instead of a result. */
  readonly takesHandles: boolean;
  /** How long it surely waits for one call. Absent: as long as it takes. */
  readonly patienceMs: number | undefined;
}

/** Clients give a call up after a minute, unless they are known not to. */
const USUAL_PATIENCE_MS = 50_000;
const WAITS_AS_LONG_AS_IT_TAKES: ReadonlySet<string> = new Set(["claude-code"]);

/** Reads what a request says of its caller. */
export function callerOf({ _meta, envelope }: BaseContext["mcpReq"], clientName: string | undefined): Caller {
  const meta: Readonly<Record<string, unknown>> = { ..._meta, ...envelope };
  const name = textAt(meta["io.modelcontextprotocol/clientInfo"], "name") ?? clientName;
  const extensions = fieldOf(meta["io.modelcontextprotocol/clientCapabilities"], "extensions");
  return {
    conversation: conversationOf(meta),
    takesHandles: fieldOf(extensions, TASKS_EXTENSION) !== undefined,
    patienceMs: name !== undefined && WAITS_AS_LONG_AS_IT_TAKES.has(name) ? undefined : USUAL_PATIENCE_MS,
  };
}

function conversationOf(meta: Readonly<Record<string, unknown>>): Conversation | undefined {
  const toolUse = textAt(meta, "claudecode/toolUseId");
  if (toolUse !== undefined) return { kind: "claude", toolUse };
  const thread = textAt(meta, "threadId");
  return thread === undefined ? undefined : { kind: "codex", conversation: thread };
}

function textAt(value: unknown, key: string): string | undefined {
  const found = fieldOf(value, key);
  return typeof found === "string" && found !== "" ? found : undefined;
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
