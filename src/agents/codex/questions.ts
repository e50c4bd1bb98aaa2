import type { Gate, GateAnswer, ToolRequest } from "../port.ts";
import { changeTool, commandTool } from "./items.ts";
import { fieldsOf, textOf, type Fields, type Item } from "./wire.ts";

/** What the program's questions are answered by. */
export interface QuestionContext {
  readonly gate: Gate;
  /** The item that a question is about, where it has begun. */
  readonly item: (id: string) => Item | undefined;
  /** Told of the tool before the gate is asked about it. */
  readonly announce: (request: ToolRequest) => void;
  /** Passes on to the model what the gate has to say. */
  readonly tell: (thread: string, text: string) => Promise<void>;
  readonly remark: (text: string) => void;
}

/** Answers a question of the program's; `undefined` for one that is not known. */
export async function answerQuestion(context: QuestionContext, method: string, params: Fields): Promise<unknown> {
  switch (method) {
    case "item/commandExecution/requestApproval":
      return decide(context, params, commandQuestion(params));
    case "item/fileChange/requestApproval":
      return decide(context, params, changeQuestion(context, params));
    case "item/permissions/requestApproval":
      context.remark("it asked for wider permissions, which it was not given");
      return { permissions: {}, scope: "turn" };
    case "item/tool/requestUserInput":
      context.remark("it asked a person something; nobody can answer it here");
      return { answers: {} };
    case "mcpServer/elicitation/request":
      return answerElicitation(context, params);
    default:
      return undefined;
  }
}

async function decide(context: QuestionContext, params: Fields, request: ToolRequest): Promise<unknown> {
  context.announce(request);
  const answer = await askGate(context, request);
  const words = wordsOf(answer, request);
  if (words !== undefined) await context.tell(textOf(params["threadId"]) ?? "", words);
  return { decision: answer.allow ? "accept" : "decline" };
}

/** A gate that breaks is closed. */
function askGate({ gate }: QuestionContext, request: ToolRequest): Promise<GateAnswer> {
  return gate(request).catch((cause: unknown) => ({ allow: false, reason: `nobody could decide: ${String(cause)}` }));
}

function wordsOf(answer: GateAnswer, request: ToolRequest): string | undefined {
  if (answer.allow) return answer.note;
  return `${request.tool} was refused (${request.summary}), and nothing was changed. The reason: ${answer.reason}`;
}

function commandQuestion(params: Fields): ToolRequest {
  const request = commandTool(textOf(params["itemId"]) ?? "", params);
  const host = textOf(fieldsOf(params["networkApprovalContext"])["host"]);
  return host === undefined ? request : { ...request, summary: `reach ${host}: ${request.summary}` };
}

function changeQuestion({ item }: QuestionContext, params: Fields): ToolRequest {
  const id = textOf(params["itemId"]) ?? "";
  const begun = item(id);
  if (begun !== undefined) return changeTool(begun);
  const root = textOf(params["grantRoot"]);
  const paths = root === undefined ? [] : [root];
  return { id, tool: "apply_patch", action: "write", paths, summary: "change files that it does not name" };
}

/** A server of tools asks a person, or the program itself asks whether one of its tools may be used. */
async function answerElicitation(context: QuestionContext, params: Fields): Promise<unknown> {
  const [server, message] = [textOf(params["serverName"]) ?? "a server", textOf(params["message"]) ?? ""];
  if (fieldsOf(params["_meta"])["codex_approval_kind"] !== "mcp_tool_call") {
    context.remark(`${server} asked a person something; nobody can answer it here: ${message.slice(0, 200)}`);
    return { action: "decline", content: null, _meta: null };
  }
  const id = `${server}:${textOf(params["turnId"]) ?? ""}`;
  const request = { id, tool: server, action: "other", paths: [], summary: message.slice(0, 200) } as const;
  const answer = await askGate(context, request);
  return { action: answer.allow ? "accept" : "decline", content: null, _meta: null };
}
