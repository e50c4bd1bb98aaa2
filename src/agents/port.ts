/**
 * The port to the programs that hold conversations; each kind has an adapter beside it.
 *
 * A session: opened → (send) in a turn → (turn.end) between turns → … → closed.
 *
 * Invariants:
 * 1. Each `send` while no turn goes on begins one, and each turn ends in exactly one `turn.end`, also when the program
 *    dies, hangs up or is closed.
 * 2. `gone` is the last event, comes once, and only when nobody asked for `close`.
 * 3. What comes from the program is data: a line that cannot be understood is reported and skipped.
 * 4. Usage counts from zero for each session, also for a fork and a conversation that is gone on with.
 */
import type { AnabranchError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { AgentKind, Capabilities, MessageTiming, Permission, ToolServer, Usage } from "../engine/agent.ts";

/** One kind of agent. */
export interface AgentAdapter {
  readonly kind: AgentKind;
  /** What the kind can do at best; a session says what it really can. */
  readonly capabilities: Capabilities;
  /** Looks for the program. It starts nothing that talks to anybody. */
  detect(place: AgentPlace): Promise<Detection>;
  /**
   * Opens a session. When it resolves, the conversation has its lasting id and nothing was sent yet.
   * @throws {AnabranchError} `AGENT_MISSING`, `AGENT_TOO_OLD`, `AGENT_LOGIN`, `CONVERSATION_UNKNOWN`, `AGENT_FAILED`
   */
  open(options: OpenOptions): Promise<Session>;
  /** The conversations, newest first, that somebody has had in a folder; absent where the kind keeps none. */
  readonly conversations?: (place: AgentPlace, directory: string) => Promise<Conversation[]>;
  /** The id of the conversation of a folder in which a tool is in use; absent where a kind's clients tell it themselves. */
  readonly conversationUsing?: (place: AgentPlace, directory: string, toolUse: string) => Promise<string | undefined>;
  /** Ends what sessions share. */
  close(): Promise<void>;
}

/** Where and with what an agent's program is looked for. */
export interface AgentPlace {
  /** The whole environment it runs with. */
  readonly environment: Readonly<Record<string, string>>;
  /** The program, where it is named: a name on the PATH or a path, and arguments that come before ours. */
  readonly program?: { readonly command: string; readonly args: readonly string[] } | undefined;
}

/** What was found of an agent's program. */
export type Detection =
  | {
      readonly found: true;
      readonly path: string;
      readonly version: string;
      /** What is amiss, though it may work: say, a version nobody has tried. */
      readonly warning?: string | undefined;
    }
  | { readonly found: false; readonly error: AnabranchError };

/** A conversation that is on this machine already. */
export interface Conversation {
  readonly id: string;
  readonly updatedMs: number;
  readonly model?: string | undefined;
  /** How many tokens its last request held, and how many of them came from a cache. */
  readonly contextTokens?: number | undefined;
  readonly title?: string | undefined;
  /** The folder it works in. */
  readonly directory: string;
}

/** What a session is opened with. */
export interface OpenOptions extends AgentPlace {
  /** The folder it works in: inside a workspace. */
  readonly cwd: string;
  readonly model?: string | undefined;
  readonly effort?: string | undefined;
  /** Added to the agent's own system prompt. */
  readonly system?: string | undefined;
  /** Names of tools as the definition wrote them; a kind that has no such list ignores both. */
  readonly tools?: readonly string[] | undefined;
  readonly disallowedTools?: readonly string[] | undefined;
  readonly permission: Permission;
  readonly toolServers: Readonly<Record<string, ToolServer>>;
  /** What its definition says to its own kind, for a kind that reads it itself; a person has agreed to it. */
  readonly native?: Readonly<Record<string, unknown>> | undefined;
  /** The JSON Schema that the answer of each turn must meet, for a kind with `structured`. */
  readonly schema?: Readonly<Record<string, unknown>> | undefined;
  /** Goes on with a conversation. */
  readonly resume?: string | undefined;
  /** Begins with a copy of a conversation that was had in `directory`, perhaps while it goes on. */
  readonly forkFrom?: { readonly conversation: string; readonly directory: string } | undefined;
  /** How many requests to the model one turn may take. */
  readonly maxTurns?: number | undefined;
  readonly clock: Clock;
  /** Asked before each tool, wherever the kind allows; it may take as long as a person takes. */
  readonly gate: Gate;
  /** Told everything that happens, in order. It never throws and returns at once. */
  readonly onEvent: (event: AgentEvent) => void;
  /** A program of the session's own is started through this one: a program and the arguments before its own. */
  readonly through?: readonly string[] | undefined;
  /** The folder of the control group that a program of the session's own goes into. */
  readonly controlGroup?: string | undefined;
}

/** One live conversation. */
export interface Session {
  /** The agent's own id of the conversation: it outlives the session. */
  readonly conversation: string;
  readonly capabilities: Capabilities;
  /** The program of this session alone, where it has one. */
  readonly pid: number | undefined;
  /**
   * Says something to the agent. Between turns it begins a turn; in a turn it comes when `when` says, as well as the
   * kind can, and what cannot come sooner comes `later`. Resolves when the program has taken it.
   * @throws {AnabranchError} `AGENT_GONE`
   */
  send(message: { readonly text: string; readonly when: MessageTiming }): Promise<void>;
  /** Ends the turn that goes on, if one does: a `turn.end` with `interrupted` follows. */
  interrupt(): Promise<void>;
  /** Ends the session; resolves when its own program is gone. */
  close(): Promise<void>;
}

/** What a tool is about to do. */
export interface ToolRequest {
  readonly id: string;
  /** The agent's name for it. */
  readonly tool: string;
  readonly action: ToolAction;
  /** Absolute, as far as they are known. */
  readonly paths: readonly string[];
  /** What it runs, for `execute`. */
  readonly command?: string | undefined;
  /** One line for people. */
  readonly summary: string;
}

/** `other`: neither a file of the workspace nor a command: planning, the web, a server of tools. */
export type ToolAction = "read" | "write" | "execute" | "other";

/** Decides about tools. */
export type Gate = (request: ToolRequest) => Promise<GateAnswer>;

/** Whether a tool may go on. A `note` and a `reason` are told to the agent. */
export type GateAnswer =
  | { readonly allow: true; readonly note?: string | undefined }
  | { readonly allow: false; readonly reason: string };

/** What happens in a session. */
export type AgentEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool.start"; readonly request: ToolRequest }
  | { readonly type: "tool.end"; readonly id: string; readonly ok: boolean; readonly output?: string | undefined }
  /** A file that one of its tools has surely read or written. */
  | { readonly type: "file"; readonly access: "read" | "write"; readonly path: string }
  /** All that was used so far, and the model that was used. */
  | { readonly type: "usage"; readonly usage: Usage; readonly model?: string | undefined }
  /** The size of the conversation at the last request, where it is told. */
  | { readonly type: "context"; readonly tokens: number; readonly window?: number | undefined }
  /** The program itself waits and tries a request again. */
  | { readonly type: "retry"; readonly reason: FailureReason; readonly delayMs?: number | undefined }
  /** Something for people that is neither text of the agent nor an error. */
  | { readonly type: "remark"; readonly text: string }
  /** A message that was sent while a turn went on has reached the model. */
  | { readonly type: "message.taken"; readonly text: string }
  | TurnEnd
  | { readonly type: "gone"; readonly error: AnabranchError };

/** The end of a turn. */
export interface TurnEnd {
  readonly type: "turn.end";
  readonly status: "completed" | "interrupted" | "failed";
  /** The agent's last words in this turn. */
  readonly text: string;
  /** The answer by the schema, where the kind holds itself to one. */
  readonly structured?: unknown;
  readonly failure?: AgentFailure | undefined;
}

/** Why a turn failed. */
export interface AgentFailure {
  readonly reason: FailureReason;
  /** The agent's own words. */
  readonly message: string;
  /** How long to wait before it is tried again, where the service said so. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * `rate-limit` and `overloaded` pass by themselves; `server` and `cut` (a stream that broke off) often do; `context`: it
 * has become too long; `turns`: it took more requests than it may; `schema`: it did not manage to meet the schema.
 */
export type FailureReason =
  | "rate-limit"
  | "overloaded"
  | "server"
  | "cut"
  | "login"
  | "context"
  | "turns"
  | "schema"
  | "invalid"
  | "other";
