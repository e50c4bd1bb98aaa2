import { resolve } from "node:path";

import { newId, systemRandom } from "../base/ids.ts";
import type {
  CommandName,
  CommandRequest,
  CommandResponse,
  StreamMessage,
  StreamName,
  StreamRequest,
} from "../protocol/commands.ts";
import type {
  AgentDefinitionView,
  EventView,
  InboxEntryView,
  LeaseView,
  NoticeView,
  PlanView,
  RunSummary,
} from "../protocol/views.ts";
import type { WorkflowDefinition } from "../workflows/schema.ts";
import { DaemonLink, type ConnectOptions } from "./daemon-link.ts";
import { forkRequest, type ForkOptions } from "./fork-options.ts";
import { createRunHandle, type RunHandle } from "./run-handle.ts";
import { definedVariables, startRequest, type StartOptions } from "./start-options.ts";
import { toldBy } from "./told.ts";

/** What a copy of a conversation is expected to cost before it does anything. */
export type ForkEstimate = CommandResponse<"fork">["estimate"];

/**
 * A client of the daemon.
 *
 * @example
 * const anabranch = await connect();
 * const run = await anabranch.start({ tasks: { tests: "npm test", lint: "npm run lint" } });
 * console.log((await run.wait()).outcome);
 * anabranch.close();
 */
export class Anabranch {
  readonly #link: DaemonLink;

  constructor(options: ConnectOptions = {}) {
    this.#link = new DaemonLink(options);
  }

