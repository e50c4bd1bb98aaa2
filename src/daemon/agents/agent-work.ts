/**
 * The work of an agent on one attempt: one conversation, from its opening to its end.
 *
 * opened → in a turn ⇄ between turns → over → closed
 *
 * Invariants:
 * 1. The conversation's id is durable before anything is said in it: whoever takes the task up again goes on in it.
 * 2. A message is passed on once; what has not reached the agent when its work is over is told as undelivered.
 * 3. When it is closed, no program of its own is alive.
 */
import { join } from "node:path";

import type { AgentAdapter, AgentEvent, AgentFailure, OpenOptions, Session, TurnEnd } from "../../agents/port.ts";
import { AnabranchError, isAnabranchError, toAnabranchError } from "../../base/errors.ts";
import { pause } from "../../base/clock.ts";
import { NO_USAGE, type Usage } from "../../engine/agent.ts";
import { addUsage } from "../../engine/budget.ts";
import { identify } from "../../process/identity.ts";
import { prepareFileTrace, type FileTrace } from "../../process/file-trace.ts";
import { OutputWriter } from "../../process/output-writer.ts";
import { attemptName, type AttemptRow, type ProcessRecord } from "../../store/attempts.ts";
import type { MessageRow } from "../../store/messages.ts";
import type { Statement } from "../../store/port.ts";
import type { Reason } from "../../store/runs.ts";
import {
  findSession,
  insertSession,
  patchedSession,
  updateSession,
  type SessionPatch,
  type SessionRecord,
  type SessionRow,
} from "../../store/sessions.ts";
import type { AgentSpec } from "../../workflows/spec.ts";
import { listChangedPaths } from "../../workspaces/glimpse.ts";
import type { LiveRun, LiveTask } from "../live-run.ts";
import type { Parts } from "../parts.ts";
import type { Prepared } from "../preparation.ts";
import { findMismatch } from "../task-results.ts";
import { readDigest } from "./digest.ts";
import { FileSetRecorder } from "./file-sets.ts";
import { createGate } from "./gate.ts";
import { goOnPrompt, mendPrompt, openingPrompt, resumePrompt, type OpeningPrompt } from "./prompt.ts";
import { Transcript } from "./transcript.ts";
import { TurnQueue } from "./turn-queue.ts";

/** Whose work it is, and where. */
export interface AgentWorkContext {
  readonly parts: Parts;
  readonly run: LiveRun;
  readonly task: LiveTask;
  readonly agent: AgentSpec;
  readonly attempt: AttemptRow;
  /** The attempt's folder. */
  readonly folder: string;
  readonly prepared: Prepared;
  /** Told what is going on, for people. */
  readonly report: (activity: string) => void;
}

/** How a conversation ended. */
export type AgentEnd =
  | { readonly how: "done" }
  | { readonly how: "stopped" }
  | { readonly how: "failed"; readonly reason: Reason };

const MOST_RETURNS = 2;
/** How often a failure that passes by itself is waited out, in a row. */
const MOST_RETRIES: Readonly<Partial<Record<AgentFailure["reason"], number>>> = {
  "rate-limit": 8,
  overloaded: 8,
  server: 3,
  cut: 3,
};
const LONGEST_WAIT_MS = 5 * 60_000;
const SAVE_EVERY_MS = 2000;

/** See the head of this file. */
export class AgentWork {
  readonly #context: AgentWorkContext;
  readonly #adapter: AgentAdapter;
  readonly #over = new AbortController();
  readonly #transcript: Transcript;
  readonly #sets: FileSetRecorder;
  readonly #turns = new TurnQueue();
  readonly #trace: FileTrace | undefined;
  /** Why an earlier attempt did not land; the task's row tells only until the work begins. */
  readonly #again: Reason | undefined;
  readonly #sent = new Map<string, MessageRow[]>();
  #session: Session | undefined;
  #row: SessionRow;
  /** What was used before the program was started anew. */
  #usedBefore: Usage;
  /** Whether nothing was said in it yet. */
  #isNew: boolean;
  #isStored: boolean;
  #digest: string | undefined;
  #urgent: MessageRow[] = [];
  #savedMs = 0;
  #delivering: Promise<void> = Promise.resolve();
  #stopListening: () => void = () => undefined;

