/**
 * One conversation with opencode.
 *
 * idle → (send) in a turn → (all it was told has reached the model, and opencode is idle) idle. Whatever it is: → (the
 * server is gone) over.
 *
 * Invariants:
 * 1. A turn begins with `send`, or with what was kept for later when another turn ends; each ends with one `turn.end`.
 * 2. opencode says more than once that it is idle, also late: only what it says when it is asked then ends a turn.
 * 3. A tool is told of once, before the gate is asked, and ends at most once.
 */
import { AnabranchError } from "../../base/errors.ts";
import type { Capabilities } from "../../engine/agent.ts";
import { fieldsOf, numberOf, textOf, type Fields } from "../fields.ts";
import type { AgentEvent, AgentFailure, OpenOptions, Session, TurnEnd } from "../port.ts";
import { RefusedCall } from "./client.ts";
import { pathOf } from "./conversation.ts";
import { failureOf, reasonOfWords } from "./failures.ts";
import { createGatekeeper } from "./gatekeeper.ts";
import type { ChosenModel, Models } from "./models.ts";
import type { Server, ServerEvent } from "./server.ts";
import { contextOf, createTally } from "./tally.ts";
import { createToolWatch } from "./tool-watch.ts";

/** What a session is made of. */
export interface SessionParts {
  readonly server: Server;
  readonly conversation: string;
  readonly options: OpenOptions;
  readonly model: ChosenModel | undefined;
  readonly models: Models;
  readonly capabilities: Capabilities;
  /** Gives back what the session holds. */
  readonly release: () => Promise<void>;
}

const [RECHECK_MS, CLOSE_PATIENCE_MS] = [1000, 3000];

interface Message {
  readonly text: string;
  readonly isLate: boolean;
  /** opencode's id, once it has it. */
  id: string | undefined;
  isTaken: boolean;
}

interface Turn {
  readonly messages: Message[];
  readonly requests: Set<string>;
  text: string;
  failure: AgentFailure | undefined;
  /** How often opencode has tried its present request again. */
  retries: number;
  /** It was ended by us because of its failure, whatever opencode says of that. */
  isGivenUp: boolean;
  isStopping: boolean;
  isStopped: boolean;
}

/** opencode tries again for ever, ever more slowly; after so many it is left to whoever waits for the turn. */
const MOST_RETRIES = 3;

