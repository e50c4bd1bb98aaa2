import type { Clock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import type { Capabilities } from "../../engine/agent.ts";
import { fieldsOf, textOf } from "../fields.ts";
import { splitEnvironment } from "../shared-environment.ts";
import type { AgentAdapter, OpenOptions, Session } from "../port.ts";
import { createProgramSearch } from "../program-search.ts";
import { RefusedCall, type Client } from "./client.ts";
import { settleConversation } from "./conversation.ts";
import { modelsIn, type ChosenModel, type Models } from "./models.ts";
import { KEPT_FROM_COMMANDS } from "./plugin.ts";
import { startServer, type Server } from "./server.ts";
import { createSession } from "./session.ts";
import { createSharedPrograms } from "../shared-programs.ts";

const CAPABILITIES: Capabilities = {
  fork: true,
  forkCwd: true,
  forkPrefix: false,
  steer: true,
  preToolDeny: true,
  readEvents: true,
  writeEvents: true,
  cost: true,
  // It has an answer by a schema, but it does not check it, and its own programs cannot show such a conversation.
  structured: false,
  sharedProcess: true,
};

const PROGRAM = {
  product: "opencode",
  command: "opencode",
  oldest: "1.18.33",
  newest: "1.18.33",
  install: "install it: npm install -g opencode-ai",
  update: "opencode upgrade",
};

/** The adapter for opencode: one server for all sessions with the same program and environment. */
export function createOpencodeAdapter(clock: Clock): AgentAdapter {
  const programs = createProgramSearch(PROGRAM, clock);
  const servers = createSharedPrograms(clock, (call) => startServer({ ...call, clock }));
  return {
    kind: "opencode",
    capabilities: CAPABILITIES,
    detect: (place) => programs.find(place),
    async open(options) {
      const detection = await programs.find(options);
      if (!detection.found) throw detection.error;
      const { shared, own } = splitEnvironment(options.environment, options.cwd);
      const args = options.program?.args ?? [];
      const { program: server, giveBack } = await servers.take({ path: detection.path, args, environment: shared });
      try {
        return await openSession(server, options, own, giveBack);
      } catch (error) {
        giveBack();
        throw error instanceof RefusedCall ? refusal(error) : error;
      }
    },
    close: () => servers.close(),
  };
}

async function openSession(
  server: Server,
  options: OpenOptions,
  own: Readonly<Record<string, string>>,
  giveBack: () => void,
): Promise<Session> {
  const { client, plugin } = server;
  const { cwd } = options;
  const models = modelsIn(await client.call("GET", "/config/providers", { directory: cwd }));
  const model = chosen(models, options);
  const conversation = await settleConversation(client, options);
  plugin.setEnvironment(conversation, own);
  await addToolServers(client, options, own);
  const leave = server.enter(cwd);
  const release = async (): Promise<void> => {
    plugin.forget(conversation);
    if (leave() && !server.isGone()) await leaveFolder(client, cwd);
    giveBack();
  };
  return createSession({ server, conversation, options, model, models, capabilities: CAPABILITIES, release });
}

function chosen(models: Models, { model, effort, onEvent }: OpenOptions): ChosenModel | undefined {
  if (model === undefined) return undefined;
  const found = models.choose(model);
  if (effort === undefined) return found;
  if (models.hasVariant(found, effort)) return { ...found, variant: effort };
  onEvent({ type: "remark", text: `opencode's model ${model} has no variant ${effort}: its own is used` });
  return found;
}

async function addToolServers(
  client: Client,
  { cwd, toolServers, onEvent }: OpenOptions,
  own: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, { command, args, environment }] of Object.entries(toolServers)) {
    const config = {
      type: "local",
      command: [command, ...args],
      environment: { ...own, ...environment, ...KEPT_FROM_COMMANDS },
      enabled: true,
    };
    const states = fieldsOf(await client.call("POST", "/mcp", { directory: cwd, body: { name, config } }));
    const { status, error } = fieldsOf(states[name]);
    if (status === "connected") continue;
    const reason = textOf(error) ?? String(status);
    onEvent({ type: "remark", text: `opencode could not reach the server of tools ${name}: ${reason}` });
  }
}

/** Ends what opencode keeps for a folder: servers of tools and of languages, and what watches its files. */
async function leaveFolder(client: Client, directory: string): Promise<void> {
  await client.call("POST", "/instance/dispose", { directory }).catch(() => undefined);
}

function refusal(cause: RefusedCall): AnabranchError {
  return new AnabranchError("AGENT_FAILED", { message: `opencode refused: ${cause.message}`, cause });
}