  private constructor(context: AgentWorkContext, adapter: AgentAdapter, isNew: boolean, row: SessionRow) {
    const { parts, run, attempt, folder, prepared, agent } = context;
    this.#context = context;
    this.#adapter = adapter;
    this.#isNew = isNew;
    this.#isStored = !isNew;
    // A time on the monotonic clock of an earlier boot means nothing now.
    const sameBoot = attempt.bootId === parts.clock.bootId;
    this.#row = sameBoot ? row : { ...row, record: { ...row.record, startedAtMs: parts.clock.monotonicMs() } };
    this.#usedBefore = this.#row.record.usage;
    this.#sets = new FileSetRecorder(prepared.workspace.tree, this.#row.record.sets);
    this.#transcript = new Transcript(folder, run.row.spec.logCapBytes);
    this.#trace = this.#prepareTrace();
    this.#again = reasonToDoAgain(context.task);
    if (!isNew) this.#transcript.remark(`${agent.name} is taken up again in the same conversation`);
    this.#stopListening = parts.mailbox.listen(attempt.run, attempt.task, () => this.#deliver());
  }

  /**
   * Opens a conversation for an attempt, or takes up the one that an earlier daemon had with it.
   * @throws {AnabranchError} as {@link AgentAdapter.open} does
   */
  static async open(context: AgentWorkContext, row?: SessionRow): Promise<AgentWork> {
    const adapter = await context.parts.adapters.get(context.agent.kind);
    const work = new AgentWork(
      context,
      adapter,
      row === undefined,
      row ?? newSession(context, await sourceOf(context, adapter)),
    );
    try {
      await work.#open();
      return work;
    } catch (cause) {
      await work.#end();
      throw cause;
    }
  }

