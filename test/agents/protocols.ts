import type { Said, ScriptedTool, ScriptedUsage } from "./script.ts";

/** The protocols in which agents speak to models. */
export type ProtocolName = "anthropic" | "responses" | "chat" | "gemini";

/** What the model answers with. */
export interface Answer {
  readonly id: string;
  readonly model: string;
  readonly text: string | undefined;
  readonly tools: readonly ScriptedTool[];
  readonly usage: ScriptedUsage;
}

/** How a conversation is read from a request and an answer is written, in one protocol. */
export interface Protocol {
  readonly name: ProtocolName;
  readonly matches: (path: string) => boolean;
  conversation(body: Body): Said[];
  /** The events of a stream, each as it is written. */
  stream(answer: Answer): string[];
  /** The answer to a request that wants no stream. */
  whole(answer: Answer): unknown;
  failure(status: number, message: string): { readonly status: number; readonly body: unknown };
}

/** What a request holds. */
export type Body = Readonly<Record<string, unknown>>;

interface Message {
  readonly role?: string;
  readonly type?: string;
  readonly content?: unknown;
  readonly parts?: unknown;
}

/** All of them. */
export const PROTOCOLS: readonly Protocol[] = [
  {
    name: "anthropic",
    matches: (path) => path.endsWith("/v1/messages"),
    conversation: (body) =>
      messagesOf(body["messages"]).map(({ role, content }) =>
        role === "assistant" ? { answer: true } : { user: textOf(content) },
      ),
    stream(answer) {
      const blocks = anthropicBlocks(answer);
      return [
        named("message_start", {
          message: { ...anthropicMessage(answer), content: [], stop_reason: null },
        }),
        ...blocks.flatMap((block, index) => [
          named("content_block_start", {
            index,
            content_block: block["type"] === "text" ? { type: "text", text: "" } : { ...block, input: {} },
          }),
          named("content_block_delta", {
            index,
            delta:
              block["type"] === "text"
                ? { type: "text_delta", text: block["text"] }
                : { type: "input_json_delta", partial_json: JSON.stringify(block["input"]) },
          }),
          named("content_block_stop", { index }),
        ]),
        named("message_delta", {
          delta: { stop_reason: anthropicStop(answer), stop_sequence: null },
          usage: anthropicUsage(answer.usage),
        }),
        named("message_stop", {}),
      ];
    },
    whole: (answer) => anthropicMessage(answer),
    failure: (status, message) => ({
      status,
      body: { type: "error", error: { type: ANTHROPIC_ERRORS[status] ?? "api_error", message } },
    }),
  },
  {
    name: "responses",
    matches: (path) => path.endsWith("/responses"),
    conversation(body) {
      let wasAnswer = false;
      return messagesOf(body["input"]).flatMap((item): Said[] => {
        const isAnswer =
          item.role === "assistant" || item.type === "reasoning" || item.type?.endsWith("_call") === true;
        const isNew = isAnswer && !wasAnswer;
        wasAnswer = isAnswer;
        if (isNew) return [{ answer: true }];
        return item.role === "user" ? [{ user: textOf(item.content) }] : [];
      });
    },
    stream(answer) {
      const { id, model } = answer;
      const items = responseItems(answer);
      return [
        named("response.created", { response: { id, model, object: "response", status: "in_progress", output: [] } }),
        ...items.flatMap((item, index) => [
          named("response.output_item.added", { output_index: index, item }),
          ...(item["type"] === "message"
            ? [named("response.output_text.delta", { item_id: item["id"], output_index: index, delta: answer.text })]
            : []),
          named("response.output_item.done", { output_index: index, item }),
        ]),
        named("response.completed", { response: responseBody(answer) }),
      ];
    },
    whole: (answer) => responseBody(answer),
    failure: openAiFailure,
  },
  {
    name: "chat",
    matches: (path) => path.endsWith("/chat/completions"),
    conversation: (body) =>
      messagesOf(body["messages"]).flatMap(({ role, content }): Said[] => {
        if (role === "assistant") return [{ answer: true }];
        return role === "user" ? [{ user: textOf(content) }] : [];
      }),
    stream(answer) {
      const piece = (delta: unknown, reason: string | null, rest = {}): string =>
        data({
          id: answer.id,
          object: "chat.completion.chunk",
          created: 0,
          model: answer.model,
          choices: [{ index: 0, delta, finish_reason: reason }],
          ...rest,
        });
      const calls = chatCalls(answer).map((call, index) => ({ index, ...call }));
      return [
        piece({ role: "assistant", content: answer.text ?? null }, null),
        ...calls.map((call) => piece({ tool_calls: [call] }, null)),
        piece({}, calls.length > 0 ? "tool_calls" : "stop", {
          usage: openAiUsage(answer.usage, "prompt", "completion"),
        }),
        "data: [DONE]\n\n",
      ];
    },
    whole: (answer) => ({
      id: answer.id,
      object: "chat.completion",
      created: 0,
      model: answer.model,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: answer.text ?? null, tool_calls: chatCalls(answer) },
          finish_reason: answer.tools.length > 0 ? "tool_calls" : "stop",
        },
      ],
      usage: openAiUsage(answer.usage, "prompt", "completion"),
    }),
    failure: openAiFailure,
  },
  {
    name: "gemini",
    matches: (path) => /:(streamGenerateContent|generateContent)$/.test(path),
    conversation: (body) =>
      messagesOf(body["contents"]).map(({ role, parts }) =>
        role === "model" ? { answer: true } : { user: textOf(parts) },
      ),
    stream: (answer) => [data(geminiBody(answer))],
    whole: (answer) => geminiBody(answer),
    failure(status, message) {
      const known = status === 529 ? 503 : status;
      return { status: known, body: { error: { code: known, message, status: GEMINI_ERRORS[known] ?? "INTERNAL" } } };
    },
  },
];

