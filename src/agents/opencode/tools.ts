import { resolve } from "node:path";

import type { ToolAction, ToolRequest } from "../port.ts";
import { fieldsOf, listOf, textOf, type Fields } from "../fields.ts";

/** What is known of a tool when it is asked about or begins. */
export interface ToolFacts {
  readonly id: string;
  /** opencode's name for it, or for what it asks to do. */
  readonly tool: string;
  /** Empty while it is not told yet. */
  readonly input: Fields;
  /** What the question says beside it. */
  readonly asked?: Fields | undefined;
}

const LONGEST_SUMMARY = 200;

/** What a tool is about to do, as the gate is asked. `root` is where relative paths begin. */
export function requestOf({ id, tool, input, asked }: ToolFacts, root: string): ToolRequest {
  const action = ACTIONS[tool] ?? "other";
  const about = fieldsOf(asked?.["metadata"]);
  const command = action === "execute" ? (textOf(input["command"]) ?? textOf(about["command"])) : undefined;
  const paths = action === "read" || action === "write" ? pathsOf(tool, input, about, asked, root) : [];
  const words = command ?? paths[0] ?? textOf(input["description"]) ?? textOf(listOf(asked?.["patterns"])[0]) ?? "";
  const summary = `${tool} ${words}`.trim().replaceAll(/\s+/g, " ").slice(0, LONGEST_SUMMARY);
  return { id, tool, action, paths, summary, ...(command === undefined ? {} : { command }) };
}

const ACTIONS: Readonly<Record<string, ToolAction>> = {
  read: "read",
  glob: "read",
  grep: "read",
  list: "read",
  lsp: "read",
  edit: "write",
  write: "write",
  apply_patch: "write",
  patch: "write",
  bash: "execute",
};

// What these look for is no path.
const SEARCHES = /^(glob|grep|list|lsp)$/;

function pathsOf(tool: string, input: Fields, about: Fields, asked: Fields | undefined, root: string): string[] {
  const files = filesIn(about);
  const named = [input["filePath"], input["path"], about["filepath"]].map(textOf).find((path) => path !== undefined);
  const patterns = SEARCHES.test(tool) ? [] : listOf(asked?.["patterns"]).map(textOf);
  const paths = files.length > 0 ? files : named === undefined ? patterns : [named];
  return [...new Set(paths.filter((path) => path !== undefined).map((path) => resolve(root, path)))];
}

function filesIn(about: Fields): (string | undefined)[] {
  return listOf(about["files"])
    .map(fieldsOf)
    .flatMap((file) => [textOf(file["filePath"]) ?? textOf(file["file"]), textOf(file["movePath"])])
    .filter((path) => path !== undefined);
}

/** The files that a tool has surely read or written, now that it is done. */
export function filesOf(tool: string, state: Fields, root: string): { access: "read" | "write"; path: string }[] {
  const [action, input, about] = [ACTIONS[tool], fieldsOf(state["input"]), fieldsOf(state["metadata"])];
  if ((action !== "read" && action !== "write") || SEARCHES.test(tool)) return [];
  // A folder can be read as well.
  if (fieldsOf(about["display"])["type"] === "directory") return [];
  return pathsOf(tool, input, about, undefined, root).map((path) => ({ access: action, path }));
}
