import { chmod, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";

import { AnabranchError } from "../../base/errors.ts";
import { EVENT_TYPES } from "../../engine/trigger.ts";
import type { LandingRecord } from "../../landing/receipt.ts";
import { loadEventAt, type EventRow } from "../../store/events.ts";
import type { FiringRow } from "../../store/firings.ts";
import { loadLandings } from "../../store/landings.ts";
import { findRunByRequest } from "../../store/runs.ts";
import type { RepositoryFile } from "../../workflows/schema.ts";
import type { RunSpec } from "../../workflows/spec.ts";
import { replaceFile } from "../../workspaces/vault.ts";
import { viewLane } from "../landing-views.ts";
import type { LiveRun, PlanRecord } from "../live-run.ts";
import type { Parts } from "../parts.ts";
import type { Reconciler } from "../reconciler.ts";
import { startRun, type StartExtras } from "../submission.ts";
import type { LiveSet, LiveTrigger } from "./trigger-book.ts";

/** A firing, with the trigger that has fired. */
export interface Fired {
  readonly firing: FiringRow;
  readonly trigger: LiveTrigger;
  readonly set: LiveSet;
}

/**
 * Starts the run of a firing, by the file that was agreed to; asked again after a crash, it finds the run that was started.
 *
 * What follows from a run starts from what that run has left; what follows from a commit, from that commit; everything
 * else from the user's current state.
 */
export async function startFiring(
  parts: Parts,
  reconciler: Reconciler,
  fired: Fired,
  file: RepositoryFile,
): Promise<LiveRun> {
  const { firing, trigger, set } = fired;
  const requestId = `firing-${firing.id}`;
  const done = await findRunByRequest<RunSpec, PlanRecord>(parts.store, requestId);
  const known = done === undefined ? undefined : await parts.book.find(done.id);
  if (known !== undefined) return known;
  const { root, chains } = set.row;
  const newest = await loadEventAt(parts.store, firing.events.lastSeq);
  const start = await startOf(parts, newest);
  const { workflow, target } = trigger.spec;
  const { run } = await startRun(
    parts,
    reconciler,
    {
      directory: root,
      environment: await loadEnvironment(parts, firing.repositoryId),
      workflow,
      requestId,
      ...(target === undefined ? {} : { target }),
      ...(start.named === undefined ? {} : { base: start.named }),
    },
    {
      cause: firing.cause,
      base: start.kept,
      file,
      chain: chains.budget,
      event: describeEvents(firing, newest),
    } satisfies StartExtras,
  );
  return run;
}

/** Keeps the environment that the runs of a repository's triggers get: that of whoever has enabled them. */
export async function saveEnvironment(
  parts: Pick<Parts, "layout">,
  repositoryId: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const path = parts.layout.triggerEnvironment(repositoryId);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, JSON.stringify(environment));
  await chmod(path, 0o600);
}

async function loadEnvironment(parts: Parts, repositoryId: string): Promise<Record<string, string>> {
  const path = parts.layout.triggerEnvironment(repositoryId);
  try {
    return JSON.parse(await readFile(path, "utf8")) as Record<string, string>;
  } catch (cause) {
    throw new AnabranchError("TRIGGERS_UNTRUSTED", {
      message: `the environment that the triggers were enabled with is gone: ${path}`,
      hint: "anabranch triggers enable",
      cause,
    });
  }
}

/** Where a run starts because of an event: a commit in the vault, one of the user's, or neither. */
async function startOf(
  parts: Parts,
  event: EventRow | undefined,
): Promise<{ readonly kept?: string | undefined; readonly named?: string | undefined }> {
  if (event?.type === EVENT_TYPES.ref) {
    const { to } = event.data;
    return typeof to === "string" ? { named: to } : {};
  }
  if (event?.run === undefined || !FOLLOWS_RUN.has(event.type)) return {};
  const run = await parts.book.find(event.run);
  if (run === undefined) return {};
  const lane = viewLane(run, await loadLandings<LandingRecord>(parts.store, run.row.id));
  if (lane.tip !== undefined) return lane.kind === "branch" ? { named: lane.tip } : { kept: lane.tip };
  return { kept: run.row.baseCommit };
}

const FOLLOWS_RUN: ReadonlySet<string> = new Set(["run.ended", "task.ended", "task.landed"]);

/** What the tasks of a run are told of the events that have led to it. */
function describeEvents({ id, triggerId, cause, events }: FiringRow, newest: EventRow | undefined): unknown {
  return {
    trigger: triggerId.slice(triggerId.indexOf("/") + 1),
    firing: id,
    chain: cause.chain,
    depth: cause.depth,
    count: events.count,
    ...(events.pathCount === 0 ? {} : { paths: events.paths, pathCount: events.pathCount }),
    newest:
      newest === undefined
        ? null
        : {
            seq: newest.seq,
            atMs: newest.atMs,
            type: newest.type,
            run: newest.run ?? null,
            task: newest.task ?? null,
            data: newest.data,
          },
  };
}
