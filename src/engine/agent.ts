/** The programs that hold conversations. A task of kind `shell` is a command and holds none. */
export const AGENT_KINDS = ["claude", "codex", "opencode", "acp"] as const;
/** A program that holds conversations. */
export type AgentKind = (typeof AGENT_KINDS)[number];

/**
 * What an agent may do without asking: read; read, write and run inside of its workspace; or read, and ask a person
 * before anything else.
 */
export const PERMISSIONS = ["read-only", "workspace", "ask"] as const;
/** What an agent may do without asking. */
export type Permission = (typeof PERMISSIONS)[number];

/** What an agent meets when it is about to write what another holds a lease on. */
export const LEASE_ANSWERS = ["warn", "wait", "deny"] as const;
/** What an agent meets when it is about to write what another holds a lease on. */
export type LeaseAnswer = (typeof LEASE_ANSWERS)[number];

/**
 * When a message reaches an agent at work: `now` ends its turn and starts another, `next` comes with the result of the
 * tool it is using, `later` when its turn is over.
 */
export const MESSAGE_TIMINGS = ["now", "next", "later"] as const;
/** When a message reaches an agent at work. */
export type MessageTiming = (typeof MESSAGE_TIMINGS)[number];

/** What a kind of agent, or one session of it, can do. */
export interface Capabilities {
  /** A conversation can be copied. */
  readonly fork: boolean;
  /** The copy can work in another folder. */
  readonly forkCwd: boolean;
  /** What a copy in another folder sends begins with the same bytes, so that the service's cache serves it. */
  readonly forkPrefix: boolean;
  /** A message reaches it while it works. */
  readonly steer: boolean;
  /** A tool can be refused before it does anything. */
  readonly preToolDeny: boolean;
  /** It tells which files its tools read. */
  readonly readEvents: boolean;
  /** It tells which files its tools write. */
  readonly writeEvents: boolean;
  /** It tells what it cost in money. */
  readonly cost: boolean;
  /** It holds itself to a JSON Schema. */
  readonly structured: boolean;
  /** One process serves many sessions. */
  readonly sharedProcess: boolean;
}

/** What was used, counted from when the session was opened: a fork starts at zero. */
export interface Usage {
  /** Without what came from a cache. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** Requests to the model, as far as the agent tells. */
  readonly turns: number;
  /** In US dollars, where the agent says so or its model has a price. */
  readonly usd: number | undefined;
}

/** What may be used, together with everything that is started on the way. What is absent is not limited. */
export interface Budget {
  readonly usd?: number | undefined;
  /** Input, output and cached ones together. */
  readonly tokens?: number | undefined;
  readonly turns?: number | undefined;
  readonly ms?: number | undefined;
}

/** A server of tools that an agent is given. */
export interface ToolServer {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Nothing used. */
export const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  turns: 0,
  usd: undefined,
};
