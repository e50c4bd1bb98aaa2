import { closest } from "../base/closest.ts";
import type { AnabranchError } from "../base/errors.ts";
import type { ToolServer } from "../engine/agent.ts";
import { CLAUDE_EFFORTS, CLAUDE_HOOK_EVENTS, CLAUDE_PERMISSION_MODES } from "./claude-words.ts";
import { invalid, readFrontMatter } from "./front-matter.ts";

/** What a file of an agent says, as Claude Code reads it. */
export interface AgentFile {
  readonly name: string | undefined;
  readonly description: string | undefined;
  /** The text below the front matter. */
  readonly system: string | undefined;
  /** Absent: all. */
  readonly tools: readonly string[] | undefined;
  readonly disallowedTools: readonly string[] | undefined;
  /** Absent also for `inherit`. */
  readonly model: string | undefined;
  readonly effort: string | undefined;
  readonly maxTurns: number | undefined;
  readonly permissionMode: (typeof CLAUDE_PERMISSION_MODES)[number] | undefined;
  readonly toolServers: Readonly<Record<string, ToolServer>>;
  /** Servers that nobody here could start. */
  readonly otherServers: readonly OtherServer[];
  /** What each event runs. */
  readonly hooks: readonly Hook[];
  /** Keys that have a meaning for Claude Code alone. */
  readonly others: readonly string[];
  /** Those of them that are texts. */
  readonly texts: { readonly memory: string | undefined; readonly initialPrompt: string | undefined };
  /** What is odd about it. */
  readonly remarks: readonly string[];
}

/** Something that is run when something happens. */
export interface Hook {
  readonly event: string;
  readonly matcher: string | undefined;
  readonly action: Readonly<Record<string, unknown>>;
}

/** A server of tools that is described elsewhere, or is not started but connected to. */
export interface OtherServer {
  readonly name: string;
  readonly server: Readonly<Record<string, unknown>> | undefined;
}

type Keys = Readonly<Record<string, unknown>>;
type Remark = (text: string) => void;
type Broken = (key: string, why: string) => AnabranchError;

/** Keys that Claude Code knows, and Anabranch has no use for. */
const OTHER_KEYS = [
  "skills",
  "memory",
  "initialPrompt",
  "observer",
  "observerMessage",
  "observeToolResults",
  "observeSubagents",
  "omitClaudeMd",
  "autoCompactWindow",
  "experimental",
  "background",
  "isolation",
];
const KNOWN_KEYS = [
  "name",
  "description",
  "tools",
  "disallowedTools",
  "model",
  "effort",
  "maxTurns",
  "permissionMode",
  "color",
  "mcpServers",
  "hooks",
  ...OTHER_KEYS,
];
const OLDER_KEYS: Readonly<Record<string, string>> = { allowedtools: "tools", whentouse: "description" };

/**
 * Reads the text of a file such as `.claude/agents/reviewer.md`; one without front matter describes no agent.
 *
 * @param path is for messages
 * @throws {AnabranchError} `AGENT_INVALID`, with file, line and column
 */
export async function readAgentFile(text: string, path: string): Promise<AgentFile | undefined> {
  const front = await readFrontMatter(text, path);
  const { keys, body, endsEarly } = front;
  if (keys === undefined) return undefined;
  const broken: Broken = (key, why) => invalid(path, front.placeOf(key), why);
  const remarks: string[] = [];
  const remark: Remark = (line) => void remarks.push(line);
  if (endsEarly) remark("a --- inside of a value ends its front matter; the rest is read as text");
  remarkUnknownKeys(keys, remark);
  return {
    name: nameOf(keys, broken),
    description: textOf(keys, "description", remark)?.replaceAll("\\n", "\n"),
    system: body === "" ? undefined : body,
    tools: toolsOf(keys, "tools", remark),
    disallowedTools: keys["disallowedTools"] === undefined ? undefined : toolsOf(keys, "disallowedTools", remark),
    model: modelOf(keys, remark),
    effort: effortOf(keys, remark),
    maxTurns: maxTurnsOf(keys, remark),
    permissionMode: permissionModeOf(keys, remark),
    ...serversOf(keys, remark),
    hooks: hooksOf(keys, broken),
    others: OTHER_KEYS.filter((key) => keys[key] !== undefined && keys[key] !== null && keys[key] !== false),
    texts: { memory: textOf(keys, "memory", remark), initialPrompt: textOf(keys, "initialPrompt", remark) },
    remarks,
  };
}

