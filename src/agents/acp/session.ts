/**
 * One conversation with an agent over the protocol.
 *
 * opening → (begin) between turns → (send) in a turn → (answered, refused, given up) between turns → … → closed | gone
 *
 * Invariants:
 * 1. What is told before the first message is history or talk about itself, and is not passed on.
 * 2. Each prompt ends in one `turn.end`; a message that waits begins the next turn after it.
 * 3. An agent that does not heed an interruption is ended: nobody would hear of what it does.
 */
import {
  RequestError,
  type ContentBlock,
  type PromptResponse,
  type ReadTextFileRequest,
  type RequestPermissionRequest,
  type RequestPermissionResponse,
  type WriteTextFileRequest,
} from "@agentclientprotocol/sdk/unstable";
import { relative } from "node:path";
import { setImmediate } from "node:timers/promises";

import { AnabranchError } from "../../base/errors.ts";
import type { Capabilities, MessageTiming } from "../../engine/agent.ts";
import type { AgentEvent, AgentFailure, GateAnswer, OpenOptions, Session, ToolRequest, TurnEnd } from "../port.ts";
import type { ClientSide, Connection } from "./connection.ts";
import { DelegatedFiles } from "./delegated-files.ts";
import { failureOf } from "./failures.ts";
import { Speech } from "./speech.ts";
import { Tally } from "./tally.ts";
import { ToolCalls } from "./tool-calls.ts";
import { readUpdate, type Update } from "./updates.ts";

/** What was learnt of the agent while the session was opened. */
export interface SessionFacts {
  readonly conversation: string;
  readonly capabilities: Capabilities;
  /** Whether its messages can be joined into a turn. */
  readonly canSteer: boolean;
  /** Said before the first message, where it has no other way to take a system prompt. */
  readonly preface: string | undefined;
}

/** What an agent does beyond what the protocol says. */
export interface Manners {
  /** It titles a command with the command itself. */
  readonly titlesAreCommands: boolean;
  /** It reads and writes through us whatever lies below its folder, and takes no error for a file that is missing. */
  readonly delegatesFiles: boolean;
  /** It never ends a turn without a word, unless the model's answer broke off. */
  readonly alwaysSpeaks: boolean;
}

interface Turn {
  readonly over: AbortController;
  readonly speech: Speech;
  requests: number;
  isAfterTool: boolean;
  isInterrupted: boolean;
  failure: AgentFailure | undefined;
  /** Stops waiting for an agent that was told to stop. */
  stopWaiting: () => void;
  /** Ends the turn without an answer. */
  readonly giveUp: () => void;
  readonly givenUp: Promise<undefined>;
}

const HEED_PATIENCE_MS = 10_000;
const STEERING = "_session/steering";

/** See the head of this file. */
export class AcpSession implements Session, ClientSide {
  readonly #options: OpenOptions;
  readonly #manners: () => Manners;
  readonly #tools: ToolCalls;
  readonly #files: DelegatedFiles;
  readonly #tally = new Tally();
  readonly #waiting: string[] = [];
  #connection: Connection | undefined;
  #facts: SessionFacts | undefined;
  #preface: string | undefined;
  #turn: Turn | undefined;
  #talk: Promise<void> = Promise.resolve();
  #lastHeardMs = 0;
  #hasSpoken = false;
  #isClosing = false;
  #gone: AnabranchError | undefined;

