import type { Permission } from "../../engine/agent.ts";
import type { OpenOptions } from "../port.ts";
import { definitionHooks, type DefinitionHook } from "./definition-hooks.ts";
import { textOf, type Fields } from "../fields.ts";

/** How Claude Code is to be started, in no program's words. */
export interface Launch {
  readonly program: string;
  /** Come before ours. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The id that the conversation has or gets. */
  readonly conversation: string;
  /** The one it goes on with, or begins with a copy of. */
  readonly earlier: { readonly conversation: string; readonly fork: boolean } | undefined;
  readonly permissionMode: "default" | "acceptEdits";
  /** The definition that Claude Code itself reads, where that makes a difference; its text is then the system prompt. */
  readonly agent: { readonly name: string; readonly definition: Fields } | undefined;
  readonly hooks: readonly DefinitionHook[];
  /** Servers of tools, as Claude Code is told of them. */
  readonly servers: Readonly<Record<string, Fields>>;
  readonly options: OpenOptions;
}

const QUIET: Readonly<Record<string, string>> = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  DISABLE_TELEMETRY: "1",
};

/** Hooks of the user and of the repository stay out; ours are no settings and run all the same. */
export const SETTINGS = { disableAllHooks: true };

/** What a session is started with. */
export function launchOf(
  options: OpenOptions,
  program: string,
  newId: string,
  otherServers: Readonly<Record<string, Fields>> = {},
): Launch {
  const { resume, forkFrom } = options;
  return {
    program,
    args: options.program?.args ?? [],
    cwd: options.cwd,
    environment: { ...QUIET, ...withoutParent(options.environment) },
    conversation: resume ?? newId,
    earlier:
      resume === undefined
        ? forkFrom && { conversation: forkFrom.conversation, fork: true }
        : { conversation: resume, fork: false },
    permissionMode: MODES[options.permission],
    agent: agentOf(options),
    hooks: definitionHooks(options.native ?? {}),
    servers: { ...toolServersOf(options), ...otherServers },
    options,
  };
}

/** What only a session that is with an agent by name can be given. */
function agentOf({ native = {}, system, resume, forkFrom }: OpenOptions): Launch["agent"] {
  const { name, memory, initialPrompt } = native;
  if (memory === undefined && initialPrompt === undefined) return undefined;
  // What a conversation begins with was said when it began.
  const isNew = resume === undefined && forkFrom === undefined;
  return {
    name: textOf(name) ?? "agent",
    definition: {
      description: textOf(name) ?? "agent",
      // An empty one is not taken.
      prompt: system ?? " ",
      ...(memory === undefined ? {} : { memory }),
      ...(initialPrompt === undefined || !isNew ? {} : { initialPrompt }),
    },
  };
}

// Each tool is asked about before it is used, so the mode only decides about what nobody was asked about.
const MODES: Readonly<Record<Permission, Launch["permissionMode"]>> = {
  "read-only": "default",
  ask: "default",
  workspace: "acceptEdits",
};

// A Claude Code that finds itself inside another one behaves as its child, and speaks with it.
const OF_A_PARENT: ReadonlySet<string> = new Set([
  "CLAUDECODE",
  "CLAUDE_CODE_CHILD_SESSION",
  "CLAUDE_CODE_ENTRYPOINT",
  "CLAUDE_CODE_MESSAGING_SOCKET",
  "CLAUDE_CODE_MESSAGING_TOKEN",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_CODE_SSE_PORT",
]);

function withoutParent(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !OF_A_PARENT.has(name)));
}

/** The command line for a launch. */
export function argumentsOf(launch: Launch): string[] {
  const { options, earlier, agent } = launch;
  const { model, effort, system, tools, disallowedTools, schema, maxTurns } = options;
  const named: readonly (readonly [string, string | undefined])[] = [
    ["--input-format", "stream-json"],
    ["--output-format", "stream-json"],
    ["--permission-prompt-tool", "stdio"],
    ["--permission-mode", launch.permissionMode],
    ["--settings", JSON.stringify(SETTINGS)],
    ["--mcp-config", JSON.stringify({ mcpServers: launch.servers })],
    ["--resume", earlier?.conversation],
    ["--session-id", earlier?.fork === false ? undefined : launch.conversation],
    ["--model", model],
    ["--effort", effort],
    ["--agents", agent && agentsOf(agent)],
    ["--agent", agent?.name],
    ["--append-system-prompt", agent === undefined ? system : undefined],
    ["--tools", tools && builtInOf(tools).join(",")],
    ["--disallowedTools", disallowedTools?.join(",")],
    ["--json-schema", schema && JSON.stringify(schema)],
    ["--max-turns", maxTurns?.toString()],
  ];
  return [
    ...launch.args,
    "--print",
    "--verbose",
    "--strict-mcp-config",
    ...(earlier?.fork === true ? ["--fork-session"] : []),
    ...named.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
  ];
}

/** The definition of an agent, as Claude Code is told of it. */
export function agentsOf({ name, definition }: NonNullable<Launch["agent"]>): string {
  return JSON.stringify(Object.fromEntries([[name, definition]]));
}

function toolServersOf(options: OpenOptions): Record<string, Fields> {
  return Object.fromEntries(
    Object.entries(options.toolServers).map(([name, { command, args, environment }]) => [
      name,
      { command, args: [...args], env: environment },
    ]),
  );
}

/** The names of a list that mean tools of the program itself, without the rules in brackets. */
export function builtInOf(tools: readonly string[]): string[] {
  return [...new Set(tools.filter((tool) => !tool.startsWith("mcp__")).map((tool) => tool.replace(/\(.*$/s, "")))];
}
