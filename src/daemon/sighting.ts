import { choicesOf, mayCollide, type Writer } from "../engine/forecast.ts";
import type { Side } from "../landing/collision.ts";
import type { AttemptRow } from "../store/attempts.ts";
import type { LiveRun, LiveTask } from "./live-run.ts";

/** An attempt whose work is to land or has, and what has been seen of it. */
export interface Sighting {
  readonly run: LiveRun;
  readonly task: LiveTask;
  attempt: AttemptRow;
  writer: Writer;
  /** What it has changed, as far as that was seen. */
  side: Side | undefined;
  /** Whether that is its changeset, which stays as it is. */
  isFinal: boolean;
  /** Tells whether anything has changed since the last look. */
  stamp: string | undefined;
  /** On the monotonic clock: when it came up, or was last looked at. */
  sinceMs: number;
  /** When it was last looked at, for people. */
  lookedMs: number | undefined;
}

/** A task's newest attempt, before anything has been seen of it; `undefined` where nothing of it is to land. */
export function sightingOf(run: LiveRun, task: LiveTask, sinceMs: number): Sighting | undefined {
  const writer = writerOf(run, task);
  const { attempt } = task;
  if (writer === undefined || attempt === undefined) return undefined;
  return {
    run,
    task,
    attempt,
    writer,
    side: undefined,
    isFinal: false,
    stamp: undefined,
    sinceMs,
    lookedMs: undefined,
  };
}

function writerOf(run: LiveRun, { row, spec, attempt }: LiveTask): Writer | undefined {
  if (spec.writes === "none" || attempt === undefined) return undefined;
  const isWorking = row.state === "working" && row.cancel === undefined;
  const isDone =
    row.state === "captured" || row.state === "landing" || (row.state === "ended" && row.outcome === "succeeded");
  if (!isWorking && !(isDone && (attempt.changeset?.paths ?? 0) > 0)) return undefined;
  return {
    run: row.run,
    task: row.name,
    repository: run.row.repositoryId,
    isWorking,
    endedMs: row.endedMs,
    onLaneSinceMs: attempt.baseCommit === run.row.baseCommit ? undefined : attempt.timings.chosenMs,
    choices: choicesIn(run).get(row.name) ?? [],
    parent: run.row.parent,
  };
}

const choices = new WeakMap<LiveRun, ReadonlyMap<string, readonly number[]>>();

function choicesIn(run: LiveRun): ReadonlyMap<string, readonly number[]> {
  const known = choices.get(run) ?? choicesOf(run.graph, run.row.spec.join);
  choices.set(run, known);
  return known;
}

/** Those of some sightings whose work may collide with that of another one. */
export function withRivals(sightings: ReadonlyMap<string, Sighting>): Map<string, Sighting> {
  const all = [...sightings.values()];
  const isRivalled = ({ writer }: Sighting): boolean => all.some((other) => mayCollide(writer, other.writer));
  return new Map([...sightings].filter(([, sighting]) => isRivalled(sighting)));
}