const ANTHROPIC_ERRORS: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

const OPENAI_ERRORS: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "invalid_api_key",
  429: "rate_limit_exceeded",
  503: "server_is_overloaded",
};

const GEMINI_ERRORS: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

function messagesOf(value: unknown): Message[] {
  return Array.isArray(value) ? (value as Message[]) : [{ role: "user", content: value }];
}

/** What a person or a program has written: results of tools are left out. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return (content as { text?: unknown }[]).flatMap(({ text }) => (typeof text === "string" ? [text] : [])).join("\n");
}

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function named(type: string, rest: object): string {
  return `event: ${type}\n${data({ type, ...rest })}`;
}

function objectOf(input: ScriptedTool["input"]): unknown {
  return typeof input === "string" ? { input } : input;
}

function anthropicBlocks({ id, text, tools }: Answer): Record<string, unknown>[] {
  return [
    ...(text === undefined ? [] : [{ type: "text", text }]),
    ...tools.map(({ tool, input }, index) => ({
      type: "tool_use",
      id: `toolu_${id}_${index}`,
      name: tool,
      input: objectOf(input),
    })),
  ];
}

function anthropicStop({ tools }: Answer): string {
  return tools.length > 0 ? "tool_use" : "end_turn";
}

function anthropicUsage({ input, output, cacheRead, cacheWrite }: ScriptedUsage): object {
  return {
    input_tokens: input,
    output_tokens: output,
    cache_read_input_tokens: cacheRead,
    cache_creation_input_tokens: cacheWrite,
  };
}

function anthropicMessage(answer: Answer): Record<string, unknown> {
  return {
    id: `msg_${answer.id}`,
    type: "message",
    role: "assistant",
    model: answer.model,
    content: anthropicBlocks(answer),
    stop_reason: anthropicStop(answer),
    stop_sequence: null,
    usage: anthropicUsage(answer.usage),
  };
}

function responseItems({ id, text, tools }: Answer): Record<string, unknown>[] {
  const said = {
    type: "message",
    id: `msg_${id}`,
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text, annotations: [] }],
  };
  return [
    ...(text === undefined ? [] : [said]),
    ...tools.map(({ tool, input, namespace }, index) => {
      const call = { id: `call_item_${id}_${index}`, call_id: `call_${id}_${index}`, name: tool, status: "completed" };
      return typeof input === "string"
        ? { ...call, type: "custom_tool_call", input }
        : {
            ...call,
            type: "function_call",
            arguments: JSON.stringify(input),
            ...(namespace === undefined ? {} : { namespace }),
          };
    }),
  ];
}

function responseBody(answer: Answer): object {
  return {
    id: answer.id,
    object: "response",
    model: answer.model,
    status: "completed",
    output: responseItems(answer),
    usage: openAiUsage(answer.usage, "input", "output"),
  };
}

function chatCalls({ id, tools }: Answer): object[] {
  return tools.map(({ tool, input }, index) => ({
    id: `call_${id}_${index}`,
    type: "function",
    function: { name: tool, arguments: JSON.stringify(objectOf(input)) },
  }));
}

function openAiUsage(usage: ScriptedUsage, input: string, output: string): Record<string, unknown> {
  const all = usage.input + usage.cacheRead + usage.cacheWrite;
  return {
    [`${input}_tokens`]: all,
    [`${input}_tokens_details`]: { cached_tokens: usage.cacheRead, cache_write_tokens: usage.cacheWrite },
    [`${output}_tokens`]: usage.output,
    [`${output}_tokens_details`]: { reasoning_tokens: 0 },
    total_tokens: all + usage.output,
  };
}

function openAiFailure(status: number, message: string): { status: number; body: unknown } {
  const known = status === 529 ? 503 : status;
  const code = OPENAI_ERRORS[known] ?? "server_error";
  return { status: known, body: { error: { message, type: code, code, param: null } } };
}

function geminiBody({ id, model, text, tools, usage }: Answer): object {
  const all = usage.input + usage.cacheRead + usage.cacheWrite;
  return {
    candidates: [
      {
        index: 0,
        finishReason: "STOP",
        content: {
          role: "model",
          parts: [
            ...(text === undefined ? [] : [{ text }]),
            ...tools.map(({ tool, input }) => ({ functionCall: { name: tool, args: objectOf(input) } })),
          ],
        },
      },
    ],
    usageMetadata: {
      promptTokenCount: all,
      candidatesTokenCount: usage.output,
      totalTokenCount: all + usage.output,
      cachedContentTokenCount: usage.cacheRead,
    },
    modelVersion: model,
    responseId: id,
  };
}
