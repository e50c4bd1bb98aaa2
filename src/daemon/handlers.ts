import { delay } from "../base/clock.ts";
import { AnabranchError } from "../base/errors.ts";
import { requireReading } from "../git/read-only.ts";
import type { CommandName, CommandRequest, CommandResponse, StreamName, StreamRequest } from "../protocol/commands.ts";
import { PROTOCOL_VERSION } from "../protocol/wire.ts";
import { findRunByRequest, loadRuns } from "../store/runs.ts";
import { countTasks } from "../store/tasks.ts";
import type { RunSpec } from "../workflows/spec.ts";
import { findParent, type CallerClaims } from "./caller.ts";
import { collectGarbage } from "./collect.ts";
import type { Accepter } from "./accepter.ts";
import type { DaemonConfig } from "./config.ts";
import { examine, type DoctorContext } from "./doctor.ts";
import type { Emitter } from "./events/emitter.ts";
import type { Retention } from "./events/retention.ts";
import type { ConflictDesk } from "./conflict-desk.ts";
import type { Forecaster } from "./forecaster.ts";
import type { Lander } from "./lander.ts";
import { streamEvents } from "./events/event-stream.ts";
import { createDefinitionHandlers } from "./agents/definition-handlers.ts";
import { createSessionHandlers } from "./agents/session-handlers.ts";
import { createBackgroundHandlers } from "./background-handlers.ts";
import { addressOf, createInboxHandlers, streamInbox } from "./inbox-handlers.ts";
import { createEventHandlers } from "./events/event-handlers.ts";
import { viewChain } from "./events/trigger-views.ts";
import { createWebhookHandlers } from "./events/webhook-handlers.ts";
import type { TriggerDesk } from "./events/trigger-desk.ts";
import type { TriggerEngine } from "./events/trigger-engine.ts";
import type { WebhookServer } from "../triggers/webhook-server.ts";
import { createLandingHandlers } from "./landing-handlers.ts";
import { createLeaseHandlers } from "./lease-handlers.ts";
import type { LiveRun, PlanRecord } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { predict } from "./predict.ts";
import type { Reconciler } from "./reconciler.ts";
import { repositoryAround, resolveId, type Resolved } from "./resolve.ts";
import { streamDiff, streamLogs, streamRun, type Send } from "./streams.ts";
import { planRun, startRun } from "./submission.ts";
import type { Verifier } from "./verifier.ts";
import { countStates, summarize, viewPlannedRun, viewRun } from "./views.ts";

/** What the handlers work with. */
export interface HandlerContext extends DoctorContext {
  readonly parts: Parts;
  readonly reconciler: Reconciler;
  readonly accepter: Accepter;
  readonly lander: Lander;
  readonly verifier: Verifier;
  readonly desk: ConflictDesk;
  readonly forecaster: Forecaster;
  readonly triggers: { readonly desk: TriggerDesk; readonly engine: TriggerEngine };
  readonly retention: Retention;
  readonly emitter: Emitter;
  readonly hooks: WebhookServer;
  readonly config: DaemonConfig;
  readonly version: string;
  readonly startedMs: number;
  /** Ends the daemon once the answer is out. */
  readonly stop: () => void;
}

/** Answers one command. */
type Handler<Name extends CommandName> = (
  request: CommandRequest<Name>,
  caller: CallerClaims,
  signal: AbortSignal,
) => Promise<CommandResponse<Name>>;

/** The handlers of all commands. */
export type Handlers = { readonly [Name in CommandName]: Handler<Name> };

/** Serves one stream. */
type Streamer<Name extends StreamName> = (
  request: StreamRequest<Name>,
  send: Send<Name>,
  signal: AbortSignal,
  caller: CallerClaims,
) => Promise<void>;

/** The servers of all streams. */
export type Streamers = { readonly [Name in StreamName]: Streamer<Name> };

