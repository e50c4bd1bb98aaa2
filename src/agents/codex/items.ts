import { isReadingCommand } from "../../engine/reading-command.ts";
import type { AgentEvent, ToolRequest } from "../port.ts";
import { fieldsOf, listOf, readActions, readChanges, textOf, type Fields, type Item } from "./wire.ts";

const LONGEST_OUTPUT = 64 * 1024;
const LONGEST_SUMMARY = 200;

/** The tool that an item is the use of, if it is one. */
export function toolOf(item: Item): ToolRequest | undefined {
  const { id, fields } = item;
  switch (item.type) {
    case "commandExecution":
      return commandTool(id, fields);
    case "fileChange":
      return changeTool(item);
    case "mcpToolCall": {
      const [server, tool] = [textOf(fields["server"]) ?? "", textOf(fields["tool"]) ?? ""];
      const input = fields["arguments"] === undefined ? "" : ` ${JSON.stringify(fields["arguments"])}`;
      return other(id, `${server}.${tool}`, `${server}.${tool}${input}`);
    }
    case "webSearch":
      return other(id, "web_search", `search the web: ${textOf(fields["query"]) ?? ""}`);
    case "imageView": {
      const path = textOf(fields["path"]);
      const summary = `look at ${path ?? "an image"}`;
      return { id, tool: "view_image", action: "read", paths: path === undefined ? [] : [path], summary };
    }
    case "collabAgentToolCall":
      return other(id, textOf(fields["tool"]) ?? "agent", `ask another agent: ${textOf(fields["prompt"]) ?? ""}`);
    case "dynamicToolCall":
      return other(id, textOf(fields["tool"]) ?? "tool", textOf(fields["tool"]) ?? "tool");
    default:
      return undefined;
  }
}

/** A command, by its item or by the question whether it may run. */
export function commandTool(id: string, fields: Fields): ToolRequest {
  const command = bareCommand(textOf(fields["command"]) ?? "");
  return { id, tool: "exec_command", action: "execute", paths: [], command, summary: oneLine(command) };
}

/** A change of files. */
export function changeTool(item: Item): ToolRequest {
  const changes = readChanges(item);
  const paths = changes.flatMap(({ path, movePath }) => (movePath === undefined ? [path] : [path, movePath]));
  const summary = oneLine(changes.map(({ kind, path }) => `${kind} ${path}`).join(", "));
  return { id: item.id, tool: "apply_patch", action: "write", paths: [...new Set(paths)], summary };
}

/** What the end of an item that is a tool tells. */
export function endOf(item: Item): AgentEvent[] {
  const ok = isOk(item);
  const files = ok ? filesOf(item) : [];
  const output = outputOf(item);
  return [...files, { type: "tool.end", id: item.id, ok, ...(output === undefined ? {} : { output }) }];
}

function isOk({ type, status, fields }: Item): boolean {
  if (type === "commandExecution") return status === "completed" && (fields["exitCode"] ?? 0) === 0;
  return status === "completed" || status === "";
}

function filesOf(item: Item): AgentEvent[] {
  if (item.type === "fileChange") {
    return changeTool(item).paths.map((path) => ({ type: "file", access: "write", path }));
  }
  return readsOf(item).map((path) => ({ type: "file", access: "read", path }));
}

/** The files that a command has surely read: it is made of nothing but readers of files, and none of them has failed. */
export function readsOf({ type, fields }: Item): string[] {
  if (type !== "commandExecution") return [];
  const command = bareCommand(textOf(fields["command"]) ?? "");
  // Behind these, a command may fail or never run, and the whole still succeeds.
  if (/[|;*?[\n]/.test(command) || !isReadingCommand(command)) return [];
  const actions = readActions(fields);
  const paths = actions.flatMap(({ type: kind, path }) => (kind === "read" && path !== undefined ? [path] : []));
  return paths.length === actions.length ? paths : [];
}

function outputOf({ type, status, fields }: Item): string | undefined {
  if (status === "declined") return "declined";
  if (type === "commandExecution") return cut(textOf(fields["aggregatedOutput"]));
  if (type !== "mcpToolCall") return undefined;
  const error = textOf(fieldsOf(fields["error"])["message"]);
  if (error !== undefined) return cut(error);
  const content = listOf(fieldsOf(fields["result"])["content"]).map((part) => textOf(fieldsOf(part)["text"]) ?? "");
  return cut(content.join("\n"));
}

/** What a shell is given to run. */
export function bareCommand(command: string): string {
  const wrapped = /^(?:\S*\/)?(?:bash|zsh|sh) -l?c (.*)$/s.exec(command)?.[1];
  if (wrapped === undefined) return command;
  return unquoted(wrapped) ?? command;
}

/** The text of one word as shells quote it; `undefined` where it is more than that. */
function unquoted(word: string): string | undefined {
  let text = "";
  for (let rest = word; rest !== "";) {
    const part = /^(?:'([^']*)'|"((?:[^"\\$`]|\\["\\$`])*)"|\\(.)|([\w@%+=:,./^~-]+))/s.exec(rest);
    if (part === null) return undefined;
    const [whole, single, double, escaped, plain] = part;
    text += single ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? escaped ?? plain ?? "";
    rest = rest.slice(whole.length);
  }
  return text;
}

function other(id: string, tool: string, summary: string): ToolRequest {
  return { id, tool, action: "other", paths: [], summary: oneLine(summary) };
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > LONGEST_SUMMARY ? `${line.slice(0, LONGEST_SUMMARY)}…` : line;
}

function cut(text: string | undefined): string | undefined {
  if (text === undefined || text.length <= LONGEST_OUTPUT) return text;
  return `${text.slice(0, LONGEST_OUTPUT)}\n… ${text.length - LONGEST_OUTPUT} more characters`;
}