  /** Starts a run and resolves once it is recorded; its tasks then start by themselves. */
  async start(options: StartOptions): Promise<RunHandle> {
    const { run } = await this.ask("start", startRequest(options, this.#link.environment));
    return createRunHandle(run, this);
  }

  /** Starts a run that nobody waits for and resolves with its id. It survives this process and the daemon's restart. */
  async spawn(options: StartOptions): Promise<string> {
    return (await this.start(options)).id;
  }

  /** Thinks a run through without starting it. */
  plan(options: StartOptions): Promise<PlanView> {
    return this.ask("plan", startRequest(options, this.#link.environment));
  }

  /** A run that was started earlier, by any name `anabranch show` takes. */
  async run(id: string, directory = process.cwd()): Promise<RunHandle> {
    return createRunHandle(await this.ask("show", { id, directory }), this);
  }

  /** Resolves when all of the runs or tasks have ended, or with `any` the first. */
  async wait(
    ids: string | readonly string[],
    options: { readonly any?: boolean; readonly timeoutMs?: number; readonly directory?: string } = {},
  ): Promise<(RunSummary & { readonly task?: string | undefined; readonly ended: boolean })[]> {
    const list = typeof ids === "string" ? [ids] : [...ids];
    const ends = await this.ask("wait", { ids: list, directory: process.cwd(), ...options });
    await this.acknowledge(ends.flatMap(toldBy));
    return ends;
  }

  /** Stops a run with all it started, or one task. */
  async cancel(id: string, options: { readonly force?: boolean; readonly directory?: string } = {}): Promise<void> {
    await this.ask("cancel", { id, directory: process.cwd(), ...options });
  }

  /** Makes a run belong to the task that calls this itself, or outside of tasks to the person. */
  adopt(id: string, directory = process.cwd()): Promise<CommandResponse<"adopt">> {
    return this.ask("adopt", { id, directory });
  }

  /**
   * Lands the work of a task that has ended without it, or a conflict once it is fixed: `ID` is `RUN/TASK`, or a
   * conflict's id. It is verified like everything that lands.
   */
  land(id: string, directory = process.cwd()): Promise<CommandResponse<"land">> {
    return this.ask("land", { id, directory, environment: definedVariables(this.#link.environment) });
  }

  /** Opens a conflict in a workspace, to be fixed there. */
  openConflict(id: string): Promise<CommandResponse<"conflicts-open">> {
    return this.ask("conflicts-open", { id, environment: definedVariables(this.#link.environment) });
  }

  /** Takes a side of a conflict, for one path or for all; lands when every path has one. */
  takeSide(id: string, side: "ours" | "theirs", path?: string): Promise<CommandResponse<"conflicts-take">> {
    const environment = definedVariables(this.#link.environment);
    return this.ask("conflicts-take", { id, side, environment, ...(path === undefined ? {} : { path }) });
  }

  /** The agents that can be named in a repository, and whether they can run here. */
  agents(directory = process.cwd()): Promise<CommandResponse<"agents">> {
    return this.ask("agents", { directory: resolve(directory), environment: definedVariables(this.#link.environment) });
  }

  /** All that is known of one agent: also what it brings that must be agreed to before it is used. */
  agent(name: string, directory = process.cwd()): Promise<AgentDefinitionView> {
    const environment = definedVariables(this.#link.environment);
    return this.ask("agents-show", { name, directory: resolve(directory), environment });
  }

  /** Agrees to what an agent of a repository brings, as it was seen with {@link Anabranch.agent}. */
  trustAgent({ name, contentHash }: AgentDefinitionView, directory = process.cwd()): Promise<AgentDefinitionView> {
    const environment = definedVariables(this.#link.environment);
    return this.ask("agents-trust", { name, contentHash, directory: resolve(directory), environment });
  }

  /** Says something to the agent that is at work on a task. */
  message(
    id: string,
    text: string,
    options: { readonly when?: "now" | "next" | "later"; readonly directory?: string } = {},
  ): Promise<CommandResponse<"message">> {
    return this.ask("message", { id, text, directory: process.cwd(), ...options });
  }

  /**
   * What has ended, or needs a person, that the caller was not told of yet: a task of ours, a conversation, or a person.
   * Whoever has dealt with an entry says so with {@link Anabranch.acknowledge}; until then it comes again, under its id.
   */
  async inbox(options: CommandRequest<"inbox"> = {}): Promise<InboxEntryView[]> {
    return (await this.ask("inbox", options)).entries;
  }

  /** Says that the caller was told: by ids of entries, of runs, or `RUN/TASK`. Where that is lost, it is told again. */
  async acknowledge(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.ask("acknowledge", { ids: [...ids] }).catch(() => undefined);
  }

  /** What waits for a person. */
  needsYou(directory?: string): Promise<NoticeView[]> {
    return this.ask("needs-you", directory === undefined ? {} : { directory });
  }

  /** Answers what waits for a person: its id, or the task that has only one. */
  approve(id: string, approved: boolean, reason?: string): Promise<NoticeView> {
    return this.ask("approve", { id, approved, ...(reason === undefined ? {} : { reason }) });
  }

  /**
   * Copies a conversation into workspaces of its own, one for each prompt; without prompts, only says what that costs.
   * @param options `source`: a task, or an agent's own id of a conversation; default: the newest in the folder
   */
  async fork(options: ForkOptions): Promise<{ readonly estimate: ForkEstimate; readonly run: RunHandle | undefined }> {
    const { estimate, run } = await this.ask("fork", forkRequest(options, this.#link.environment));
    return { estimate, run: run === undefined ? undefined : createRunHandle(run, this) };
  }

  /**
   * Takes the exclusive right to write some paths, for a task that calls this itself. Others are told, have to wait or
   * are refused, and what they have changed there lands later.
   */
  claim(
    scope: readonly string[],
    options: { readonly ttlMs?: number; readonly directory?: string } = {},
  ): Promise<LeaseView> {
    return this.ask("claim", { directory: process.cwd(), ...options, scope: [...scope] });
  }

  /** Gives up what the calling task has claimed. */
  release(id: string): Promise<LeaseView> {
    return this.ask("release", { id });
  }

  /** Who may write where, in the repository around a folder. */
  leases(directory = process.cwd()): Promise<LeaseView[]> {
    return this.ask("leases", { directory });
  }

  /** The webhooks that triggers wait for, in the repository around a folder or in all; for people, with their secrets. */
  webhooks({ directory, secrets = false }: { directory?: string | undefined; secrets?: boolean } = {}): Promise<
    CommandResponse<"webhooks">
  > {
    return this.ask(secrets ? "webhooks-show" : "webhooks", directory === undefined ? {} : { directory });
  }

  /** Makes another secret for a webhook. */
  rotateWebhook(hook: string, directory = process.cwd()): Promise<CommandResponse<"webhooks-rotate">> {
    return this.ask("webhooks-rotate", { directory, hook });
  }

  /**
   * Events in the order they were committed; with `follow`, also those to come.
   * @param onReset is told where some of what was asked for is kept no more, and what the first is that may be
   */
  async *events(
    options: StreamRequest<"events"> = {},
    onReset: (oldestSeq: number) => void = () => undefined,
  ): AsyncGenerator<EventView, void, undefined> {
    let { afterSeq = 0 } = options;
    for await (const message of this.#link.resume("events", () => ({ ...options, afterSeq }))) {
      if (message.type === "reset") onReset(message.data.oldestSeq);
      else {
        afterSeq = message.data.seq;
        yield message.data;
      }
    }
  }

  /**
   * Appends an event of one's own, `custom.NAME`, that triggers may wait for. Inside a task it belongs to what led to it.
   * @param options `inMs`, `at`: when, where not at once; `key`: the same name and key make one event
   * @throws {AnabranchError} `EVENT_INVALID`
   */
  emit(
    name: string,
    data: Readonly<Record<string, unknown>> = {},
    options: {
      readonly key?: string;
      readonly inMs?: number;
      readonly at?: Date;
      /** A folder inside the repository. Default: the current one. */
      readonly directory?: string;
    } = {},
  ): Promise<CommandResponse<"emit">> {
    const { key = newId(systemRandom, 24), inMs, at, directory } = options;
    return this.ask("emit", {
      name,
      data,
      directory: resolve(directory ?? process.cwd()),
      // Asked again because the daemon went away, it is the same event.
      key,
      ...(inMs === undefined ? {} : { inMs }),
      ...(at === undefined ? {} : { atMs: at.getTime() }),
    });
  }

  /** Gives any command of the protocol. One the daemon did not answer, because it went away, is given again. */
  ask<Name extends CommandName>(
    name: Name,
    request: CommandRequest<Name>,
    signal?: AbortSignal,
  ): Promise<CommandResponse<Name>> {
    return this.#link.ask(name, request, signal);
  }

  /** Follows a run until it ends, also across a restart of the daemon. */
  watch(
    request: StreamRequest<"watch">,
    signal?: AbortSignal,
  ): AsyncGenerator<StreamMessage<"watch">, void, undefined> {
    return this.#link.resume("watch", () => request, signal);
  }

  /** Opens any stream of the protocol. One that is cut off in the middle is not opened again. */
  stream<Name extends StreamName>(
    name: Name,
    request: StreamRequest<Name>,
    signal?: AbortSignal,
  ): AsyncGenerator<StreamMessage<Name>, void, undefined> {
    return this.#link.stream(name, request, signal);
  }

  /** Lets go of the daemon. Runs go on. */
  close(): void {
    this.#link.close();
  }
}

/**
 * Connects to the user's daemon, starting it where none runs.
 *
 * @throws {AnabranchError} `DAEMON_START_FAILED`, `DAEMON_VERSION` and whatever keeps the daemon from starting
 * @example
 * const anabranch = await connect();
 */
export async function connect(options: ConnectOptions = {}): Promise<Anabranch> {
  const anabranch = new Anabranch(options);
  await anabranch.ask("status", {});
  return anabranch;
}

/**
 * Names a workflow's type, so that an editor checks it while it is written.
 *
 * @example
 * const check = defineWorkflow({ tasks: { tests: { run: "npm test", writes: "none" } } });
 * await anabranch.start({ definition: check });
 */
export function defineWorkflow(workflow: WorkflowDefinition): WorkflowDefinition {
  return workflow;
}