/** Makes the handlers of all commands. */
export function createHandlers(context: HandlerContext): Handlers {
  const { parts, reconciler, accepter } = context;
  const starting = new Map<string, Promise<{ run: LiveRun; notices: string[] }>>();
  const start = async (
    request: CommandRequest<"start">,
    caller: CallerClaims,
  ): Promise<{ run: LiveRun; notices: string[] }> => {
    const done = await findRunByRequest<RunSpec, PlanRecord>(parts.store, request.requestId);
    const known = done === undefined ? undefined : await parts.book.find(done.id);
    if (known !== undefined) return { run: known, notices: [...known.row.plan.notices] };
    const parent = await findParent(parts, caller);
    return startRun(parts, reconciler, request, {
      parent,
      asker: parent === undefined ? caller.conversation : undefined,
    });
  };
  return {
    async status() {
      await parts.hold.look();
      const { working, ready } = reconciler.counts();
      return {
        pid: process.pid,
        version: context.version,
        protocol: PROTOCOL_VERSION,
        node: process.versions.node,
        home: context.state,
        startedMs: context.startedMs,
        memoryBytes: process.memoryUsage.rss(),
        activeRuns: parts.book.all().filter((run) => run.unended > 0).length,
        workingTasks: working,
        readyTasks: ready,
        ...(parts.hold.why === undefined ? {} : { held: parts.hold.why }),
      };
    },

    async start(request, caller) {
      // Asked again while the first asking is under way, it is the same start.
      const under = starting.get(request.requestId) ?? start(request, caller);
      starting.set(request.requestId, under);
      try {
        const { run, notices } = await under;
        return { run: await viewRun(parts, run), notices };
      } finally {
        starting.delete(request.requestId);
      }
    },

    async plan(request) {
      const planned = await planRun(parts, request);
      const { name } = planned.spec;
      const chain =
        name === undefined ? undefined : viewChain(await context.triggers.desk.look(request.directory), name);
      return { ...viewPlannedRun(planned), ...(chain === undefined ? {} : { chain }) };
    },

    async list(request) {
      const repositoryId = await repositoryAround(parts, request.directory);
      const { limit = 20, skip = 0 } = request;
      const rows = await loadRuns<RunSpec, PlanRecord>(parts.store, { limit, skip, repositoryId });
      const counts = await countTasks(
        parts.store,
        rows.map((row) => row.id),
      );
      return rows.map((row) =>
        summarize(
          row,
          (counts.get(row.id) ?? []).map(({ state, outcome, count }) => ({
            state,
            ...(outcome === undefined ? {} : { outcome }),
            count,
          })),
        ),
      );
    },

    async show(request) {
      const { run } = await resolveId(parts, request.id, request.directory);
      if (run.row.state === "ended")
        await Promise.race([reconciler.settled(run.row.id), delay(parts.clock, MOST_SETTLING_MS)]);
      return viewRun(parts, run);
    },

    async wait(request, caller, signal) {
      const resolved = await Promise.all(request.ids.map((id) => resolveId(parts, id, request.directory)));
      const over = await beginWaiting(parts, caller, async () => resolved.map(({ run }) => run.row.id));
      await waitForEnds(parts, resolved, request.any === true, request.timeoutMs, signal).finally(over);
      return resolved.map(({ run, task }) => {
        const row = task?.row ?? run.row;
        return {
          ...summarize(run.row, countStates(run)),
          ...(row.outcome === undefined ? {} : { outcome: row.outcome }),
          ...(task === undefined ? {} : { task: task.row.name }),
          ended: row.state === "ended",
        };
      });
    },

    async cancel(request) {
      const { run, task } = await resolveId(parts, request.id, request.directory);
      return reconciler.cancel(run, task?.row.name, request.force === true);
    },

    async accept(request, _caller, signal) {
      const { run, task } = await resolveId(parts, request.id, request.directory);
      if (task !== undefined && run.tasks.size > 1) {
        throw new AnabranchError("USAGE", {
          message: `${request.id} is one task of run ${run.row.id}; accepting is about all that a run has landed`,
          hint: `anabranch accept ${run.row.id}, or take this task's change alone: anabranch diff ${run.row.id}/${task.row.name} | git apply`,
        });
      }
      return request.undo === true ? accepter.undo(run, request) : accepter.accept(run, request, signal);
    },

    ...createLandingHandlers(context),
    ...createBackgroundHandlers(context),
    ...createInboxHandlers(context),
    ...createSessionHandlers(context),
    ...createDefinitionHandlers(context),
    ...createLeaseHandlers(context),
    emit: (request, caller) => context.emitter.emit(request, caller),
    ...createEventHandlers(context),
    ...createWebhookHandlers(context),
    predict: (request) => predict(parts, context.forecaster, request),

    gc: (request) => collectGarbage(parts, context.retention, request, context.config.keepMs),

    doctor: ({ environment }) => examine(parts, context, environment),

    async stop(request) {
      const going = reconciler.counts().working;
      if (request.cancel === true) {
        const runs = parts.book.all().filter((run) => run.unended > 0);
        await Promise.all(runs.map((run) => reconciler.cancel(run, undefined, false)));
        await waitForEnds(
          parts,
          runs.map((run) => ({ run, task: undefined })),
          false,
          undefined,
          new AbortController().signal,
          true,
        );
      }
      reconciler.stop();
      context.stop();
      return {
        pid: process.pid,
        goingOn: request.cancel === true ? 0 : going,
        cancelled: request.cancel === true ? going : 0,
      };
    },
  };
}

