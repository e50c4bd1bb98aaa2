/** Speaks with Claude Code through its vendor's SDK, which is loaded from where it lies and is no dependency. */
import { pathToFileURL } from "node:url";

import type { Clock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import { fieldsOf, type Fields } from "../fields.ts";
import { agentsOf, builtInOf, SETTINGS, type Launch } from "./launch.ts";
import { startSdkProcess, type SdkProcess, type SdkSpawn } from "./sdk-process.ts";
import {
  HOOKED_AFTER,
  HOOK_PATIENCE_S,
  hookTable,
  messageOf,
  overlong,
  stray,
  type Listener,
  type Transport,
} from "./transport.ts";

/** As much of the SDK as is used here. */
interface Sdk {
  query(call: { prompt: AsyncIterable<object>; options: object }): Query;
}

interface Query extends AsyncIterable<unknown> {
  interrupt(): Promise<unknown>;
  close(): void;
  usage_EXPERIMENTAL_MAY_CHANGE_DO_NOT_RELY_ON_THIS_API_YET?(options: { skipBehaviors: boolean }): Promise<unknown>;
}

/** Starts the program through the SDK whose module is at `path`. */
export async function startSdkTransport(
  path: string,
  launch: Launch,
  listener: Listener,
  clock: Clock,
): Promise<Transport> {
  const sdk = await loadSdk(path);
  const inbox = createInbox();
  let started: SdkProcess | undefined;
  const surroundings = {
    clock,
    controlGroup: launch.options.controlGroup,
    through: launch.options.through,
    onOverlong: (sizeBytes: number) => listener.onRemark(overlong(sizeBytes)),
    onStray: (line: string) => listener.onRemark(stray(line)),
  };
  const spawn = (call: SdkSpawn): SdkProcess["process"] => {
    started = startSdkProcess({ ...call, args: [...launch.args, ...call.args] }, surroundings);
    return started.process;
  };
  const query = sdk.query({
    prompt: inbox.messages,
    options: { ...optionsOf(launch, listener), spawnClaudeCodeProcess: spawn },
  });
  if (started === undefined)
    throw new AnabranchError("AGENT_FAILED", { message: `the SDK at ${path} started nothing` });
  const program = await started.program;
  const heard = listen(query, listener);
  return {
    pid: program.pid,
    gone: program.gone.then(async (end) => {
      await heard;
      return end;
    }),
    say: (spoken) => Promise.resolve(inbox.put(messageOf(spoken, launch.conversation))),
    interrupt: async () => void (await query.interrupt()),
    usage: async () =>
      fieldsOf(await query.usage_EXPERIMENTAL_MAY_CHANGE_DO_NOT_RELY_ON_THIS_API_YET?.({ skipBehaviors: true })),
    cost: () => Promise.resolve(undefined),
    async close(patienceMs) {
      inbox.end();
      await program.close(patienceMs);
      query.close();
    },
  };
}

async function loadSdk(path: string): Promise<Sdk> {
  try {
    const loaded: unknown = await import(pathToFileURL(path).href);
    if (typeof fieldsOf(loaded)["query"] === "function") return loaded as Sdk;
    throw new TypeError("it has no function query");
  } catch (cause) {
    throw new AnabranchError("AGENT_FAILED", {
      message: `the agent SDK at ${path} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: "reinstall it, or unset ANABRANCH_CLAUDE_SDK: without it the program itself is spoken to",
      cause,
    });
  }
}

function optionsOf({ options, ...launch }: Launch, listener: Listener): object {
  const hook = (input: unknown): Promise<Fields> => listener.onHook(fieldsOf(input));
  const { tools, schema } = options;
  const { agent } = launch;
  const system = agent === undefined ? options.system : undefined;
  return {
    cwd: launch.cwd,
    env: launch.environment,
    pathToClaudeCodeExecutable: launch.program,
    permissionMode: launch.permissionMode,
    settings: JSON.stringify(SETTINGS),
    strictMcpConfig: true,
    mcpServers: launch.servers,
    mcpServersDelivery: "argv",
    ...(launch.earlier === undefined ? {} : { resume: launch.earlier.conversation }),
    ...(launch.earlier?.fork === true ? { forkSession: true } : {}),
    ...(launch.earlier?.fork === false ? {} : { sessionId: launch.conversation }),
    systemPrompt: { type: "preset", preset: "claude_code", ...(system === undefined ? {} : { append: system }) },
    ...(agent === undefined ? {} : { extraArgs: { agents: agentsOf(agent), agent: agent.name } }),
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.effort === undefined ? {} : { effort: options.effort }),
    ...(options.maxTurns === undefined ? {} : { maxTurns: options.maxTurns }),
    ...(tools === undefined ? {} : { tools: builtInOf(tools) }),
    ...(options.disallowedTools === undefined ? {} : { disallowedTools: options.disallowedTools }),
    ...(schema === undefined ? {} : { outputFormat: { type: "json_schema", schema } }),
    hooks: hookTable<object>(
      {
        PreToolUse: { hooks: [hook], timeout: HOOK_PATIENCE_S, onFailure: "block" },
        PostToolUse: { matcher: HOOKED_AFTER, hooks: [hook], timeout: HOOK_PATIENCE_S },
      },
      launch.hooks,
      (own) => ({
        ...(own.matcher === undefined ? {} : { matcher: own.matcher }),
        hooks: [(input: unknown) => listener.onDefinitionHook(own, fieldsOf(input))],
        timeout: HOOK_PATIENCE_S,
      }),
    ),
    canUseTool: (tool: string, input: Fields, { toolUseID }: { toolUseID: string }) =>
      listener.onPermission({ tool_name: tool, input, tool_use_id: toolUseID }),
  };
}

/** The SDK passes an error on as a message first, and then throws it. */
async function listen(query: Query, listener: Listener): Promise<void> {
  try {
    for await (const message of query) listener.onMessage(fieldsOf(message));
  } catch (error) {
    listener.onRemark(`the agent SDK stopped: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What is to be said, taken as the SDK asks for it. */
function createInbox(): { messages: AsyncIterable<object>; put(message: object): void; end(): void } {
  const letters: object[] = [];
  let [isOver, wake] = [false, (): void => undefined];
  async function* messages(): AsyncGenerator<object> {
    while (!isOver) {
      const letter = letters.shift();
      if (letter !== undefined) yield letter;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return {
    messages: messages(),
    put(message) {
      letters.push(message);
      wake();
    },
    end() {
      isOver = true;
      wake();
    },
  };
}
