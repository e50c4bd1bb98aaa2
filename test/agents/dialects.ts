import type { AgentKind } from "../../src/engine/agent.ts";
import type { Step } from "./script.ts";

/** How the model of one kind uses its agent's own tools, and what a person needs to know of that agent in tests. */
export interface Dialect {
  readonly write: (path: string, content: string) => Step;
  readonly edit: (path: string, before: string, after: string) => Step;
  readonly read: (path: string) => Step;
  readonly run: (command: string) => Step;
  /** Gives the answer that was asked for by a schema. */
  readonly answer: (value: unknown) => Step;
}

/** The dialects of all kinds; that of an ACP agent is Gemini's. Paths may be relative. */
export const DIALECTS: Readonly<Record<AgentKind, Dialect>> = {
  claude: {
    write: (path, content) => ({ tool: "Write", input: { file_path: path, content } }),
    edit: (path, before, after) => ({
      tool: "Edit",
      input: { file_path: path, old_string: before, new_string: after },
    }),
    read: (path) => ({ tool: "Read", input: { file_path: path } }),
    run: (command) => ({ tool: "Bash", input: { command, description: "runs a command" } }),
    answer: (value) => ({ tool: "StructuredOutput", input: value as Record<string, unknown> }),
  },
  codex: {
    write: (path, content) => patch(`*** Add File: ${path}\n${prefixed("+", content)}`),
    edit: (path, before, after) =>
      patch(`*** Update File: ${path}\n@@\n${prefixed("-", before)}${prefixed("+", after)}`),
    read: (path) => ({ tool: "exec_command", input: { cmd: `cat ${path}` } }),
    run: (command) => ({ tool: "exec_command", input: { cmd: command } }),
    answer: (value) => ({ text: JSON.stringify(value) }),
  },
  opencode: {
    write: (path, content) => ({ tool: "write", input: { filePath: path, content } }),
    edit: (path, before, after) => ({
      tool: "edit",
      input: { filePath: path, oldString: before, newString: after },
    }),
    read: (path) => ({ tool: "read", input: { filePath: path } }),
    run: (command) => ({ tool: "bash", input: { command, description: "runs a command" } }),
    answer: (value) => ({ text: JSON.stringify(value) }),
  },
  acp: {
    write: (path, content) => ({ tool: "write_file", input: { file_path: path, content } }),
    edit: (path, before, after) => ({
      tool: "replace",
      input: { file_path: path, old_string: before, new_string: after, instruction: "change it" },
    }),
    read: (path) => ({ tool: "read_file", input: { file_path: path } }),
    run: (command) => ({ tool: "run_shell_command", input: { command } }),
    answer: (value) => ({ text: JSON.stringify(value) }),
  },
};

function patch(body: string): Step {
  return { tool: "apply_patch", input: `*** Begin Patch\n${body}*** End Patch\n` };
}

function prefixed(sign: string, text: string): string {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => `${sign}${line}\n`)
    .join("");
}
