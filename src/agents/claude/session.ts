/**
 * One conversation with Claude Code.
 *
 * idle → (send) waiting → (started) in a turn → (result) idle; or waiting again, when a message came too late for the
 * turn; or held, while something of it works on in the background → (result) idle. Whatever it is: → (gone) over.
 *
 * Invariants:
 * 1. A turn begins with `send`, or with what was sent and has not reached the model when another turn ends; each ends
 *    with one `turn.end`.
 * 2. What the agent begins by itself between turns is told, but is no turn.
 * 3. A tool is told of once, before the gate is asked, and ends at most once.
 */
import { AnabranchError } from "../../base/errors.ts";
import { newUuid, systemRandom } from "../../base/ids.ts";
import type { Capabilities } from "../../engine/agent.ts";
import type { LineProgramEnd } from "../../process/line-program.ts";
import type { AgentEvent, AgentFailure, Session, ToolRequest, TurnEnd } from "../port.ts";
import { createHookRunner } from "./definition-hooks.ts";
import { fieldsOf, numberOf, textOf, type Fields } from "../fields.ts";
import { ANSWER_TOOL, createGatekeeper } from "./gatekeeper.ts";
import type { Launch } from "./launch.ts";
import { readMessage, type Result, type Said } from "./messages.ts";
import { createTally } from "./tally.ts";
import { describeTool } from "./tools.ts";
import type { Listener, Transport } from "./transport.ts";

/** Starts a transport that tells a listener what it hears. */
export type StartTransport = (launch: Launch, listener: Listener) => Promise<Transport>;

const [STOP_PATIENCE_MS, CLOSE_PATIENCE_MS] = [500, 3000];
// A server that was left running would hold the turn for ever; what Claude Code itself waits for is no longer.
const SHELL_PATIENCE_MS = 600_000;
// The agent is told that something in the background has ended and goes on; it does not always.
const WAKE_PATIENCE_MS = 5000;

interface Turn {
  /** Whether any of its messages has reached the model. */
  isStarted: boolean;
  text: string;
  structured: unknown;
  /** Its result, while something of it works on in the background. */
  held: Result | undefined;
}

