import { isAbsolute, resolve } from "node:path";

import { printable } from "../../base/printable.ts";
import type { ToolAction, ToolRequest } from "../port.ts";
import { textOf, type Fields } from "../fields.ts";

const READING = new Set(["Read", "Glob", "Grep", "LS", "NotebookRead"]);
const WRITING = new Set(["Edit", "Write", "MultiEdit", "NotebookEdit"]);
const RUNNING = new Set(["Bash", "PowerShell", "Monitor", "REPL"]);
// They look like tools for files by their input, and are none.
const HARMLESS = new Set(["Agent", "Task", "Skill", "ToolSearch", "StructuredOutput", "TodoWrite"]);

const SUMMARY_LENGTH = 200;

/** What a tool is about to do, by its name and its input. */
export function describeTool(id: string, tool: string, input: Fields, cwd: string): ToolRequest {
  const action = actionOf(tool, input);
  const path = textOf(input["file_path"]) ?? textOf(input["notebook_path"]) ?? textOf(input["path"]);
  const command = action === "execute" ? textOf(input["command"]) : undefined;
  const named = path === undefined ? [] : [isAbsolute(path) ? path : resolve(cwd, path)];
  const paths = action === "read" && path === undefined ? [cwd] : named;
  return {
    id,
    tool,
    action,
    paths: action === "read" || action === "write" ? paths : [],
    command,
    summary: oneLine(`${tool} ${command ?? path ?? aboutOf(input)}`),
  };
}

function actionOf(tool: string, input: Fields): ToolAction {
  if (READING.has(tool)) return "read";
  if (WRITING.has(tool)) return "write";
  if (RUNNING.has(tool)) return "execute";
  if (HARMLESS.has(tool) || tool.startsWith("mcp__")) return "other";
  // A tool of a later version: by what it takes, and rather too strict.
  if (textOf(input["command"]) !== undefined) return "execute";
  return textOf(input["file_path"]) === undefined ? "other" : "write";
}

function aboutOf(input: Fields): string {
  const told = ["description", "pattern", "query", "url", "skill", "subject"].map((name) => textOf(input[name]));
  return told.find((text) => text !== undefined) ?? "";
}

function oneLine(text: string): string {
  const line = printable(text.slice(0, SUMMARY_LENGTH * 4).replace(/\s+/g, " ")).trim();
  return line.length > SUMMARY_LENGTH ? `${line.slice(0, SUMMARY_LENGTH - 1)}…` : line;
}

/** Why a tool is of no use in a session that nobody sits at, if it is not. */
export function uselessBecause(tool: string): string | undefined {
  return USELESS[tool];
}

const NOBODY = "nobody can answer questions here: decide yourself, and say in your answer what you assumed";
const NO_LATER = "this session ends when its work is done, so nothing can be put off: wait for it in the foreground";
const OWN_FOLDER = "this session already has a folder of its own: work in the folder you are in";
const NO_PLANS = "nobody can agree to a plan here: do the work";

const USELESS: Readonly<Record<string, string>> = {
  AskUserQuestion: NOBODY,
  EnterPlanMode: NO_PLANS,
  ExitPlanMode: NO_PLANS,
  EnterWorktree: OWN_FOLDER,
  ExitWorktree: OWN_FOLDER,
  CronCreate: NO_LATER,
  ScheduleWakeup: NO_LATER,
};