/** Makes the session of a conversation that is settled. */
export function createSession(parts: SessionParts): Session {
  const { server, conversation, options, model, models, capabilities } = parts;
  const [tally, said, inUsers] = [createTally(), new Set<string>(), new Set<string>()];
  const later: Omit<Message, "id" | "isTaken">[] = [];
  let turn: Turn | undefined;
  // What is told before our first words is of the conversation's past.
  let [isLive, isClosing, isGone] = [false, false, false];
  let cancelRecheck = (): void => undefined;
  let onIdle = (): void => undefined;

  const emit = (event: AgentEvent): void => options.onEvent(event);
  const call = (path: string, body?: unknown): Promise<unknown> =>
    server.client.call("POST", path, { directory: options.cwd, body });
  const tools = createToolWatch(options.cwd, emit);
  const gatekeeper = createGatekeeper({
    gate: options.gate,
    announce: (id, name, question) => tools.asked(id, name, question),
    async reply(question, directory, answer) {
      const path = `/permission/${encodeURIComponent(question)}/reply`;
      await server.client.call("POST", path, { directory, body: answer });
    },
    note: (text) => prompt(text, { noReply: true }),
  });
  const detach = server.attach(conversation, { onEvent: take, onRemark: (text) => emit({ type: "remark", text }) });
  void server.gone.then(leave);

  function take(event: ServerEvent): void {
    const { type, properties, directory, isHelper } = event;
    const [info, part, status] = ["info", "part", "status"].map((name) => fieldsOf(properties[name]));
    if (type === "message.updated" && info?.["role"] === "assistant") takeAnswer(info, isHelper);
    else if (type === "message.updated" && !isHelper) inUsers.add(textOf(info?.["id"]) ?? "");
    else if (type === "message.part.updated" && part?.["type"] === "tool") tools.part(part);
    else if (type === "message.part.updated" && part?.["type"] === "text" && !isHelper) takeText(part);
    else if (type === "permission.asked") gatekeeper.ask(properties, directory);
    else if (type === "question.asked") void refuseQuestion(properties, directory);
    else if (isHelper) return;
    else if (type === "session.status") takeStatus(status ?? {});
    else if (type === "session.error") takeError(properties["error"]);
    else if (type === "session.idle") void settle();
  }

  function takeAnswer(info: Fields, isHelper: boolean): void {
    if (!isLive) return;
    const id = textOf(info["id"]) ?? "";
    if (!isHelper) begin(id, textOf(info["parentID"]) ?? "");
    tools.root(textOf(fieldsOf(info["path"])["root"]));
    if (!tally.answer(info)) return;
    emit({ type: "usage", usage: tally.usage(), model: textOf(info["modelID"]) });
    if (isHelper) return;
    const window = models.window(info["providerID"], info["modelID"]);
    emit({ type: "context", tokens: contextOf(info), ...(window === undefined ? {} : { window }) });
  }

  /** An answer begins: it is to everything that was said before it, and what went wrong earlier was got over. */
  function begin(id: string, to: string): void {
    if (turn === undefined || turn.requests.has(id)) return;
    turn.requests.add(id);
    turn.retries = 0;
    if (!turn.isGivenUp) turn.failure = undefined;
    for (const message of turn.messages) {
      if (message.isTaken || message.id === undefined || message.id > to) continue;
      message.isTaken = true;
      if (message.isLate) emit({ type: "message.taken", text: message.text });
    }
    if (options.maxTurns === undefined || turn.requests.size <= options.maxTurns) return;
    giveUp(turn, { reason: "turns", message: `it took more than ${options.maxTurns} requests to the model` });
  }

  function giveUp(given: Turn, failure: AgentFailure): void {
    [given.failure, given.isGivenUp] = [failure, true];
    void abort();
  }

  function takeText(part: Fields): void {
    const [id, text] = [textOf(part["messageID"]) ?? "", textOf(part["text"]) ?? ""];
    if (inUsers.has(id)) {
      const message = turn?.messages.find((one) => one.id === undefined && one.text === text);
      if (message !== undefined) [message.id, isLive] = [id, true];
      return;
    }
    const partId = textOf(part["id"]) ?? "";
    const isWhole = numberOf(fieldsOf(part["time"])["end"]) > 0 && text !== "" && part["synthetic"] !== true;
    if (!isLive || !isWhole || said.has(partId)) return;
    said.add(partId);
    if (turn !== undefined) turn.text = text;
    emit({ type: "text", text });
  }

  function takeStatus(status: Fields): void {
    if (status["type"] === "retry") {
      const delayMs = Math.max(0, numberOf(status["next"]) - options.clock.wallMs());
      const message = textOf(status["message"]) ?? "";
      const reason = reasonOfWords(message);
      emit({ type: "retry", reason, delayMs });
      if (turn !== undefined && (turn.retries += 1) > MOST_RETRIES && !turn.isGivenUp)
        giveUp(turn, { reason, message });
    }
    // What was to be stopped had not begun yet.
    if (status["type"] !== "idle" && turn?.isStopping === true) void abort();
  }

  function takeError(error: unknown): void {
    if (turn === undefined || turn.isGivenUp) return;
    const failure = failureOf(error);
    // That a turn was stopped may be said when the next one has begun, of which nothing has reached the model yet.
    if (failure === undefined && !turn.messages.some(({ isTaken }) => isTaken)) return;
    turn.failure = failure;
    turn.isStopped = failure === undefined;
  }

  async function settle(): Promise<void> {
    const settling = turn;
    if (settling === undefined) return;
    cancelRecheck();
    const statuses = fieldsOf(
      await server.client.call("GET", "/session/status", { directory: options.cwd }).catch(() => undefined),
    );
    const isBusy = conversation in statuses && fieldsOf(statuses[conversation])["type"] !== "idle";
    if (turn !== settling || isGone || isBusy) return;
    const isOver = settling.isStopped || settling.failure !== undefined || settling.isStopping;
    if (isOver || settling.messages.every(({ isTaken }) => isTaken)) return endTurn(endOf(settling));
    cancelRecheck();
    cancelRecheck = options.clock.after(RECHECK_MS, () => void repeat(settling));
  }

  /** What came just when opencode was done is in its conversation, and nobody answers it. */
  async function repeat(settling: Turn): Promise<void> {
    if (turn !== settling) return;
    for (const message of settling.messages.filter((one) => !one.isTaken && one.id !== undefined)) {
      message.id = undefined;
      await prompt(message.text).catch(() => undefined);
    }
    await settle();
  }

  function endTurn(end: Omit<TurnEnd, "type">): void {
    cancelRecheck();
    tools.clear();
    turn = undefined;
    emit({ type: "turn.end", ...end });
    onIdle();
    const next = later.shift();
    if (next !== undefined && !isClosing && !isGone) void say(next).catch(failLater);
  }

  function failLater(cause: unknown): void {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (turn !== undefined) endTurn({ status: "failed", text: "", failure: { reason: "other", message } });
  }

  async function say(message: Omit<Message, "id" | "isTaken">): Promise<void> {
    turn ??= newTurn();
    turn.messages.push({ ...message, id: undefined, isTaken: false });
    await prompt(message.text);
  }

  async function prompt(text: string, more: Fields = {}): Promise<void> {
    const { providerID, modelID, variant } = model ?? {};
    await call(`${pathOf(conversation)}/prompt_async`, {
      ...(model === undefined ? {} : { model: { providerID, modelID } }),
      ...(variant === undefined ? {} : { variant }),
      ...(options.system === undefined ? {} : { system: options.system }),
      ...more,
      parts: [{ type: "text", text }],
    });
  }

  async function abort(): Promise<void> {
    await call(`${pathOf(conversation)}/abort`).catch(() => undefined);
    await settle();
  }

  async function interrupt(): Promise<void> {
    if (turn === undefined || isGone) return;
    turn.isStopping = true;
    await abort();
  }

  async function refuseQuestion(question: Fields, directory: string): Promise<void> {
    const path = `/question/${encodeURIComponent(textOf(question["id"]) ?? "")}/reject`;
    await server.client.call("POST", path, { directory }).catch(() => undefined);
  }

  function leave(words: string): void {
    isGone = true;
    gatekeeper.stop();
    const message = `opencode has ended: ${words}`;
    if (turn !== undefined) {
      const failure: AgentFailure = { reason: "other", message };
      endTurn({ status: isClosing ? "interrupted" : "failed", text: turn.text, ...(isClosing ? {} : { failure }) });
    }
    if (!isClosing) emit({ type: "gone", error: new AnabranchError("AGENT_GONE", { message }) });
  }

  return {
    conversation,
    capabilities,
    pid: undefined,
    async send({ text, when }) {
      if (isGone || isClosing) throw new AnabranchError("AGENT_GONE", { message: "opencode is not running any more" });
      if (turn === undefined) return say({ text, isLate: false }).catch(refused);
      if (when === "now") later.unshift({ text, isLate: true });
      else if (when === "later" || turn.isStopping) later.push({ text, isLate: true });
      else return say({ text, isLate: true }).catch(refused);
      if (when === "now") await interrupt();
    },
    interrupt,
    async close() {
      isClosing = true;
      later.length = 0;
      if (turn !== undefined && !isGone) await stopped();
      gatekeeper.stop();
      cancelRecheck();
      detach();
      await parts.release();
    },
  };

  /** A server that does not answer any more does not hold up the end. */
  async function stopped(): Promise<void> {
    const idle = new Promise<void>((resolve) => (onIdle = resolve));
    const late = new Promise<void>((resolve) => {
      const cancel = options.clock.after(CLOSE_PATIENCE_MS, resolve);
      void idle.then(cancel);
    });
    if (turn !== undefined) turn.isStopping = true;
    void abort();
    await Promise.race([idle, late]);
    if (turn !== undefined) endTurn({ status: "interrupted", text: turn.text });
  }

  /** What could not be said begins no turn. */
  function refused(cause: unknown): never {
    turn?.messages.pop();
    if (turn?.messages.length === 0) turn = undefined;
    if (!(cause instanceof RefusedCall)) throw cause;
    throw new AnabranchError("AGENT_FAILED", { message: `opencode did not take the message: ${cause.message}`, cause });
  }
}

function newTurn(): Turn {
  return {
    messages: [],
    requests: new Set(),
    text: "",
    failure: undefined,
    retries: 0,
    isGivenUp: false,
    isStopping: false,
    isStopped: false,
  };
}

function endOf({ text, failure, isGivenUp, isStopping, isStopped }: Turn): Omit<TurnEnd, "type"> {
  if (isGivenUp) return { status: "failed", text, failure };
  if (isStopping || isStopped) return { status: "interrupted", text };
  return failure === undefined ? { status: "completed", text } : { status: "failed", text, failure };
}
