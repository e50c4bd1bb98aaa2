import { closest } from "../base/closest.ts";
import type { AgentKind, Permission, ToolServer } from "../engine/agent.ts";
import type { AgentFile } from "./agent-file.ts";
import { leftOut, nativeOf, type NativePart } from "./claude-native.ts";
import { CLAUDE_MODELS, CLAUDE_READING_TOOLS, CLAUDE_TOOLS, CLAUDE_WRITING_TOOLS } from "./claude-words.ts";

/** What a kind makes of a file that was written for Claude Code. */
export interface FittedFile {
  readonly model: string | undefined;
  readonly effort: string | undefined;
  readonly tools: readonly string[] | undefined;
  readonly disallowedTools: readonly string[] | undefined;
  readonly permission: Permission;
  readonly toolServers: Readonly<Record<string, ToolServer>>;
  readonly remarks: readonly string[];
  readonly native: NativePart["native"];
  readonly honoured: NativePart["honoured"];
}

/** Fits what a file says to a kind, and says what that kind cannot honour. */
export function fitFile(file: AgentFile, kind: AgentKind): FittedFile {
  const readsOnly = file.permissionMode === "plan";
  const { toolServers } = file;
  if (kind === "claude") {
    const { model, effort, tools, disallowedTools } = file;
    const { native, honoured, remarks } = nativeOf(file);
    return {
      model,
      effort,
      tools,
      disallowedTools,
      permission: readsOnly ? "read-only" : "workspace",
      toolServers,
      native,
      honoured,
      remarks: [...file.remarks, ...remarks],
    };
  }
  const remarks = [...file.remarks, ...file.otherServers.map(leftOut)];
  if (file.hooks.length > 0)
    remarks.push(`its hooks are not run: Anabranch itself stands between an agent and its tools`);
  for (const key of file.others)
    remarks.push(OTHERS[key] ?? `${key} is not honoured: only Claude Code itself knows it`);
  const limits = limitsOf(file, kind, remarks);
  return {
    toolServers,
    native: undefined,
    honoured: [],
    remarks,
    model: foreignModel(file.model, kind, remarks),
    effort: foreignEffort(file.effort, kind, remarks),
    tools: undefined,
    disallowedTools: undefined,
    permission: readsOnly || limits.readsOnly ? "read-only" : "workspace",
  };
}

const OTHERS: Readonly<Record<string, string>> = {
  background: "background has no meaning here: anabranch spawn runs any task in the background",
  isolation: "isolation has no meaning here: each task has a workspace of its own",
};

/** Lists of tools hold only where the tools have the same names; elsewhere what remains of them is a permission. */
function limitsOf(
  { tools, disallowedTools = [] }: AgentFile,
  kind: AgentKind,
  remarks: string[],
): { readsOnly: boolean } {
  const names = tools?.map(nameOfTool);
  const readsOnly =
    names?.every((name) => CLAUDE_READING_TOOLS.has(name)) ??
    CLAUDE_WRITING_TOOLS.every((name) => disallowedTools.map(nameOfTool).includes(name));
  const list = tools === undefined ? disallowedTools : tools;
  if (list.length > 0) {
    const key = tools === undefined ? "disallowedTools" : "tools";
    const rest = readsOnly ? "it may only read instead" : "it may use whatever its permission allows";
    remarks.push(`${key}: ${list.join(", ")} are tools of claude, which ${kind} cannot be held to; ${rest}`);
  }
  return { readsOnly };
}

function foreignModel(model: string | undefined, kind: AgentKind, remarks: string[]): string | undefined {
  if (model === undefined || isModelOf(kind, model)) return model;
  remarks.push(`model ${model} is none of ${kind}'s, which uses its own; say model: beside kind: ${kind}`);
  return undefined;
}

// Where there is no list, it depends on the model: the session tells.
const EFFORTS: Partial<Record<AgentKind, readonly string[]>> = {
  codex: ["none", "minimal", "low", "medium", "high", "xhigh"],
};

function foreignEffort(effort: string | undefined, kind: AgentKind, remarks: string[]): string | undefined {
  if (effort === undefined || EFFORTS[kind]?.includes(effort) !== false) return effort;
  remarks.push(`effort ${effort} is not known to ${kind}, which uses its own`);
  return undefined;
}

const MODELS: Readonly<Record<AgentKind, (model: string) => boolean>> = {
  claude: (model) => CLAUDE_MODELS.includes(model.toLowerCase()) || /claude|anthropic/i.test(model),
  codex: (model) => /^(gpt-|o\d|codex)/i.test(model),
  opencode: (model) => /^[^/]+\/./.test(model),
  acp: (model) => !MODELS.claude(model),
};

function isModelOf(kind: AgentKind, model: string): boolean {
  return MODELS[kind](model);
}

/** What is odd about what was chosen for a kind: names it does not know. */
export function remarksOnChoice(
  kind: AgentKind,
  choice: {
    readonly model: string | undefined;
    readonly tools: readonly string[] | undefined;
    readonly disallowedTools: readonly string[] | undefined;
  },
): string[] {
  const { model, tools = [], disallowedTools = [] } = choice;
  const odd = model !== undefined && !isModelOf(kind, model) ? [oddModel(kind, model)] : [];
  if (kind === "codex" || kind === "acp") {
    const given = tools.length + disallowedTools.length > 0;
    return given ? [...odd, `${kind} cannot be held to a list of tools; permission is what it can be held to`] : odd;
  }
  if (kind !== "claude") return odd;
  return [...odd, ...[...tools, ...disallowedTools].flatMap(oddTool)];
}

function oddModel(kind: AgentKind, model: string): string {
  const meant = kind === "claude" ? closest(model, CLAUDE_MODELS) : undefined;
  return `model ${model} is passed on, though ${kind} is not known to have it${meant === undefined ? "" : `; did you mean "${meant}"?`}`;
}

function oddTool(tool: string): string[] {
  const name = nameOfTool(tool);
  if (name.startsWith("mcp__") || CLAUDE_TOOLS.includes(name)) return [];
  const meant = closest(name, CLAUDE_TOOLS);
  return [`there is no tool ${name}${meant === undefined ? "" : `; did you mean "${meant}"?`}`];
}

function nameOfTool(tool: string): string {
  return tool.replace(/\(.*$/s, "");
}
