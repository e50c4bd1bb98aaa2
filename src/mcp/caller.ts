import type { BaseContext } from "@modelcontextprotocol/server";

import type { AgentKind } from "../protocol/tools.ts";

/** The tasks extension of MCP: a call may be answered with a handle that the client asks about now and then. */
export const TASKS_EXTENSION = "io.modelcontextprotocol/tasks";

/** The conversation in which a tool was called, as far as the client tells: itself, or a use of a tool in it. */
interface CallingConversation {
  readonly kind?: AgentKind;
  readonly source?: string;
  readonly toolUse?: string;
}

/** What is known of the client behind one call. */
export interface Caller {
  readonly conversation: CallingConversation;
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
    conversation: conversationOf(meta, name),
    takesHandles: fieldOf(extensions, TASKS_EXTENSION) !== undefined,
    patienceMs: name !== undefined && WAITS_AS_LONG_AS_IT_TAKES.has(name) ? undefined : USUAL_PATIENCE_MS,
  };
}

const KINDS: Readonly<Record<string, AgentKind>> = {
  "claude-code": "claude",
  "codex-mcp-client": "codex",
  opencode: "opencode",
};

function conversationOf(meta: Readonly<Record<string, unknown>>, name: string | undefined): CallingConversation {
  const kind = name === undefined ? undefined : KINDS[name];
  const [toolUse, source] = [textAt(meta, "claudecode/toolUseId"), textAt(meta, "threadId")];
  if (toolUse !== undefined) return { kind: "claude", toolUse };
  return source === undefined ? (kind === undefined ? {} : { kind }) : { kind: "codex", source };
}

function textAt(value: unknown, key: string): string | undefined {
  const found = fieldOf(value, key);
  return typeof found === "string" && found !== "" ? found : undefined;
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