  /** Puts the session into the transaction that says that the work has begun. */
  get begun(): Statement {
    return insertSession(this.#row);
  }

  /** That transaction is durable. */
  stored(): void {
    this.#isStored = true;
  }

  /** Its program, as the attempt keeps it; `undefined` where it shares one with others. */
  get process(): ProcessRecord | undefined {
    const { parts } = this.#context;
    const pid = this.#session?.pid;
    const identity = pid === undefined ? undefined : identify(pid, parts.clock);
    return identity === undefined ? undefined : { ...identity, startedAtMs: this.#row.record.startedAtMs };
  }

  get startedAtMs(): number {
    return this.#row.record.startedAtMs;
  }

  get controlGroup(): string | undefined {
    return this.#row.record.controlGroup;
  }

  /** Talks until the task is done, fails, or `stop` aborts. It never throws. */
  async converse(stop: AbortSignal): Promise<AgentEnd> {
    const halt = (): void => this.#halt();
    stop.addEventListener("abort", halt);
    try {
      return await this.#converse(stop);
    } catch (cause) {
      return stop.aborted ? { how: "stopped" } : failed(toAnabranchError(cause));
    } finally {
      stop.removeEventListener("abort", halt);
    }
  }

  /** Ends the session: no program of its own is alive then. */
  async finish(): Promise<void> {
    await this.#end();
    await this.#saving;
  }

  /**
   * What is to be kept of a session that is finished.
   * @param changed the paths in which the workspace differs from its base, where that is known
   */
  kept(changed: readonly string[]): Statement {
    this.#sets.found(changed);
    const record = { ...this.#row.record, sets: this.#sets.sets() };
    return updateSession(this.#row, { state: "closed", record, endedMs: this.#context.parts.clock.wallMs() });
  }

  async #end(): Promise<void> {
    this.#over.abort();
    this.#stopListening();
    await this.#session?.close().catch(() => undefined);
    await this.#delivering;
    if (this.#trace !== undefined) this.#sets.traced(await this.#trace.take());
    const { parts, attempt } = this.#context;
    for (const message of await parts.mailbox.waiting(attempt.run, attempt.task)) {
      await parts.mailbox.settle(message, "undelivered");
    }
    this.#transcript.close();
  }

  async #open(): Promise<void> {
    const { parts, agent, attempt } = this.#context;
    const known = this.#isNew ? undefined : this.#row.conversation;
    try {
      this.#session = await this.#adapter.open(
        this.#options(known === undefined ? await this.#source() : { resume: known }),
      );
    } catch (cause) {
      // It was begun, but nothing was said in it yet: there is nothing to go on with.
      if (known === undefined || !isAnabranchError(cause) || cause.code !== "CONVERSATION_UNKNOWN") throw cause;
      this.#isNew = true;
      this.#session = await this.#adapter.open(this.#options(await this.#source()));
    }
    const { conversation } = this.#session;
    if (this.#row.conversation !== conversation) await this.#save({ conversation });
    parts.log("info", "a session is open", { attempt: attemptName(attempt), kind: agent.kind, conversation });
  }

  /** What the conversation begins with: nothing, a copy of another one, or a digest of it. */
  async #source(): Promise<Pick<OpenOptions, "forkFrom">> {
    const { from } = this.#row.record;
    if (from === undefined) return {};
    const { conversation, directory } = from;
    if (from.way === "copy") return { forkFrom: { conversation, directory } };
    this.#digest = await readDigest(this.#context.parts, from.conversation);
    return {};
  }

  #options(source: Pick<OpenOptions, "forkFrom" | "resume">): OpenOptions {
    const { parts, task, agent, prepared, run } = this.#context;
    const { environment, cwd, workspace } = prepared;
    return {
      ...source,
      environment,
      cwd,
      program: agent.program,
      model: agent.model,
      effort: agent.effort,
      system: agent.system,
      tools: agent.tools,
      disallowedTools: agent.disallowedTools,
      permission: agent.permission,
      toolServers: agent.toolServers,
      native: agent.native,
      schema: task.spec.output === "json" ? task.spec.schema : undefined,
      maxTurns: agent.budget.turns,
      clock: parts.clock,
      gate: createGate({
        parts,
        run,
        task,
        agent,
        tree: workspace.tree,
        sets: this.#sets,
        remark: (text) => this.#transcript.remark(text),
        report: this.#context.report,
        signal: this.#over.signal,
      }),
      onEvent: (event) => this.#take(event),
      controlGroup: this.controlGroup,
      through: this.#trace?.through,
    };
  }

  /** Where what its commands read is to be found out. */
  #prepareTrace(): FileTrace | undefined {
    const { agent, prepared, folder } = this.#context;
    if (agent.trace === undefined) return undefined;
    if (this.#adapter.capabilities.sharedProcess) {
      this.#transcript.remark(`what it reads is not traced: ${agent.kind} serves several sessions from one program`);
      return undefined;
    }
    const path = prepared.environment["PATH"] ?? "";
    const trace = prepareFileTrace(prepared.workspace.tree, join(folder, "reads"), path);
    if (trace === undefined) this.#transcript.remark("what it reads is not traced: strace is not on the PATH");
    return trace;
  }