  /** @param manners is asked anew each time: it is not known before the agent has said who it is */
  constructor(options: OpenOptions, manners: () => Manners) {
    this.#options = options;
    this.#manners = manners;
    const ask = (request: ToolRequest): Promise<GateAnswer> => this.#ask(request);
    const emit = (event: AgentEvent): void => this.#emit(event);
    this.#tools = new ToolCalls({
      cwd: options.cwd,
      titlesAreCommands: () => manners().titlesAreCommands,
      ask,
      emit,
      delegates: (path) => manners().delegatesFiles && this.#files.knows(path),
      explain: (reason) => void this.#explain(reason),
    });
    this.#files = new DelegatedFiles({
      root: rootOf(options),
      missingIsEmpty: () => manners().delegatesFiles,
      tools: this.#tools,
      ask,
      emit,
    });
  }

  get conversation(): string {
    return this.#facts?.conversation ?? "";
  }

  get capabilities(): Capabilities {
    return this.#require().facts.capabilities;
  }

  get pid(): number | undefined {
    return this.#connection?.pid;
  }

  /** When the agent was last heard of, on the monotonic clock. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** The session is open. */
  begin(connection: Connection, facts: SessionFacts): void {
    [this.#connection, this.#facts, this.#preface] = [connection, facts, facts.preface];
    void connection.gone.then((error) => this.#leave(error));
  }

  async send({ text, when }: { readonly text: string; readonly when: MessageTiming }): Promise<void> {
    const { facts, connection } = this.#require();
    if (this.#gone !== undefined || this.#isClosing) throw this.#gone ?? closedError();
    if (this.#turn === undefined) return this.#begin(text);
    if (when === "next" && facts.canSteer && (await this.#steer(connection, text))) {
      this.#emit({ type: "message.taken", text });
      return;
    }
    // The turn may have ended while the agent was asked.
    if (this.#turn === undefined) return this.#begin(text);
    if (when !== "now") return void this.#waiting.push(text);
    this.#waiting.unshift(text);
    await this.interrupt();
  }

  async interrupt(): Promise<void> {
    const turn = this.#turn;
    if (turn === undefined) return;
    turn.isInterrupted = true;
    await this.#stop(turn);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const turn = this.#turn;
    if (turn !== undefined) {
      turn.isInterrupted = true;
      turn.over.abort();
      turn.giveUp();
    }
    await this.#connection?.close();
    await this.#talk;
  }

  update(params: unknown): void {
    this.#lastHeardMs = this.#options.clock.monotonicMs();
    const read = readUpdate(params);
    if (read === undefined) return this.remark("the agent told something that cannot be understood");
    if (this.#facts !== undefined && read.session !== this.conversation) {
      return this.remark("the agent told something of a session that is not this one");
    }
    this.#take(read.update);
  }

  async permission({ sessionId, toolCall, options }: RequestPermissionRequest): Promise<RequestPermissionResponse> {
    this.#requireOwn(sessionId);
    this.#move();
    this.#turn?.speech.pause();
    return this.#tools.asked(toolCall, options);
  }

  async read(request: ReadTextFileRequest): Promise<string> {
    this.#requireOwn(request.sessionId);
    return this.#files.read(request);
  }

  async write(request: WriteTextFileRequest): Promise<void> {
    this.#requireOwn(request.sessionId);
    return this.#files.write(request);
  }

  wantsErrorsAsText(): boolean {
    return this.#manners().delegatesFiles;
  }

  remark(text: string): void {
    this.#emit({ type: "remark", text });
  }

  #begin(text: string): void {
    this.#tally.begin();
    this.#hasSpoken = true;
    this.#talk = this.#converse(text);
  }

  /** One turn, from the prompt to its end, and those that wait after it. */
  async #converse(text: string): Promise<void> {
    const { connection, facts } = this.#require();
    const turn = newTurn((said) => this.#emit({ type: "text", text: said }));
    this.#turn = turn;
    this.#request(turn);
    const preface = this.#preface;
    this.#preface = undefined;
    const prompt = [...(preface === undefined ? [] : [textBlock(preface)]), textBlock(text)];
    let end: TurnEnd;
    try {
      const asked = connection.agent.request("session/prompt", { sessionId: facts.conversation, prompt });
      asked.catch(() => undefined);
      const response = await Promise.race([asked, turn.givenUp]);
      // What was told before the answer is still being handed on.
      await setImmediate();
      end = this.#endOf(turn, response);
    } catch (cause) {
      await setImmediate();
      end = await this.#failureEnd(turn, connection, cause);
    }
    turn.over.abort();
    turn.stopWaiting();
    this.#tools.endAll();
    this.#emitUsage();
    this.#turn = undefined;
    this.#emit(end);
    const next = this.#gone === undefined && !this.#isClosing ? this.#waiting.shift() : undefined;
    if (next === undefined) return;
    this.#emit({ type: "message.taken", text: next });
    await this.#converse(next);
  }

  #endOf(turn: Turn, response: PromptResponse | undefined): TurnEnd {
    const text = turn.speech.end();
    if (response !== undefined) this.#tally.answer(response);
    if (turn.failure !== undefined) return { type: "turn.end", status: "failed", text, failure: turn.failure };
    if (turn.isInterrupted || response === undefined || response.stopReason === "cancelled") {
      return { type: "turn.end", status: "interrupted", text };
    }
    const failure = failureOfStop(response.stopReason, turn.speech.isSilent && this.#manners().alwaysSpeaks);
    return failure === undefined
      ? { type: "turn.end", status: "completed", text }
      : { type: "turn.end", status: "failed", text, failure };
  }

  async #failureEnd(turn: Turn, connection: Connection, cause: unknown): Promise<TurnEnd> {
    const text = turn.speech.end();
    if (turn.failure !== undefined) return { type: "turn.end", status: "failed", text, failure: turn.failure };
    if (turn.isInterrupted) return { type: "turn.end", status: "interrupted", text };
    // Only the program's end closes the connection, and its last words say more.
    const failure = cause instanceof RequestError ? failureOf(cause) : failureOf(await connection.gone);
    return { type: "turn.end", status: "failed", text, failure };
  }

  #take(update: Update): void {
    const isOver = update.type === "tool" && isEnd(update.fields.status);
    if (update.type === "usage") {
      if (this.#tally.cost(update.cost)) this.#emitUsage();
      this.#emit({ type: "context", tokens: update.used, window: update.size });
      return;
    }
    const turn = this.#turn;
    if (!this.#hasSpoken) return;
    switch (update.type) {
      case "text":
        this.#move();
        turn?.speech.say(update.text);
        return;
      case "thought":
        this.#move();
        return;
      case "tool":
        if (turn === undefined) return;
        turn.speech.pause();
        if (!isOver) this.#move();
        this.#tools.told(update.fields);
        if (isOver) turn.isAfterTool = true;
        return;
      case "notice":
        this.remark(update.text);
        return;
      case "other":
    }
  }

  /** The model is at it again: after a tool that is a new request. */
  #move(): void {
    const turn = this.#turn;
    if (turn?.isAfterTool !== true) return;
    turn.isAfterTool = false;
    this.#request(turn);
  }

  #request(turn: Turn): void {
    turn.requests += 1;
    this.#tally.request();
    const { maxTurns } = this.#options;
    if (maxTurns === undefined || turn.requests <= maxTurns || turn.failure !== undefined) return;
    turn.failure = { reason: "turns", message: `it took more than ${maxTurns} requests to the model` };
    void this.#stop(turn);
  }

  async #stop(turn: Turn): Promise<void> {
    const { connection, facts } = this.#require();
    turn.over.abort();
    turn.stopWaiting();
    turn.stopWaiting = this.#options.clock.after(HEED_PATIENCE_MS, () => {
      turn.giveUp();
      void connection.close();
    });
    await connection.agent.notify("session/cancel", { sessionId: facts.conversation }).catch(() => undefined);
  }

  async #ask(request: ToolRequest): Promise<GateAnswer> {
    const turn = this.#turn;
    const stopped: GateAnswer = { allow: false, reason: "The turn was interrupted." };
    if (turn?.over.signal.aborted === true || this.#isClosing) return stopped;
    const answered = this.#options.gate(request).catch((cause: unknown): GateAnswer => ({
      allow: false,
      reason: `Nobody could decide about it: ${String(cause)}`,
    }));
    if (turn === undefined) return answered;
    const aborted = new Promise<GateAnswer>((resolve) => {
      turn.over.signal.addEventListener("abort", () => resolve(stopped), { once: true });
    });
    const answer = await Promise.race([answered, aborted]);
    if (answer.allow && answer.note !== undefined) await this.#explain(answer.note);
    return answer;
  }

  /** Tells the agent something in its turn, where it can be told. */
  async #explain(text: string): Promise<void> {
    const { connection, facts } = this.#require();
    if (facts.canSteer && this.#turn !== undefined) await this.#steer(connection, text);
  }

  async #steer(connection: Connection, text: string): Promise<boolean> {
    try {
      const answer = await connection.agent.request<{ readonly outcome?: unknown }>(STEERING, {
        sessionId: this.conversation,
        prompt: [textBlock(text)],
        _meta: { steering: { idleBehavior: "promptRequired" } },
      });
      return answer.outcome === "injected";
    } catch {
      return false;
    }
  }

  #leave(error: AnabranchError): void {
    this.#gone = error;
    void this.#talk.then(() => {
      if (!this.#isClosing) this.#emit({ type: "gone", error });
    });
  }

  #emitUsage(): void {
    this.#emit({ type: "usage", usage: this.#tally.usage, model: this.#tally.model });
  }

  #emit(event: AgentEvent): void {
    this.#options.onEvent(event);
  }

  #requireOwn(sessionId: string): void {
    if (this.#facts !== undefined && sessionId !== this.conversation) {
      throw RequestError.invalidParams({ sessionId }, "there is no such session");
    }
  }

  #require(): { readonly connection: Connection; readonly facts: SessionFacts } {
    if (this.#connection === undefined || this.#facts === undefined) {
      throw new AnabranchError("INTERNAL", { message: "the session is not open" });
    }
    return { connection: this.#connection, facts: this.#facts };
  }
}