/** How long a report waits for workspaces to be given back, which may tell what was thrown away. */
const MOST_SETTLING_MS = 5000;

/**
 * Waits until all of some runs or tasks have ended, or any of them.
 * @param detachedToo whether a run's detached tasks count
 */
async function waitForEnds(
  parts: Parts,
  wanted: readonly Resolved[],
  any: boolean,
  timeoutMs: number | undefined,
  signal: AbortSignal,
  detachedToo = false,
): Promise<void> {
  const hasEnded = ({ run, task }: Resolved): boolean =>
    task === undefined ? run.row.state === "ended" && (!detachedToo || run.unended === 0) : task.row.state === "ended";
  const isDone = (): boolean => (any ? wanted.some(hasEnded) : wanted.every(hasEnded));
  if (isDone()) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      stop();
      cancelTimer();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const stop = parts.book.onChange(() => {
      if (isDone()) end();
    });
    const cancelTimer = timeoutMs === undefined ? () => undefined : parts.clock.after(timeoutMs, end);
    signal.addEventListener("abort", end);
  });
}

/** A caller begins to wait for runs. Only for one that is an agent it matters, and those say who they are. */
async function beginWaiting(
  parts: Parts,
  caller: CallerClaims,
  runs: () => Promise<readonly string[]>,
): Promise<() => void> {
  if (caller.marker === undefined && caller.conversation === undefined) return () => undefined;
  return parts.waiting.begin(await addressOf(parts, caller), await runs());
}

/** Makes the servers of all streams. */
export function createStreamers({ parts }: HandlerContext): Streamers {
  return {
    events: (request, send, signal) => streamEvents(parts, request, send, signal),
    async watch(request, send, signal, caller) {
      const over = await beginWaiting(parts, caller, async () => [
        (await resolveId(parts, request.id, request.directory)).run.row.id,
      ]);
      await streamRun(parts, request, send, signal).finally(over);
    },
    inbox: (request, send, signal, caller) => streamInbox(parts, request, send, signal, caller),
    logs: (request, send, signal) => streamLogs(parts, request, send, signal),
    diff: (request, send, signal) => streamDiff(parts, request, send, signal),
    async git(request, send, signal) {
      const args = requireReading(request.args);
      const repositoryId = await repositoryAround(parts, request.directory);
      if (repositoryId === undefined) {
        throw new AnabranchError("NOT_FOUND", {
          message: `Anabranch keeps no vault for ${request.directory} yet`,
          hint: "start a run here first",
        });
      }
      const place = parts.vaultOf(repositoryId).place;
      const onOutput = (piece: Buffer): Promise<void> =>
        send({ type: "piece", data: { bytes: piece.toString("base64") } });
      const end = await parts.git.run(place, args, { onOutput, signal, allow: [1, 2, 128, 129] });
      if (end.stderr !== "") await send({ type: "complaint", data: { text: end.stderr } });
      await send({ type: "end", data: { status: end.status ?? 1 } });
    },
  };
}