/** A file that says nothing but its text. */
export function plainAgentFile(text: string): AgentFile {
  const system = text.trim();
  return {
    name: undefined,
    description: undefined,
    system: system === "" ? undefined : system,
    tools: undefined,
    disallowedTools: undefined,
    model: undefined,
    effort: undefined,
    maxTurns: undefined,
    permissionMode: undefined,
    toolServers: {},
    otherServers: [],
    hooks: [],
    others: [],
    texts: { memory: undefined, initialPrompt: undefined },
    remarks: [],
  };
}

function remarkUnknownKeys(keys: Keys, remark: Remark): void {
  for (const key of Object.keys(keys)) {
    if (KNOWN_KEYS.includes(key)) continue;
    const flat = key.replaceAll(/[-_]/g, "").toLowerCase();
    const meant =
      OLDER_KEYS[flat] ?? KNOWN_KEYS.find((known) => known.toLowerCase() === flat) ?? closest(key, KNOWN_KEYS);
    remark(`there is no key ${JSON.stringify(key)}${meant === undefined ? "" : `; did you mean "${meant}"?`}`);
  }
}

const LONGEST_NAME = 256;
const CONTROLS = /[\p{Cc}\p{Cf}\u2028\u2029]/u;

function nameOf(keys: Keys, broken: Broken): string | undefined {
  const name = keys["name"];
  if (name === undefined || name === null || name === "") return undefined;
  const problem =
    typeof name !== "string"
      ? `the name is no text: write it in quotes`
      : name.startsWith("-")
        ? `a name does not start with -`
        : name.length > LONGEST_NAME
          ? `a name has at most ${LONGEST_NAME} characters`
          : name.normalize("NFKC").includes(":")
            ? `a name holds no : (that is for plugins)`
            : CONTROLS.test(name)
              ? `a name holds no control characters`
              : undefined;
  if (problem !== undefined) throw broken("name", problem);
  return name as string;
}

function textOf(keys: Keys, key: string, remark: Remark): string | undefined {
  const value = keys[key];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  remark(`${key} is no text and counts as missing`);
  return undefined;
}

function modelOf(keys: Keys, remark: Remark): string | undefined {
  const model = textOf(keys, "model", remark)?.trim();
  return model === "" || model?.toLowerCase() === "inherit" ? undefined : model;
}

function effortOf(keys: Keys, remark: Remark): string | undefined {
  const value = keys["effort"];
  if (value === undefined || value === null || value === "") return undefined;
  const word = isPlain(value) ? String(value).toLowerCase().replace(/^med$/, "medium") : "";
  if (CLAUDE_EFFORTS.some((effort) => effort === word) || /^\d+$/.test(word)) return word;
  remark(oddValue("effort", value, CLAUDE_EFFORTS));
  return undefined;
}

function maxTurnsOf(keys: Keys, remark: Remark): number | undefined {
  const value = keys["maxTurns"];
  if (value === undefined || value === null) return undefined;
  const turns = typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value)) ? Number(value) : 0;
  if (Number.isSafeInteger(turns) && turns > 0) return turns;
  remark(oddValue("maxTurns", value, ["a positive whole number"]));
  return undefined;
}

function permissionModeOf(keys: Keys, remark: Remark): AgentFile["permissionMode"] {
  const value = keys["permissionMode"];
  if (value === undefined || value === null || value === "") return undefined;
  const mode = CLAUDE_PERMISSION_MODES.find((known) => known === (value === "manual" ? "default" : value));
  if (mode === undefined) remark(oddValue("permissionMode", value, CLAUDE_PERMISSION_MODES));
  return mode;
}

function oddValue(key: string, value: unknown, known: readonly string[]): string {
  const written = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  const meant = typeof value === "string" ? closest(value, known) : undefined;
  const mend = meant === undefined ? `known: ${known.join(", ")}` : `did you mean "${meant}"?`;
  return `${key} ${JSON.stringify(written)} is not known and left out; ${mend}`;
}