  async #converse(stop: AbortSignal): Promise<AgentEnd> {
    const opening = this.#isNew ? this.#opening() : undefined;
    let say = opening === undefined ? resumePrompt() : openingText(opening);
    let shown = opening?.request;
    let [retries, returns, mended] = [0, 0, false];
    let answeredTokens = 0;
    for (;;) {
      if (stop.aborted) return { how: "stopped" };
      const end = await this.#turn(say, shown);
      shown = undefined;
      await this.#reconcile();
      await this.#save({});
      // What is done just as its budget is spent is done.
      if (stop.aborted && !(isAnabranchError(stop.reason) && end.status === "completed")) return { how: "stopped" };
      const urgent = this.#urgent.splice(0);
      if (urgent.length > 0) {
        say = await this.#saying(urgent);
        continue;
      }
      if (end.status !== "completed") {
        const failure = end.failure ?? { reason: "other", message: "it was interrupted" };
        const { outputTokens } = this.#row.record.usage;
        // The model has answered since the last failure: that one is over.
        if (outputTokens > answeredTokens) [retries, answeredTokens] = [0, outputTokens];
        if (this.#turns.gone !== undefined && returns < MOST_RETURNS) {
          returns += 1;
          await this.#comeBack();
          say = this.#isNew ? openingText(this.#opening()) : resumePrompt();
        } else if (retries < (MOST_RETRIES[failure.reason] ?? 0)) {
          retries += 1;
          await this.#waitOut(failure, retries, stop);
          say = goOnPrompt(failure.reason);
        } else return failed(failureError(this.#context, failure));
        continue;
      }
      retries = 0;
      const problem = mended ? undefined : await this.#problemWith(end);
      if (problem !== undefined) {
        mended = true;
        say = mendPrompt(problem);
        continue;
      }
      const mail = await this.#mail();
      if (mail.length === 0) {
        this.#writeOutput(end);
        return { how: "done" };
      }
      say = await this.#saying(mail);
    }
  }

  #opening(): OpeningPrompt {
    const { parts, run, task, agent, prepared } = this.#context;
    return openingPrompt({
      layout: parts.layout,
      random: parts.random,
      run,
      task,
      agent,
      tree: prepared.workspace.tree,
      again: this.#again,
      goesOn: this.#row.record.from?.way === "copy" && agent.fork === undefined,
      schema: this.#session?.capabilities.structured === true ? undefined : task.spec.schema,
      digest: this.#digest,
    });
  }

