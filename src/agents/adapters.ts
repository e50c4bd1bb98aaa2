import type { Clock } from "../base/clock.ts";
import type { AgentKind } from "../engine/agent.ts";
import type { AgentAdapter } from "./port.ts";

/** The adapters of all kinds; one is loaded when it is first asked for. */
export interface Adapters {
  get(kind: AgentKind): Promise<AgentAdapter>;
  /** Ends what sessions share, of those that were loaded. */
  close(): Promise<void>;
}

const LOADERS: Readonly<Record<AgentKind, (clock: Clock) => Promise<AgentAdapter>>> = {
  claude: async (clock) => (await import("./claude/adapter.ts")).createClaudeAdapter(clock),
  codex: async (clock) => (await import("./codex/adapter.ts")).createCodexAdapter(clock),
  acp: async (clock) => (await import("./acp/adapter.ts")).createAcpAdapter(clock),
  opencode: async (clock) => (await import("./opencode/adapter.ts")).createOpencodeAdapter(clock),
};

/** See {@link Adapters}. */
export function createAdapters(clock: Clock): Adapters {
  const loaded = new Map<AgentKind, Promise<AgentAdapter>>();
  return {
    get(kind) {
      const adapter = loaded.get(kind) ?? LOADERS[kind](clock);
      loaded.set(kind, adapter);
      return adapter;
    },
    async close() {
      await Promise.allSettled([...loaded.values()].map(async (adapter) => (await adapter).close()));
    },
  };
}
