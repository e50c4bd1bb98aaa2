import type { Clock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import type { Capabilities } from "../../engine/agent.ts";
import type { AgentAdapter, OpenOptions, Session } from "../port.ts";
import { createProgramSearch } from "../program-search.ts";
import { startAppServer, type AppServer } from "./app-server.ts";
import { processEnvironment, splitEnvironment } from "../shared-environment.ts";
import { findConversations } from "./rollouts.ts";
import { createSession } from "./session.ts";
import { isStrictSchema } from "./strict-schema.ts";
import { openThread } from "./thread.ts";
import { createSharedPrograms, type Share } from "../shared-programs.ts";

const CAPABILITIES: Capabilities = {
  fork: true,
  forkCwd: true,
  forkPrefix: true,
  steer: true,
  preToolDeny: true,
  readEvents: true,
  writeEvents: true,
  cost: false,
  structured: true,
  sharedProcess: true,
};

const PROGRAM = {
  product: "Codex",
  command: "codex",
  oldest: "0.169.0",
  newest: "0.169.0",
  install: "install it: npm install -g @openai/codex",
  update: "npm install -g @openai/codex@latest",
};

/** The adapter for Codex: its sessions share one `codex app-server` for each environment. */
export function createCodexAdapter(clock: Clock): AgentAdapter {
  const programs = createProgramSearch(PROGRAM, clock);
  const servers = createSharedPrograms(clock, (call) => startAppServer({ ...call, clock }));
  return {
    kind: "codex",
    capabilities: CAPABILITIES,
    detect: (place) => programs.find(place),
    async open(options) {
      const detection = await programs.find(options);
      if (!detection.found) throw detection.error;
      const { shared, own } = splitEnvironment(options.environment, options.cwd);
      const args = options.program?.args ?? [];
      const share = await servers.take({ path: detection.path, args, environment: processEnvironment(shared) });
      try {
        return await openSession(share, options, own);
      } catch (error) {
        share.giveBack();
        throw error;
      }
    },
    conversations: ({ environment }, directory) => findConversations(environment, directory),
    close: () => servers.close(),
  };
}

async function openSession(
  share: Share<AppServer>,
  options: OpenOptions,
  own: Readonly<Record<string, string>>,
): Promise<Session> {
  await Promise.all([requireLogin(share.program), share.program.hasSandbox()]);
  const thread = await openThread(share.program, options, own);
  const { schema } = options;
  // What it cannot hold itself to is checked by whoever asked for it.
  const structured = schema === undefined || isStrictSchema(schema);
  return createSession({ share, thread, options, capabilities: { ...CAPABILITIES, structured } });
}

async function requireLogin(server: AppServer): Promise<void> {
  const { account, requiresOpenaiAuth } = await server.call("account/read", {});
  if (requiresOpenaiAuth !== true || (account !== null && account !== undefined)) return;
  throw new AnabranchError("AGENT_LOGIN", { message: "codex is not logged in", hint: "codex login" });
}
