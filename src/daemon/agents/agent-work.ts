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
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { AgentAdapter, AgentEvent, AgentFailure, OpenOptions, Session, TurnEnd } from "../../agents/port.ts";
import { pause } from "../../base/clock.ts";
import { AnabranchError, isAnabranchError, toAnabranchError } from "../../base/errors.ts";
import { prepareFileTrace, type FileTrace } from "../../process/file-trace.ts";
import { identify } from "../../process/identity.ts";
import { attemptName, type AttemptRow, type ProcessRecord } from "../../store/attempts.ts";
import type { Statement } from "../../store/port.ts";
import type { Reason } from "../../store/runs.ts";
import type { SessionRow } from "../../store/sessions.ts";
import type { AgentSpec } from "../../workflows/spec.ts";
import { listChangedPaths } from "../../workspaces/glimpse.ts";
import type { LiveRun, LiveTask } from "../live-run.ts";
import type { Parts } from "../parts.ts";
import type { Prepared } from "../preparation.ts";
import { problemWith, writeAnswer } from "./answer.ts";
import { readDigest } from "./digest.ts";
import { failureError, waitAfter } from "./failure-policy.ts";
import { FileSetRecorder } from "./file-sets.ts";
import { createGate } from "./gate.ts";
import { MessageCourier } from "./message-courier.ts";
import { goOnPrompt, mendPrompt, openingPrompt, resumePrompt, type OpeningPrompt } from "./prompt.ts";
import { reasonToDoAgain, sourceOf } from "./conversation-source.ts";
import { newSession, SessionKeeper } from "./session-keeper.ts";
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
  readonly #keeper: SessionKeeper;
  readonly #courier: MessageCourier;
  #session: Session | undefined;
  /** Whether it has used a tool since a request failed. */
  #toolsUsed = false;
  /** Whether nothing was said in it yet. */
  #isNew: boolean;
  #digest: string | undefined;

  private constructor(context: AgentWorkContext, adapter: AgentAdapter, isNew: boolean, row: SessionRow) {
    const { parts, run, attempt, folder, prepared, agent } = context;
    this.#context = context;
    this.#adapter = adapter;
    this.#isNew = isNew;
    // A time on the monotonic clock of an earlier boot means nothing now.
    const startedAtMs = attempt.bootId === parts.clock.bootId ? row.record.startedAtMs : parts.clock.monotonicMs();
    this.#sets = new FileSetRecorder(prepared.workspace.tree, row.record.sets);
    this.#keeper = new SessionKeeper(parts, { ...row, record: { ...row.record, startedAtMs } }, !isNew, this.#sets);
    this.#transcript = new Transcript(folder, run.row.spec.logCapBytes);
    this.#courier = new MessageCourier(context, this.#turns, this.#transcript, () => this.#session);
    this.#trace = this.#prepareTrace();
    this.#again = reasonToDoAgain(context.task);
    if (!isNew) this.#transcript.remark(`${agent.name} is taken up again in the same conversation`);
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
    return this.#keeper.begun;
  }

  /** That transaction is durable. */
  stored(): void {
    this.#keeper.stored();
  }

  /** Its program, as the attempt keeps it; `undefined` where it shares one with others. */
  get process(): ProcessRecord | undefined {
    const { parts } = this.#context;
    const pid = this.#session?.pid;
    const identity = pid === undefined ? undefined : identify(pid, parts.clock);
    return identity === undefined ? undefined : { ...identity, startedAtMs: this.startedAtMs };
  }

  get startedAtMs(): number {
    return this.#keeper.record.startedAtMs;
  }

  get controlGroup(): string | undefined {
    return this.#keeper.record.controlGroup;
  }

  /** Talks until the task is done, fails, or `stop` aborts. It never throws. */
  async converse(stop: AbortSignal): Promise<AgentEnd> {
    const halt = (): void => this.#halt();
    stop.addEventListener("abort", halt);
    try {
      const end = await this.#converse(stop);
      await this.#unlessStopping();
      return end;
    } catch (cause) {
      await this.#unlessStopping();
      return stop.aborted ? { how: "stopped" } : failed(toAnabranchError(cause));
    } finally {
      stop.removeEventListener("abort", halt);
    }
  }

  /** Ends the session: no program of its own is alive then. */
  async finish(): Promise<void> {
    await this.#end();
    await this.#keeper.settled();
  }

  /**
   * What is to be kept of a session that is finished.
   * @param changed the paths in which the workspace differs from its base, where that is known
   */
  kept(changed: readonly string[]): Statement {
    this.#sets.found(changed);
    return this.#keeper.closed;
  }

  async #end(): Promise<void> {
    this.#over.abort();
    await this.#session?.close().catch(() => undefined);
    await this.#courier.end();
    if (this.#trace !== undefined) this.#sets.traced(await this.#trace.take());
    this.#transcript.close();
  }

  async #open(): Promise<void> {
    const { parts, agent, attempt, task } = this.#context;
    const known = this.#isNew ? undefined : this.#keeper.conversation;
    try {
      this.#session = await this.#adapter.open(
        this.#options(known === undefined ? await this.#source() : { resume: known }),
      );
    } catch (cause) {
      if (known === undefined || !isAnabranchError(cause) || cause.code !== "CONVERSATION_UNKNOWN") throw cause;
      // What cannot be taken back is not begun again, whatever its program says of how far it was.
      if (task.spec.effect === "irreversible") throw cause;
      // It was begun, but nothing was said in it yet: there is nothing to go on with.
      this.#isNew = true;
      this.#session = await this.#adapter.open(this.#options(await this.#source()));
    }
    const { conversation } = this.#session;
    if (this.#keeper.conversation !== conversation) await this.#keeper.save({ conversation });
    parts.log("info", "a session is open", { attempt: attemptName(attempt), kind: agent.kind, conversation });
  }

  /** What the conversation begins with: nothing, a copy of another one, or a digest of it. */
  async #source(): Promise<Pick<OpenOptions, "forkFrom">> {
    const { from } = this.#keeper.record;
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
      await this.#unlessStopping();
      shown = undefined;
      await this.#reconcile();
      await this.#keeper.save();
      // What is done just as its budget is spent is done.
      if (stop.aborted && !(isAnabranchError(stop.reason) && end.status === "completed")) return { how: "stopped" };
      const urgent = this.#courier.takeUrgent();
      if (urgent.length > 0) {
        say = await this.#courier.wordsOf(urgent);
        continue;
      }
      if (end.status !== "completed") {
        const failure = end.failure ?? { reason: "other", message: "it was interrupted" };
        const { outputTokens } = this.#keeper.record.usage;
        // The model has answered since the last failure: that one is over.
        const hasAnswered = outputTokens > answeredTokens || this.#toolsUsed;
        if (hasAnswered) [retries, answeredTokens, this.#toolsUsed] = [0, outputTokens, false];
        const waitMs = waitAfter(failure, retries, this.#context.parts.agentRetryMs);
        if (this.#turns.gone !== undefined && returns < MOST_RETURNS) {
          returns += 1;
          await this.#comeBack();
          say = this.#isNew ? openingText(this.#opening()) : resumePrompt();
        } else if (waitMs !== undefined) {
          retries += 1;
          await this.#waitOut(failure, waitMs, stop);
          // What was never answered, some agents forget.
          if (hasAnswered) say = goOnPrompt(failure.reason, this.#opening().request);
        } else return failed(failureError(this.#context.agent, failure));
        continue;
      }
      retries = 0;
      const { task, folder, run } = this.#context;
      const problem = mended ? undefined : await problemWith(task.spec, end);
      if (problem !== undefined) {
        mended = true;
        say = mendPrompt(problem);
        continue;
      }
      const mail = await this.#courier.waiting();
      if (mail.length === 0) {
        writeAnswer(task.spec, end, folder, run.row.spec.logCapBytes);
        return { how: "done" };
      }
      say = await this.#courier.wordsOf(mail);
    }
  }

  /** Never resolves in a daemon that is about to go: the next one takes the conversation up. */
  #unlessStopping(): Promise<void> {
    return this.#context.parts.stopping.aborted ? new Promise(() => undefined) : Promise.resolve();
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
      goesOn: this.#keeper.record.from?.way === "copy" && agent.fork === undefined,
      schema: this.#session?.capabilities.structured === true ? undefined : task.spec.schema,
      digest: this.#digest,
      event: eventOf(prepared.environment),
    });
  }

  /** @param shown what people see of what is said */
  async #turn(say: string, shown = say): Promise<TurnEnd> {
    const session = this.#requireSession();
    this.#transcript.said(shown, "prompt");
    this.#turns.begin();
    await session.send({ text: say, when: "later" });
    // What was posted before the turn began.
    this.#courier.deliver();
    const end = await this.#turns.end();
    await this.#courier.settled();
    await this.#unlessStopping();
    await this.#courier.said(end.status === "completed");
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
    this.#keeper.countAnew();
    await this.#session?.close();
    this.#turns.reset();
    this.#transcript.remark("its program ended; it is started anew in the same conversation");
    this.#isNew = false;
    await this.#open();
  }

  async #waitOut(failure: AgentFailure, waitMs: number, stop: AbortSignal): Promise<void> {
    const { parts, report } = this.#context;
    report(`waiting ${Math.ceil(waitMs / 1000)} s: ${failure.reason}`);
    this.#transcript.remark(`${failure.message}; tried again in ${Math.ceil(waitMs / 1000)} s`);
    await pause(parts.clock, waitMs, stop);
    report("");
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
        this.#toolsUsed = true;
        if (event.request.action === "execute") this.#sets.command();
        return;
      case "usage":
        this.#keeper.used(event.usage, event.model);
        return;
      case "context":
        this.#keeper.measured(event.tokens);
        return;
      case "message.taken":
        this.#courier.taken(event.text);
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

  #requireSession(): Session {
    if (this.#session === undefined) throw new AnabranchError("INTERNAL", { message: "the session is not open" });
    return this.#session;
  }
}

function failed(error: AnabranchError): AgentEnd {
  const { kind: _kind, ...reason } = error.toJSON();
  return { how: "failed", reason };
}

function openingText({ request, contract }: OpeningPrompt): string {
  return `${request}\n\n${contract}`;
}

/** What the run was told of the events that have led to it. */
function eventOf({ ANABRANCH_EVENT: path }: Prepared["environment"]): string | undefined {
  return path === undefined ? undefined : readFileSync(path, "utf8").slice(0, MOST_EVENT_CHARACTERS);
}

const MOST_EVENT_CHARACTERS = 16 * 1024;
