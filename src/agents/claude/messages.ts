import type { AgentFailure, FailureReason } from "../port.ts";
import { reasonOfStatus } from "../status-reasons.ts";
import { failureOf, reasonOfCode } from "./failures.ts";
import { fieldsOf, listOf, numberOf, textOf, type Fields } from "../fields.ts";

/** What one message of Claude Code says, as far as it matters here. */
export type Said =
  /** Something that was sent is about to reach the model. */
  | { readonly type: "started"; readonly id: string }
  /** The program sets to work, whoever wanted it. */
  | { readonly type: "awake" }
  /** Something that was sent will not reach the model. */
  | { readonly type: "dropped"; readonly id: string }
  /** The model has answered a request, or has begun to. */
  | {
      readonly type: "request";
      readonly id: string;
      readonly model: string;
      readonly tokens: Tokens;
      readonly main: boolean;
    }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool"; readonly id: string; readonly tool: string; readonly input: Fields }
  | { readonly type: "tool.result"; readonly id: string; readonly ok: boolean; readonly output: string }
  | { readonly type: "retry"; readonly reason: FailureReason; readonly delayMs: number | undefined }
  | { readonly type: "remark"; readonly text: string }
  /** The account may use no more until then. */
  | { readonly type: "limit"; readonly untilMs: number }
  /** What works on in the background, all of it, by its kind. */
  | { readonly type: "background"; readonly kinds: readonly string[] }
  | Result;

/** The end of what the program was doing. */
export interface Result {
  readonly type: "result";
  readonly status: "completed" | "interrupted" | "failed";
  readonly text: string;
  readonly structured: unknown;
  readonly failure: AgentFailure | undefined;
  /** By model, since the conversation began. */
  readonly modelUsage: Fields;
  readonly usd: number;
}

/** Tokens as they are counted by the service. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

const OUTPUT_LENGTH = 16_384;
const SYNTHETIC = "<synthetic>";

/** Reads a message; what is unknown says nothing. */
export function readMessage(message: Fields): Said[] {
  switch (message["type"]) {
    case "assistant":
      return readAssistant(message);
    case "user":
      return readToolResults(fieldsOf(message["message"]));
    case "result":
      return [readResult(message)];
    case "system":
      return readSystem(message);
    case "command_lifecycle":
      return readLifecycle(message);
    case "rate_limit_event":
      return readRateLimit(fieldsOf(message["rate_limit_info"]));
    case "auth_status":
      return remarksOf(message["error"]);
    default:
      return [];
  }
}

function readAssistant({ message, parent_tool_use_id, error }: Fields): Said[] {
  const { id, model, content, usage } = fieldsOf(message);
  const main = textOf(parent_tool_use_id) === undefined;
  // What the program itself has to say comes as words of the model; an error comes again in the result.
  if (model === SYNTHETIC)
    return textOf(error) === undefined ? listOf(content).flatMap((one) => readBlock(one, main)) : [];
  return [
    { type: "request", id: textOf(id) ?? "", model: textOf(model) ?? "", tokens: tokensOf(fieldsOf(usage)), main },
    ...listOf(content).flatMap((block) => readBlock(block, main)),
  ];
}

function readBlock(value: unknown, main: boolean): Said[] {
  const block = fieldsOf(value);
  const text = textOf(block["text"]);
  // Only the agent itself speaks to us; its helpers speak to it.
  if (block["type"] === "text" && text !== undefined && main) return [{ type: "text", text }];
  if (block["type"] !== "tool_use") return [];
  const [id, tool] = [textOf(block["id"]), textOf(block["name"])];
  return id === undefined || tool === undefined ? [] : [{ type: "tool", id, tool, input: fieldsOf(block["input"]) }];
}

function tokensOf(usage: Fields): Tokens {
  return {
    input: numberOf(usage["input_tokens"]),
    output: numberOf(usage["output_tokens"]),
    cacheRead: numberOf(usage["cache_read_input_tokens"]),
    cacheWrite: numberOf(usage["cache_creation_input_tokens"]),
  };
}

function readToolResults({ content }: Fields): Said[] {
  return listOf(content).flatMap((value): Said[] => {
    const block = fieldsOf(value);
    const id = textOf(block["tool_use_id"]);
    if (block["type"] !== "tool_result" || id === undefined) return [];
    return [{ type: "tool.result", id, ok: block["is_error"] !== true, output: outputOf(block["content"]) }];
  });
}

function outputOf(content: unknown): string {
  const text =
    textOf(content) ??
    listOf(content)
      .map((block) => textOf(fieldsOf(block)["text"]) ?? `[${textOf(fieldsOf(block)["type"]) ?? "something"}]`)
      .join("\n");
  if (text.length <= OUTPUT_LENGTH) return text;
  return `${text.slice(0, OUTPUT_LENGTH / 2)}\n… ${text.length - OUTPUT_LENGTH} characters …\n${text.slice(-OUTPUT_LENGTH / 2)}`;
}

function readLifecycle({ command_uuid, state }: Fields): Said[] {
  const id = textOf(command_uuid);
  if (id === undefined) return [];
  if (state === "started") return [{ type: "started", id }];
  return state === "cancelled" || state === "discarded" ? [{ type: "dropped", id }] : [];
}

function readSystem(message: Fields): Said[] {
  switch (message["subtype"]) {
    case "init":
      return [{ type: "awake" }];
    case "api_retry": {
      const { error_status, error, retry_delay_ms } = message;
      const reason = reasonOfStatus(error_status) ?? reasonOfCode(error) ?? "cut";
      return [{ type: "retry", reason, delayMs: numberOf(retry_delay_ms) }];
    }
    case "background_tasks_changed":
      return [
        {
          type: "background",
          kinds: listOf(message["tasks"]).map((task) => textOf(fieldsOf(task)["task_type"]) ?? "unknown"),
        },
      ];
    case "informational":
      return message["level"] === "warning" ? remarksOf(message["content"]) : [];
    case "compact_boundary":
      return remarksOf("the conversation became too long and was summed up");
    case "session_writes_lost":
      return remarksOf("claude could not write down its conversation");
    default:
      return [];
  }
}

function readRateLimit({ status, rateLimitType, utilization, resetsAt }: Fields): Said[] {
  const limit = (textOf(rateLimitType) ?? "the account's limit").replaceAll("_", " ");
  const resets = numberOf(resetsAt) === 0 ? "" : `, resets at ${new Date(numberOf(resetsAt) * 1000).toISOString()}`;
  if (status === "rejected") {
    return [{ type: "limit", untilMs: numberOf(resetsAt) * 1000 }, ...remarksOf(`${limit} is used up${resets}`)];
  }
  if (status !== "allowed_warning") return [];
  return remarksOf(`${Math.round(numberOf(utilization) * 100)} % of ${limit} is used${resets}`);
}

function remarksOf(text: unknown): Said[] {
  return typeof text === "string" && text !== "" ? [{ type: "remark", text }] : [];
}

function readResult(message: Fields): Result {
  const isAborted = textOf(message["terminal_reason"])?.startsWith("aborted") === true;
  // A failed request ends in a "success" that is an error.
  const status = isAborted ? "interrupted" : message["is_error"] === true ? "failed" : "completed";
  return {
    type: "result",
    status,
    text: status === "failed" ? "" : (textOf(message["result"]) ?? ""),
    structured: message["structured_output"],
    failure: status === "failed" ? failureOf(message) : undefined,
    modelUsage: fieldsOf(message["modelUsage"]),
    usd: numberOf(message["total_cost_usd"]),
  };
}