/** Opens a session; nothing was sent to the model when it resolves. */
export async function openSession(launch: Launch, capabilities: Capabilities, start: StartTransport): Promise<Session> {
  const { options } = launch;
  const [tally, tools] = [createTally(), new Map<string, ToolRequest>()];
  const waiting = new Map<string, { readonly text: string; readonly isLate: boolean }>();
  let turn: Turn | undefined;
  let background: readonly string[] = [];
  let [isClosing, isGone, isCounting] = [false, false, false];
  let stopHolding = (): void => undefined;
  let [lastError, contextTokens, limitUntilMs] = ["", 0, 0];

  const emit = (event: AgentEvent): void => options.onEvent(event);
  const gatekeeper = createGatekeeper(options.cwd, options.gate, announce);
  const onRemark = (text: string): void => emit({ type: "remark", text });
  const { cwd, environment } = launch;
  const hooks = createHookRunner({ cwd, environment, clock: options.clock, onRemark });
  const transport = await start(launch, {
    onMessage: (message) => readMessage(message).forEach(take),
    onHook: (input) => (input["hook_event_name"] === "PreToolUse" ? gatekeeper.before(input) : after(input)),
    onDefinitionHook: (hook, input) => hooks.run(hook, input),
    onPermission: (request) => gatekeeper.permit(request),
    onRemark,
  });
  void transport.gone.then(leave);
  if (launch.earlier !== undefined) discount();

  /** What the conversation had used before is not ours. */
  function discount(): void {
    transport.usage().then(
      (usage) => {
        const { model_usage, total_cost_usd } = fieldsOf(usage["session"]);
        tally.before(fieldsOf(model_usage), numberOf(total_cost_usd));
      },
      () =>
        emit({ type: "remark", text: "claude does not tell what the conversation had cost before: it is counted too" }),
    );
  }

  function announce(request: ToolRequest): void {
    if (tools.has(request.id)) return;
    tools.set(request.id, request);
    emit({ type: "tool.start", request });
    if (!isCounting) countMoney();
  }

  /** A turn may be long, and its money is told only with its result; so it is asked for before each tool. */
  function countMoney(): void {
    isCounting = true;
    transport
      .cost()
      .then((usd) => {
        if (usd !== undefined && tally.money(usd)) emit({ type: "usage", usage: tally.usage() });
      })
      .catch(() => undefined)
      .finally(() => (isCounting = false));
  }

  /** Files are told of here, and not with the tool's end, because what helpers of helpers do is heard of only here. */
  function after(input: Fields): Promise<Fields> {
    const [tool, id] = [textOf(input["tool_name"]) ?? "", textOf(input["tool_use_id"]) ?? ""];
    const { action, paths } = describeTool(id, tool, fieldsOf(input["tool_input"]), options.cwd);
    if (action === "read" || action === "write") {
      for (const path of paths) emit({ type: "file", access: action, path });
    }
    return Promise.resolve({});
  }

  function take(said: Said): void {
    switch (said.type) {
      case "started":
        return begin(said.id);
      case "awake":
        return stopHolding();
      case "dropped":
        return drop(said.id);
      case "request":
        return takeRequest(said);
      case "text":
        if (turn !== undefined) turn.text = said.text;
        return emit(said);
      case "tool":
        if (said.tool !== ANSWER_TOOL) announce(describeTool(said.id, said.tool, said.input, options.cwd));
        return;
      case "tool.result":
        return endTool(said);
      case "background":
        background = said.kinds;
        return awaitBackground();
      case "result":
        return takeResult(said);
      case "limit":
        limitUntilMs = said.untilMs;
        return;
      case "retry":
      case "remark":
        return emit(said);
    }
  }

  function begin(id: string): void {
    const message = waiting.get(id);
    if (message === undefined) return;
    waiting.delete(id);
    turn ??= newTurn();
    turn.isStarted = true;
    if (message.isLate) emit({ type: "message.taken", text: message.text });
  }

  function drop(id: string): void {
    if (!waiting.delete(id) || turn === undefined || turn.isStarted || waiting.size > 0) return;
    endTurn({ status: "interrupted", text: "" });
  }

  function takeRequest({ id, model, tokens, main }: Said & { type: "request" }): void {
    if (!tally.request(id, tokens)) return;
    emit({ type: "usage", usage: tally.usage(), model });
    if (!main) return;
    contextTokens = tokens.input + tokens.cacheRead + tokens.cacheWrite;
    emit({ type: "context", tokens: contextTokens });
  }

  function endTool({ id, ok, output }: Said & { type: "tool.result" }): void {
    gatekeeper.ended(id);
    if (tools.delete(id)) emit({ type: "tool.end", id, ok, output });
  }

  function takeResult(result: Result): void {
    stopHolding();
    lastError = result.failure?.message ?? "";
    count(result);
    if (turn?.isStarted !== true) return;
    turn.structured = result.structured ?? turn.structured;
    turn.held = result;
    if (result.status !== "completed" || background.length === 0) finish();
    else awaitBackground();
  }

  function count({ modelUsage, usd }: Result): void {
    tally.total(modelUsage, usd);
    const [model, used] = busiest(modelUsage);
    emit({ type: "usage", usage: tally.usage(), model });
    const window = numberOf(used["contextWindow"]);
    if (window > 0 && contextTokens > 0) emit({ type: "context", tokens: contextTokens, window });
  }

  /** Holds a turn that is over but for what works on in the background. */
  function awaitBackground(): void {
    if (turn?.held === undefined) return;
    stopHolding();
    const isShellOnly = background.every((kind) => kind === "local_bash");
    const patienceMs = background.length === 0 ? WAKE_PATIENCE_MS : isShellOnly ? SHELL_PATIENCE_MS : undefined;
    if (patienceMs !== undefined) stopHolding = options.clock.after(patienceMs, finish);
  }

  function finish(): void {
    if (turn?.held === undefined) return;
    const { held, text, structured } = turn;
    const answer = held.text === "" && held.status === "completed" ? text : held.text;
    const isUnanswered = options.schema !== undefined && held.status === "completed" && structured === undefined;
    endTurn({
      status: isUnanswered ? "failed" : held.status,
      text: held.status === "failed" ? text : answer,
      ...(structured === undefined ? {} : { structured }),
      failure: isUnanswered
        ? { reason: "schema", message: "it gave no answer that meets the schema" }
        : withPatience(held.failure),
    });
  }

  function withPatience(failure: AgentFailure | undefined): AgentFailure | undefined {
    const leftMs = limitUntilMs - options.clock.wallMs();
    return failure?.reason === "rate-limit" && leftMs > 0 ? { ...failure, retryAfterMs: leftMs } : failure;
  }

  function endTurn(end: Omit<TurnEnd, "type">): void {
    stopHolding();
    // Nothing of the turn is at work any more, whether its end was told or not.
    for (const id of tools.keys()) if (background.length === 0) tools.delete(id);
    turn = waiting.size > 0 ? newTurn() : undefined;
    emit({ type: "turn.end", ...end });
  }

  function leave({ status, signal, lastWords }: LineProgramEnd): void {
    isGone = true;
    hooks.stop();
    stopHolding();
    waiting.clear();
    const words = lastError || lastWords || `it ended with ${signal ?? `status ${String(status)}`}`;
    const message = `claude has ended: ${words}`;
    if (turn !== undefined) {
      if (isClosing) endTurn({ status: "interrupted", text: turn.text });
      else endTurn({ status: "failed", text: turn.text, failure: { reason: "other", message } });
    }
    if (!isClosing) emit({ type: "gone", error: new AnabranchError("AGENT_GONE", { message }) });
  }

  function within(patienceMs: number, work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = options.clock.after(patienceMs, resolve);
      void work.catch(() => undefined).finally(() => (cancel(), resolve()));
    });
  }

  return {
    conversation: launch.conversation,
    capabilities,
    pid: transport.pid,
    async send({ text, when }) {
      if (isGone || isClosing) throw new AnabranchError("AGENT_GONE", { message: "claude is not running any more" });
      const id = newUuid(systemRandom);
      waiting.set(id, { text, isLate: turn !== undefined });
      turn ??= newTurn();
      await transport.say({ id, text, when });
    },
    async interrupt() {
      if (turn === undefined || isGone) return;
      const isHeld = turn.held !== undefined;
      await transport.interrupt();
      if (isHeld && turn?.held !== undefined) endTurn({ status: "interrupted", text: turn.text });
    },
    async close() {
      isClosing = true;
      if (turn !== undefined && !isGone) await within(STOP_PATIENCE_MS, transport.interrupt());
      await transport.close(CLOSE_PATIENCE_MS);
      await transport.gone;
    },
  };
}

function newTurn(): Turn {
  return { isStarted: false, text: "", structured: undefined, held: undefined };
}

/** The model that did most of the work. */
function busiest(modelUsage: Fields): readonly [string | undefined, Fields] {
  const output = ([, used]: readonly [string, Fields]): number => numberOf(used["outputTokens"]);
  const models = Object.entries(modelUsage).map(([model, used]) => [model, fieldsOf(used)] as const);
  return models.toSorted((one, other) => output(other) - output(one))[0] ?? [undefined, {}];
}