  /** @param shown what people see of what is said */
  async #turn(say: string, shown = say): Promise<TurnEnd> {
    const session = this.#requireSession();
    this.#transcript.said(shown, "prompt");
    this.#turns.begin();
    await session.send({ text: say, when: "later" });
    // What was posted before the turn began.
    this.#deliver();
    const end = await this.#turns.end();
    await this.#delivering;
    return end;
  }

  /** What the workspace really holds after a turn: also what commands have written. */
  async #reconcile(): Promise<void> {
    const { parts, prepared } = this.#context;
    const changed = await listChangedPaths(parts.git, prepared.workspace, this.#over.signal).catch(() => []);
    this.#sets.found(changed);
  }

  /** The program ended in the middle of a turn: the conversation is taken up by a new one, if anything of it was kept. */
  async #comeBack(): Promise<void> {
    this.#usedBefore = this.#row.record.usage;
    await this.#session?.close();
    this.#turns.reset();
    this.#transcript.remark("its program ended; it is started anew in the same conversation");
    this.#isNew = false;
    await this.#open();
  }

  async #waitOut(failure: AgentFailure, retries: number, stop: AbortSignal): Promise<void> {
    const { parts, report } = this.#context;
    const waitMs = Math.min(failure.retryAfterMs ?? parts.agentRetryMs * 2 ** (retries - 1), LONGEST_WAIT_MS);
    report(`waiting ${Math.ceil(waitMs / 1000)} s: ${failure.reason}`);
    this.#transcript.remark(`${failure.message}; tried again in ${Math.ceil(waitMs / 1000)} s`);
    await pause(parts.clock, waitMs, stop);
    report("");
  }

  /** What is wrong with an answer that was to be JSON. */
  async #problemWith(end: TurnEnd): Promise<string | undefined> {
    const { output, schema } = this.#context.task.spec;
    if (output !== "json") return undefined;
    const answer = answerOf(end);
    if (answer === undefined) return "it is not JSON";
    return schema === undefined ? undefined : findMismatch(schema, answer.value);
  }

  #writeOutput(end: TurnEnd): void {
    const { task, folder, run } = this.#context;
    if (task.spec.output === undefined) return;
    const writer = new OutputWriter(folder, "output", run.row.spec.logCapBytes);
    const answer = task.spec.output === "json" ? answerOf(end) : undefined;
    writer.write(answer === undefined ? end.text : `${JSON.stringify(answer.value)}\n`);
    writer.close();
  }

  /** Passes on what was posted while a turn goes on, as each message wants it. */
  #deliver(): void {
    this.#delivering = this.#delivering
      .then(() => this.#deliverNow())
      .catch((cause: unknown) => {
        this.#context.parts.log("warn", "a message could not be delivered", { cause: String(cause) });
      });
  }

  async #deliverNow(): Promise<void> {
    const { parts, attempt } = this.#context;
    const session = this.#session;
    if (session === undefined || !this.#turns.isOpen || this.#over.signal.aborted) return;
    const known = new Set([...this.#urgent, ...[...this.#sent.values()].flat()].map(({ id }) => id));
    const fresh = (await parts.mailbox.waiting(attempt.run, attempt.task)).filter(({ id }) => !known.has(id));
    for (const message of fresh) {
      if (message.timing === "now") {
        this.#urgent.push(message);
        await session.interrupt();
      } else if (message.timing === "next" && session.capabilities.steer) {
        const text = wordsOf(message);
        this.#sent.set(text, [...(this.#sent.get(text) ?? []), message]);
        this.#turns.expect();
        await session.send({ text, when: "next" });
      }
    }
  }

  /** What waits to be said between turns. */
  async #mail(): Promise<MessageRow[]> {
    const { parts, attempt } = this.#context;
    return parts.mailbox.waiting(attempt.run, attempt.task);
  }

  async #saying(messages: readonly MessageRow[]): Promise<string> {
    for (const message of messages) await this.#context.parts.mailbox.settle(message, "delivered");
    return messages.map(wordsOf).join("\n\n");
  }

  #taken(text: string): void {
    const [message, ...others] = this.#sent.get(text) ?? [];
    this.#sent.set(text, others);
    this.#turns.expected();
    if (message === undefined) return;
    this.#transcript.said(text, "message");
    this.#delivering = this.#delivering.then(() => this.#context.parts.mailbox.settle(message, "delivered"));
  }

  #halt(): void {
    const { parts } = this.#context;
    void this.#session?.interrupt().catch(() => undefined);
    // A program that does not heed it is ended with the session.
    parts.clock.after(parts.ladder.interruptMs, () =>
      this.#turns.give({ type: "turn.end", status: "interrupted", text: "" }),
    );
  }

  #take(event: AgentEvent): void {
    this.#transcript.event(event);
    switch (event.type) {
      case "file":
        this.#sets.file(event.access, event.path);
        return;
      case "tool.start":
        if (event.request.action === "execute") this.#sets.command();
        return;
      case "usage":
        this.#used(event.usage, event.model);
        return;
      case "context":
        this.#patch({ record: { ...this.#row.record, contextTokens: event.tokens } });
        return;
      case "message.taken":
        this.#taken(event.text);
        return;
      case "turn.end":
        this.#turns.give(event);
        return;
      case "gone":
        this.#turns.leave(event.error);
        return;
      case "text":
      case "tool.end":
      case "retry":
      case "remark":
    }
  }

  #used(usage: Usage, model: string | undefined): void {
    const { parts, attempt } = this.#context;
    const { record } = this.#row;
    const fresh = parts.spending.price(usage, model ?? record.model);
    const estimated = record.estimated || fresh.estimated;
    const sum = addUsage(this.#usedBefore, fresh.usage);
    this.#patch({ record: { ...record, usage: sum, estimated, model: model ?? record.model } });
    parts.spending.record(attempt, { usage: sum, estimated });
    const { clock } = parts;
    if (clock.monotonicMs() - this.#savedMs > SAVE_EVERY_MS) void this.#save({}).catch(() => undefined);
  }

  #patch(patch: SessionPatch): void {
    this.#row = { ...this.#row, ...patch };
  }

  #saving: Promise<void> = Promise.resolve();

  /** Makes what is known of the session durable. */
  #save(patch: SessionPatch): Promise<void> {
    if (!this.#isStored) {
      this.#patch(patch);
      return Promise.resolve();
    }
    this.#savedMs = this.#context.parts.clock.monotonicMs();
    const saved = this.#saving.then(async () => {
      const record = { ...this.#row.record, sets: this.#sets.sets() };
      const before = this.#row;
      await this.#context.parts.store.commit([updateSession(before, { record, ...patch })]);
      this.#row = { ...patchedSession(before, patch), record: { ...this.#row.record, sets: record.sets } };
    });
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  #requireSession(): Session {
    if (this.#session === undefined) throw new AnabranchError("INTERNAL", { message: "the session is not open" });
    return this.#session;
  }
}

