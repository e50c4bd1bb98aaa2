import { printableJson } from "../base/printable.ts";
import type { AgentFile, Hook, OtherServer } from "./agent-file.ts";

/** What of a file is left to Claude Code itself. */
export interface NativePart {
  /** For its adapter, which reads it itself. */
  readonly native: Readonly<Record<string, unknown>> | undefined;
  /** The same for people, a line each. */
  readonly honoured: readonly string[];
  readonly remarks: readonly string[];
}

/** The events at which Claude Code lets somebody else run a hook of ours as it would run it itself. */
const HOOK_EVENTS = ["PreToolUse", "PostToolUse", "PostToolBatch", "UserPromptSubmit", "Stop", "SubagentStop"];
/** What of a hook is understood; with anything else it is another hook than it seems. */
const HOOK_KEYS = new Set(["type", "command", "args", "timeout", "onFailure", "statusMessage"]);
const MEMORIES: readonly unknown[] = ["user", "project", "local"];

/** Takes from a file what Claude Code can be given as it stands there. */
export function nativeOf(file: AgentFile): NativePart {
  const { memory, initialPrompt } = file.texts;
  const remarks: string[] = [];
  const hooks = file.hooks.filter((hook) => {
    const problem = problemOf(hook);
    if (problem !== undefined) remarks.push(`its hook on ${hook.event} is not run: ${problem}`);
    return problem === undefined;
  });
  const servers = file.otherServers.filter((server) => {
    const isUsable = isForClaude(server);
    if (!isUsable) remarks.push(leftOut(server));
    return isUsable;
  });
  const isMemory = MEMORIES.includes(memory);
  if (memory !== undefined && !isMemory)
    remarks.push(`memory ${printableJson(memory)} is not known and left out; known: ${MEMORIES.join(", ")}`);
  for (const key of file.others) {
    if (key !== "memory" && key !== "initialPrompt") remarks.push(UNHONOURED[key] ?? unhonoured(key));
  }
  const native = {
    ...(hooks.length === 0 ? {} : { hooks }),
    ...(servers.length === 0 ? {} : { mcpServers: servers }),
    ...(isMemory ? { memory } : {}),
    ...(initialPrompt === undefined ? {} : { initialPrompt }),
  };
  const isAgent = isMemory || initialPrompt !== undefined;
  return {
    native: Object.keys(native).length === 0 ? undefined : { name: file.name, ...native },
    honoured: [
      ...hooks.map(({ event, matcher }) => `a hook on ${event}${matcher === undefined ? "" : ` of ${matcher}`}`),
      ...servers.map(({ name }) => `the tool server ${name}`),
      ...(isMemory ? [`memory: ${String(memory)}`] : []),
      ...(initialPrompt === undefined ? [] : ["initialPrompt"]),
      ...(isAgent ? ["the text, as its whole system prompt"] : []),
    ],
    remarks,
  };
}

/** What no other kind can be given of the servers that a file names. */
export function leftOut({ name, server }: OtherServer): string {
  return server === undefined
    ? `mcpServers: ${name} is left out: it is described elsewhere, not here`
    : `mcpServers: ${name} is left out: only servers with command, args and env can be passed on`;
}

/** Whether Claude Code can be given it: by its name, or by its address. */
export function isForClaude({ server }: OtherServer): boolean {
  if (server === undefined) return true;
  const { type, url } = server;
  return (type === "http" || type === "sse") && typeof url === "string" && /^https?:\/\//.test(url);
}

function unhonoured(key: string): string {
  return `${key} is not honoured: Claude Code does not do so for the agent that a session is with`;
}

const UNHONOURED: Readonly<Record<string, string>> = {
  background: "background has no meaning here: anabranch spawn runs any task in the background",
  isolation: "isolation has no meaning here: each task has a workspace of its own",
  skills:
    "skills are not read beforehand: Claude Code does that for its helpers only; the agent finds them with its tool Skill",
};

function problemOf({ event, action }: Hook): string | undefined {
  if (event === "PermissionRequest") return "what the agent may do is for its permission to say";
  if (!HOOK_EVENTS.includes(event)) return `only those on ${HOOK_EVENTS.join(", ")} are`;
  if (action["type"] !== "command") return `only hooks of type command are`;
  const { command, args, timeout } = action;
  if (typeof command !== "string" || command.trim() === "") return "it has no command";
  const isList = Array.isArray(args) && args.every((arg) => typeof arg === "string");
  if (args !== undefined && !isList) return "its args are no list of texts";
  if (timeout !== undefined && !(typeof timeout === "number" && timeout > 0))
    return "its timeout is no number of seconds";
  const stranger = Object.keys(action).find((key) => !HOOK_KEYS.has(key));
  return stranger === undefined ? undefined : `its ${stranger} cannot be honoured`;
}