const NOTHING = (): void => undefined;

function newTurn(pass: (text: string) => void): Turn {
  let giveUp = NOTHING;
  const givenUp = new Promise<undefined>((resolve) => (giveUp = () => resolve(undefined)));
  return {
    over: new AbortController(),
    speech: new Speech(pass),
    requests: 0,
    isAfterTool: false,
    isInterrupted: false,
    failure: undefined,
    stopWaiting: NOTHING,
    giveUp,
    givenUp,
  };
}

function failureOfStop(reason: PromptResponse["stopReason"], isBroken: boolean): AgentFailure | undefined {
  switch (reason) {
    case "max_tokens":
      return { reason: "context", message: "the agent stopped at the most tokens that it may use" };
    case "max_turn_requests":
      return { reason: "turns", message: "the agent stopped at the most requests that it may make in one turn" };
    case "refusal":
      return { reason: "other", message: "the agent refuses to go on" };
    default:
      return isBroken ? { reason: "cut", message: "the model's answer broke off" } : undefined;
  }
}

function isEnd(status: string | null | undefined): boolean {
  return status === "completed" || status === "failed";
}

function textBlock(text: string): ContentBlock {
  return { type: "text", text };
}

/** The workspace that the session's folder is in, where its environment tells. */
function rootOf({ cwd, environment }: OpenOptions): string {
  const workspace = environment["ANABRANCH_WORKSPACE"];
  return workspace !== undefined && !relative(workspace, cwd).startsWith("..") ? workspace : cwd;
}

function closedError(): AnabranchError {
  return new AnabranchError("AGENT_GONE", { message: "the session is closed" });
}
