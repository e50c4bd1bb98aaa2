import { causeOfFiring, stopOf, type Cause } from "../../engine/cause.ts";
import { matchEvent } from "../../engine/event-match.ts";
import type { TriggerEvent, TriggerSpec } from "../../engine/trigger.ts";
import type { TriggerTrial } from "../../protocol/commands/triggers.ts";
import type { Parts } from "../parts.ts";
import { resolveId } from "../resolve.ts";
import type { TriggerStanding } from "./trigger-desk.ts";
import { describeEffect, describeFlow } from "./trigger-words.ts";

/** An event that somebody asks about; whose run it names, that run's cause it has. */
export interface TriedEvent {
  readonly type: string;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  readonly run?: string | undefined;
  readonly task?: string | undefined;
}

/** What every trigger of a repository would do about an event, without anything happening. */
export async function tryTriggers(
  parts: Parts,
  { row, spec, agreed, triggers, state, repository }: TriggerStanding,
  tried: TriedEvent,
): Promise<TriggerTrial[]> {
  const run = tried.run === undefined ? undefined : (await resolveId(parts, tried.run, repository.root)).run.row;
  const event: TriggerEvent = {
    seq: 0,
    atMs: parts.clock.wallMs(),
    type: tried.type,
    repositoryId: row.id,
    run: run?.id,
    task: tried.task,
    data: { ...(run?.spec.name === undefined ? {} : { workflow: run.spec.name }), ...tried.data },
  };
  const depth = (spec ?? agreed)?.chains.depth ?? 0;
  const written = spec?.triggers ?? triggers.map((one) => one.spec);
  return written.map((trigger) => {
    const paused = triggers.some((one) => one.spec.name === trigger.name && one.state === "paused");
    return tryTrigger(trigger, `${row.id}/${trigger.name}`, event, run?.cause, { depth, paused, state });
  });
}

function tryTrigger(
  spec: TriggerSpec,
  id: string,
  event: TriggerEvent,
  cause: Cause | undefined,
  set: { readonly depth: number; readonly paused: boolean; readonly state: TriggerStanding["state"] },
): TriggerTrial {
  const trial = (fires: boolean, why: string, steps: string[] = []): TriggerTrial => ({
    trigger: spec.name,
    fires,
    why,
    steps,
  });
  const match = matchEvent(spec, id, event);
  if (!match.matches) return trial(false, match.why);
  const stop = stopOf(id, cause, spec.again, set.depth);
  if (stop === "own-work") return trial(false, "it matches, but it has led to this itself");
  if (stop === "depth") return trial(false, `it matches, but ${set.depth} triggers have fired one after another`);
  if (set.paused) return trial(false, "it matches, but it is paused");
  const next = causeOfFiring(id, [cause], () => "");
  const steps = [
    ...describeFlow(spec),
    ...(spec.approval === undefined ? [] : ["asks a person first: anabranch approve"]),
    `${describeEffect(spec)} (depth ${next.depth} of ${set.depth})`,
  ];
  if (set.state !== "enabled")
    return trial(false, `it matches, but the triggers here are not enabled (${set.state})`, steps);
  return trial(true, `it matches${match.paths === undefined ? "" : `: ${match.paths.slice(0, 8).join(", ")}`}`, steps);
}