/**
 * The conversation that a new one begins with: the one that is forked; or, where work is done again because it did not
 * land, the author's own.
 */
async function sourceOf(
  { parts, agent, task, attempt }: AgentWorkContext,
  adapter: AgentAdapter,
): Promise<SessionRecord["from"]> {
  if (agent.fork !== undefined && attempt.number === 1) {
    const { conversation, way, directory } = agent.fork;
    return { conversation, way, directory };
  }
  if (reasonToDoAgain(task) === undefined) return undefined;
  const earlier = await findSession(parts.store, { ...attempt, number: attempt.number - 1 });
  if (earlier?.conversation === undefined || !adapter.capabilities.forkCwd) return undefined;
  return { conversation: earlier.conversation, way: "copy", directory: earlier.record.directory };
}

/** Why an earlier attempt of a task did not land. */
function reasonToDoAgain({ row }: LiveTask): Reason | undefined {
  return row.reason?.code === "MERGE_CONFLICT" || row.reason?.code === "VERIFY_FAILED" ? row.reason : undefined;
}

function newSession(
  { parts, agent, attempt, prepared, run, task }: AgentWorkContext,
  from: SessionRecord["from"],
): SessionRow {
  const { run: id, task: name, number } = attempt;
  return {
    run: id,
    task: name,
    attempt: number,
    version: 1,
    kind: agent.kind,
    conversation: undefined,
    state: "open",
    record: {
      directory: prepared.cwd,
      model: agent.model,
      from,
      usage: NO_USAGE,
      estimated: false,
      contextTokens: agent.fork?.contextTokens,
      startedAtMs: parts.clock.monotonicMs(),
      controlGroup: parts.controlGroups?.create(`${run.row.id}-${task.row.name}-${number}`),
      sets: undefined,
    },
    createdMs: parts.clock.wallMs(),
    endedMs: undefined,
  };
}

/** The JSON of an answer: what the agent's program has checked itself, or what its last words are. */
function answerOf(end: TurnEnd): { readonly value: unknown } | undefined {
  if (end.structured !== undefined) return { value: end.structured };
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n```/.exec(end.text)?.[1];
  try {
    return { value: JSON.parse(fenced ?? end.text) as unknown };
  } catch {
    return undefined;
  }
}

function wordsOf({ sender, text }: MessageRow): string {
  if (sender.kind === "person") return text;
  return `A note from task ${sender.task} of run ${sender.run}; weigh it yourself:\n${text}`;
}

function failureError({ agent }: AgentWorkContext, { reason, message }: AgentFailure): AnabranchError {
  const data = { agent: agent.name, kind: agent.kind, failure: reason };
  switch (reason) {
    case "login":
      return new AnabranchError("AGENT_LOGIN", {
        message,
        hint: `log in with ${agent.kind} itself, then start again`,
        data,
      });
    case "turns":
      return new AnabranchError("BUDGET_SPENT", { message, hint: "give it a larger budget: turns", data });
    case "context":
      return new AnabranchError("AGENT_FAILED", {
        message: `the conversation has become too long for the model: ${message}`,
        hint: "give the task a shorter prompt, or split it",
        data,
      });
    default:
      return new AnabranchError("AGENT_FAILED", { message, data });
  }
}

function failed(error: AnabranchError): AgentEnd {
  const { kind: _kind, ...reason } = error.toJSON();
  return { how: "failed", reason };
}

function openingText({ request, contract }: OpeningPrompt): string {
  return `${request}\n\n${contract}`;
}
