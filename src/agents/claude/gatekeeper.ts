import type { Gate, GateAnswer, ToolRequest } from "../port.ts";
import { fieldsOf, textOf, type Fields } from "../fields.ts";
import { describeTool, uselessBecause } from "./tools.ts";

/** Asks the gate what Claude Code asks, and answers in its words. */
export interface Gatekeeper {
  /** Answers before a tool is used. */
  before(input: Fields): Promise<Fields>;
  /** Answers what the program does not do on its own authority, although the gate may have allowed it. */
  permit(request: Fields): Promise<Fields>;
  /** A tool has ended: nothing more is asked about it. */
  ended(id: string): void;
}

/** The tool by which an agent gives an answer that meets a schema: it does nothing else, so nobody is asked. */
export const ANSWER_TOOL = "StructuredOutput";

/** A gatekeeper tells of each tool before it asks about it. */
export function createGatekeeper(cwd: string, gate: Gate, onRequest: (request: ToolRequest) => void): Gatekeeper {
  const answers = new Map<string, Promise<GateAnswer>>();

  function answerTo(id: string, tool: string, input: Fields): Promise<GateAnswer> {
    const request = describeTool(id, tool, input, cwd);
    onRequest(request);
    const useless = uselessBecause(tool);
    return useless === undefined ? asked(gate, request) : Promise.resolve({ allow: false, reason: useless });
  }

  return {
    async before(input) {
      const [id, tool] = [textOf(input["tool_use_id"]) ?? "", textOf(input["tool_name"]) ?? ""];
      if (tool === ANSWER_TOOL) return hookOutput({ allow: true });
      const answering = answerTo(id, tool, fieldsOf(input["tool_input"]));
      answers.set(id, answering);
      return hookOutput(await answering);
    },
    async permit(request) {
      const id = textOf(request["tool_use_id"]) ?? "";
      const input = fieldsOf(request["input"]);
      const answer = await (answers.get(id) ?? answerTo(id, textOf(request["tool_name"]) ?? "", input));
      return answer.allow ? { behavior: "allow", updatedInput: input } : { behavior: "deny", message: answer.reason };
    },
    ended: (id) => void answers.delete(id),
  };
}

// Whatever goes wrong with the question, nobody has allowed it.
async function asked(gate: Gate, request: ToolRequest): Promise<GateAnswer> {
  try {
    return await gate(request);
  } catch (error) {
    return {
      allow: false,
      reason: `it could not be asked about: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function hookOutput(answer: GateAnswer): Fields {
  const decided = answer.allow
    ? { permissionDecision: "allow", ...(answer.note === undefined ? {} : { additionalContext: answer.note }) }
    : { permissionDecision: "deny", permissionDecisionReason: answer.reason };
  return { hookSpecificOutput: { hookEventName: "PreToolUse", ...decided } };
}
