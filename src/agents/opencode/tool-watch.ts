import { fieldsOf, textOf, type Fields } from "../fields.ts";
import type { AgentEvent, ToolRequest } from "../port.ts";
import { filesOf, requestOf } from "./tools.ts";

/** Tells of a session's tools, whether they are heard of first by their own word or by a question. */
export interface ToolWatch {
  /** What opencode says of one use of a tool, as often as it says it. */
  part(part: Fields): void;
  /** A question before a tool is used: what it is about, told before it is answered. */
  asked(id: string, name: string, question: Fields): ToolRequest;
  /** Where the relative paths of questions begin. */
  root(path: string | undefined): void;
  /** Nothing is at work any more. */
  clear(): void;
}

interface Known {
  readonly tool: string;
  readonly input: Fields;
  isTold: boolean;
}

/** See {@link ToolWatch}. */
export function createToolWatch(cwd: string, emit: (event: AgentEvent) => void): ToolWatch {
  const known = new Map<string, Known>();
  let worktree = cwd;

  function tell(id: string, one: Known, request: ToolRequest): void {
    known.set(id, { ...one, isTold: true });
    if (!one.isTold) emit({ type: "tool.start", request });
  }

  function end(id: string, tool: string, state: Fields): void {
    if (known.get(id)?.isTold !== true) return;
    known.delete(id);
    const ok = state["status"] === "completed";
    if (ok) for (const file of filesOf(tool, state, cwd)) emit({ type: "file", ...file });
    emit({ type: "tool.end", id, ok, output: textOf(state["output"]) ?? textOf(state["error"]) });
  }

  return {
    part(part) {
      const [id, tool, state] = [textOf(part["callID"]) ?? "", textOf(part["tool"]) ?? "", fieldsOf(part["state"])];
      const input = fieldsOf(state["input"]);
      const one = { tool, input, isTold: known.get(id)?.isTold ?? false };
      if (state["status"] === "pending") return void known.set(id, one);
      if (state["status"] === "running") return tell(id, one, requestOf({ id, tool, input }, cwd));
      end(id, tool, state);
    },
    asked(id, name, question) {
      const one = known.get(id) ?? { tool: name, input: {}, isTold: false };
      const request = requestOf({ id, tool: one.tool, input: one.input, asked: question }, worktree);
      tell(id, one, request);
      return request;
    },
    root: (path) => void (worktree = path === undefined || path === "/" ? cwd : path),
    clear: () => known.clear(),
  };
}
