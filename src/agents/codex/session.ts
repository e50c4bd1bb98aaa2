/**
 * One thread of a codex server, as a session.
 *
 * idle → (send) starting → (the program names the turn) running → (it ends) idle, or, where it was completed, starting
 * again with what has not reached the model. Whatever it is: → (close or the end of the program) over.
 *
 * Invariants:
 * 1. A turn begins with `send`, or with what was sent and has not reached the model when another turn is completed; each
 *    ends with one `turn.end`. After one that failed or was interrupted, what waits comes behind the next message.
 * 2. A message is in one place: on its way into the turn, or waiting for the next one.
 * 3. A tool is told of once, before the gate is asked, and ends at most once.
 */
import type { Clock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import { newUuid, systemRandom } from "../../base/ids.ts";
import type { Capabilities, MessageTiming } from "../../engine/agent.ts";
import type { AgentEvent, AgentFailure, OpenOptions, Session, ToolRequest, TurnEnd } from "../port.ts";
import type { ThreadListener } from "./app-server.ts";
import { failureOf } from "./failures.ts";
import { endOf, toolOf } from "./items.ts";
import { answerQuestion } from "./questions.ts";
import { createTally } from "./tally.ts";
import { tellAside, type OpenThread } from "./thread.ts";
import {
  fieldsOf,
  numberOf,
  readItem,
  readTokens,
  readTurn,
  textOf,
  type Fields,
  type Item,
  type RequestId,
} from "./wire.ts";
import type { Share } from "../shared-programs.ts";
import type { AppServer } from "./app-server.ts";

/** What a session is made of. */
export interface SessionParts {
  readonly share: Share<AppServer>;
  readonly thread: OpenThread;
  readonly options: OpenOptions;
  readonly capabilities: Capabilities;
}

interface Message {
  readonly id: string;
  readonly text: string;
}

interface Turn {
  /** Absent until the program has named it. */
  id: string | undefined;
  /** Resolves when the program has taken it, or has refused to. */
  readonly taken: Promise<void>;
  text: string;
  requests: number;
  /** Whether the last request led to the use of a tool, so that another request follows. */
  goesOn: boolean;
  /** Why we ended it, if we did. */
  ended: { readonly status: TurnEnd["status"]; readonly failure?: AgentFailure } | undefined;
}

const CLOSE_PATIENCE_MS = 3000;

/** Makes a session of a thread. */
export function createSession({ share, thread, options, capabilities }: SessionParts): Session {
  const server = share.program;
  const tally = createTally();
  const items = new Map<string, Item>();
  const tools = new Set<string>();
  const questions = new Set<RequestId>();
  const waiting: Message[] = [];
  const onTheWay = new Map<string, Message>();
  let turn: Turn | undefined;
  let over: AnabranchError | undefined;

  const emit = (event: AgentEvent): void => options.onEvent(event);
  const remark = (text: string): void => emit({ type: "remark", text });
  const listener: ThreadListener = { onNotification: hear, onQuestion: ask, onRemark: remark, onGone: leave };
  server.listen(thread.id, listener);
  if (thread.remark !== undefined) remark(thread.remark);

  function hear(method: string, params: Fields): void {
    switch (method) {
      case "turn/completed":
        return isOurs(params) ? endTurn(params) : undefined;
      case "item/started":
        return beginItem(readItem(params));
      case "item/completed":
        return endItem(readItem(params), isOurs(params));
      case "thread/tokenUsage/updated":
        return count(params);
      case "error":
        return params["willRetry"] === true ? emit(retryOf(params)) : undefined;
      case "serverRequest/resolved":
        return void questions.delete(params["requestId"] as RequestId);
      case "warning":
      case "model/rerouted":
      case "thread/compacted":
        return remark(textOf(params["message"]) ?? REMARKS[method] ?? method);
    }
  }

  /** What threads of its own the agent has started is told too, but has no turns of ours. */
  function isOurs(params: Fields): boolean {
    return textOf(params["threadId"]) === thread.id;
  }

  async function ask(method: string, params: Fields, id: RequestId): Promise<unknown> {
    questions.add(id);
    // What was answered by itself meanwhile, as when a turn is interrupted, has nothing to say to the model any more.
    const tell = async (at: string, text: string): Promise<void> =>
      questions.has(id) ? tellAside(server, at, text).catch(() => remark(text)) : undefined;
    const item = (itemId: string): Item | undefined => items.get(itemId);
    try {
      return await answerQuestion({ gate: options.gate, item, announce, tell, remark }, method, params);
    } finally {
      questions.delete(id);
    }
  }

  function announce(request: ToolRequest): void {
    if (tools.has(request.id)) return;
    tools.add(request.id);
    emit({ type: "tool.start", request });
  }

  function beginItem(item: Item | undefined): void {
    if (item === undefined) return;
    items.set(item.id, item);
    const request = toolOf(item);
    if (request !== undefined) announce(request);
  }

  function endItem(item: Item | undefined, isOurOwn: boolean): void {
    if (item === undefined) return;
    items.delete(item.id);
    if (item.type === "userMessage" && isOurOwn) return take(textOf(item.fields["clientId"]));
    if (item.type === "agentMessage" && isOurOwn) return say(textOf(item.fields["text"]) ?? "");
    const request = toolOf(item);
    if (request === undefined) return;
    if (turn !== undefined) {
      announce(request);
      turn.goesOn = true;
    }
    const isTold = tools.delete(request.id);
    // What goes on behind the end of its turn has been told to have ended, but may still have written files.
    for (const event of endOf(item)) if (isTold || event.type === "file") emit(event);
  }

  function say(text: string): void {
    if (text === "") return;
    if (turn !== undefined) [turn.text, turn.goesOn] = [text, false];
    emit({ type: "text", text });
  }

  function take(id: string | undefined): void {
    const message = onTheWay.get(id ?? "");
    if (message === undefined) return;
    onTheWay.delete(message.id);
    emit({ type: "message.taken", text: message.text });
  }

  function count(params: Fields): void {
    const usage = fieldsOf(params["tokenUsage"]);
    const last = readTokens(usage["last"]);
    const window = numberOf(usage["modelContextWindow"]);
    if (isOurs(params)) {
      emit({ type: "context", tokens: last.input + last.output, ...(window > 0 ? { window } : {}) });
    }
    // What was used before is told again, by its own turn, when a conversation is gone on with.
    if (turn === undefined || (isOurs(params) && textOf(params["turnId"]) !== turn.id)) return;
    const isNew = tally.count(textOf(params["threadId"]) ?? "", readTokens(usage["total"]), last);
    emit({ type: "usage", usage: tally.usage(), model: thread.model });
    if (isNew && isOurs(params)) limit(turn);
  }

  function limit(at: Turn): void {
    at.requests += 1;
    const most = options.maxTurns;
    if (most === undefined || at.requests < most || (at.requests === most && !at.goesOn)) return;
    const message = `it took ${at.requests} requests to the model, and may take ${most}`;
    void endEarly(at, { status: "failed", failure: { reason: "turns", message } });
  }

  function begin(message: Message): Promise<void> {
    const { promise: taken, resolve } = withResolver();
    const current: Turn = { id: undefined, taken, text: "", requests: 0, goesOn: false, ended: undefined };
    turn = current;
    const input = [{ type: "text", text: message.text, text_elements: [] }];
    const outputSchema = capabilities.structured ? options.schema : undefined;
    server
      .call("turn/start", { threadId: thread.id, input, clientUserMessageId: message.id, outputSchema })
      .then(
        (result) => void (current.id = readTurn(result)?.id),
        (error: AnabranchError) => finish(current, "failed", { reason: "other", message: error.message }),
      )
      .finally(resolve);
    return taken;
  }

  function endTurn(params: Fields): void {
    const state = readTurn(params);
    if (turn === undefined || state === undefined || (turn.id !== undefined && state.id !== turn.id)) return;
    if (turn.ended !== undefined) return finish(turn, turn.ended.status, turn.ended.failure);
    const status = state.status === "completed" || state.status === "interrupted" ? state.status : "failed";
    finish(turn, status, status === "failed" ? failureOf(state.error) : undefined);
  }

  function finish(ended: Turn, status: TurnEnd["status"], failure?: AgentFailure): void {
    if (turn !== ended) return;
    turn = undefined;
    items.clear();
    for (const id of tools) emit({ type: "tool.end", id, ok: false });
    tools.clear();
    const { text } = ended;
    const structured = capabilities.structured && status === "completed" ? parsed(text, options.schema) : undefined;
    emit({
      type: "turn.end",
      status,
      text,
      ...(structured === undefined ? {} : { structured }),
      ...(failure === undefined ? {} : { failure }),
    });
    waiting.unshift(...onTheWay.values());
    onTheWay.clear();
    if (status === "completed") goOn();
  }

  /** Begins a turn with what waits. */
  function goOn(): void {
    if (over !== undefined || turn !== undefined) return;
    const next = waiting.shift();
    if (next === undefined) return;
    void begin(next);
    emit({ type: "message.taken", text: next.text });
  }

  async function send({ text, when }: { readonly text: string; readonly when: MessageTiming }): Promise<void> {
    if (over !== undefined) throw over;
    const message: Message = { id: newUuid(systemRandom), text };
    if (turn === undefined) return begin(message);
    if (when === "later") waiting.push(message);
    else if (when === "next") await steer(turn, message);
    else {
      waiting.unshift(message);
      // Who waits for the end of the work waits on: another turn begins at once.
      await endEarly(turn, { status: "completed" });
    }
  }

  async function steer(into: Turn, message: Message): Promise<void> {
    onTheWay.set(message.id, message);
    await into.taken;
    if (turn !== into || into.id === undefined) return;
    const input = [{ type: "text", text: message.text, text_elements: [] }];
    const params = { threadId: thread.id, expectedTurnId: into.id, clientUserMessageId: message.id, input };
    try {
      await server.call("turn/steer", params);
    } catch {
      // The turn is about to end, or is of a kind that takes no messages.
      if (onTheWay.delete(message.id)) waiting.push(message);
    }
  }

  async function endEarly(at: Turn, how: NonNullable<Turn["ended"]>): Promise<void> {
    at.ended ??= how;
    await at.taken;
    await stop(at);
  }

  async function stop(at: Turn): Promise<void> {
    if (turn !== at || at.id === undefined) return;
    // It may have ended by itself meanwhile, which is what was wanted.
    await server.call("turn/interrupt", { threadId: thread.id, turnId: at.id }).catch(() => undefined);
  }

  function leave(error: AnabranchError): void {
    if (over !== undefined) return;
    over = error;
    share.giveBack();
    if (turn !== undefined) finish(turn, "failed", { reason: "other", message: error.message });
    emit({ type: "gone", error });
  }

  async function close(): Promise<void> {
    if (over !== undefined) return;
    over = new AnabranchError("AGENT_GONE", { message: "the session is closed" });
    const current = turn;
    if (current !== undefined) {
      await within(CLOSE_PATIENCE_MS, endEarly(current, { status: "interrupted" }), options.clock);
      finish(current, "interrupted");
    }
    server.leave(listener);
    const left = server.call("thread/unsubscribe", { threadId: thread.id }).catch(() => undefined);
    await within(CLOSE_PATIENCE_MS, left, options.clock);
    share.giveBack();
  }

  return {
    conversation: thread.id,
    capabilities,
    pid: undefined,
    send,
    interrupt: async () => (turn === undefined ? undefined : endEarly(turn, { status: "interrupted" })),
    close,
  };
}

const REMARKS: Readonly<Record<string, string>> = {
  "model/rerouted": "the service used another model than was asked for",
  "thread/compacted": "the conversation was made shorter",
};

function retryOf(params: Fields): AgentEvent {
  return { type: "retry", reason: failureOf(fieldsOf(params["error"])).reason };
}

function parsed(text: string, schema: unknown): unknown {
  if (schema === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Resolves with the end of something, or when it has taken too long. */
function within(patienceMs: number, work: Promise<unknown>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(patienceMs, resolve);
    void work.finally(() => {
      cancel();
      resolve();
    });
  });
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