function toolsOf(keys: Keys, key: "tools" | "disallowedTools", remark: Remark): readonly string[] | undefined {
  const value = keys[key];
  if (value === undefined) return undefined;
  const texts = typeof value === "string" ? [value] : Array.isArray(value) ? value.filter(isText) : [];
  const tools = texts.flatMap(splitTools);
  if (tools.includes("*")) return undefined;
  if (tools.length === 0 && key === "tools")
    remark("tools names no tool, so it may use none; leave the key out for all");
  return tools;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Names that commas or spaces part, except inside of brackets: `Read, Bash(git log:*)`. */
function splitTools(text: string): string[] {
  const tools: string[] = [];
  let [tool, isInside] = ["", false];
  const end = (): void => {
    if (tool.trim() !== "") tools.push(tool.trim());
    tool = "";
  };
  for (const character of text) {
    if (character === "(") isInside = true;
    if (character === ")") isInside = false;
    if (!isInside && (character === "," || character === " ")) end();
    else tool += character;
  }
  end();
  return tools;
}

function serversOf(keys: Keys, remark: Remark): Pick<AgentFile, "toolServers" | "otherServers"> {
  const toolServers: Record<string, ToolServer> = {};
  const otherServers: OtherServer[] = [];
  const value = keys["mcpServers"] ?? [];
  if (!Array.isArray(value)) {
    remark("mcpServers is left out: it is not a list (- NAME: { command, args })");
    return { toolServers, otherServers };
  }
  for (const item of value as unknown[]) {
    if (typeof item === "string") otherServers.push({ name: item, server: undefined });
    else if (!isTable(item))
      remark(`mcpServers: ${JSON.stringify(item)} is left out: it is neither a name nor a table`);
    else
      for (const [name, described] of Object.entries(item)) {
        const server = startedServer(described);
        if (server === undefined) otherServers.push({ name, server: isTable(described) ? described : {} });
        else Object.defineProperty(toolServers, name, { value: server, enumerable: true });
      }
  }
  return { toolServers, otherServers };
}

function startedServer(value: unknown): ToolServer | undefined {
  const { command, args = [], env = {}, type = "stdio" } = isTable(value) ? value : {};
  if (type !== "stdio" || !isText(command) || command.trim() === "") return undefined;
  if (!Array.isArray(args) || !args.every(isText) || !isTable(env) || !Object.values(env).every(isPlain))
    return undefined;
  const environment = Object.fromEntries(Object.entries(env).map(([key, text]) => [key, String(text)]));
  return { command, args, environment };
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

// A guard that cannot be read must not be passed over in silence: Claude Code does not load such an agent either.
function hooksOf(keys: Keys, broken: Broken): Hook[] {
  const stray = CLAUDE_HOOK_EVENTS.find((event) => keys[event] !== undefined);
  if (stray !== undefined) throw broken(stray, `${stray} stands outside of hooks`);
  const value = keys["hooks"];
  if (value === undefined || value === null || value === false || value === "") return [];
  const odd = (why: string): AnabranchError => broken("hooks", `hooks: ${why}`);
  if (!isTable(value)) throw odd("expected a table of events");
  return Object.entries(value).flatMap(([event, groups]) => {
    if (!CLAUDE_HOOK_EVENTS.includes(event)) {
      const meant = closest(event, CLAUDE_HOOK_EVENTS);
      throw odd(`there is no event ${JSON.stringify(event)}${meant === undefined ? "" : `; did you mean ${meant}?`}`);
    }
    if (!Array.isArray(groups)) throw odd(`${event}: expected a list`);
    return (groups as unknown[]).flatMap((group) => {
      const { matcher, hooks } = isTable(group) ? group : {};
      if (!Array.isArray(hooks) || !hooks.every(isTable) || (matcher !== undefined && !isText(matcher)))
        throw odd(`${event}: expected { matcher, hooks: [{ type, command }] }`);
      return hooks.map((action) => ({ event, matcher, action }));
    });
  });
}
