import type { CommandRequest, CommandResponse } from "../protocol/commands.ts";
import type { Meeting } from "./collisions.ts";
import type { Forecaster } from "./forecaster.ts";
import type { Parts } from "./parts.ts";
import { repositoryAround, resolveId } from "./resolve.ts";
import type { Sighting } from "./sighting.ts";

type Prediction = CommandResponse<"predict">;

/** Tells what can be seen by now of how the work of tasks will merge. */
export async function predict(
  parts: Parts,
  forecaster: Forecaster,
  request: CommandRequest<"predict">,
): Promise<Prediction> {
  const isAsked = await filterFor(parts, request);
  const { sightings, meetings } = forecaster.seen();
  return {
    meetings: meetings.filter(({ between }) => between.some(isAsked)).map(viewMeeting),
    watched: sightings.filter((one) => one.writer.isWorking && isAsked(one)).map(viewWatched),
  };
}

async function filterFor(
  parts: Parts,
  { id, directory }: CommandRequest<"predict">,
): Promise<(sighting: Sighting) => boolean> {
  if (id === undefined) {
    const repositoryId = await repositoryAround(parts, directory);
    return ({ writer }) => writer.repository === repositoryId;
  }
  const { run, task } = await resolveId(parts, id, directory);
  return ({ writer }) => writer.run === run.row.id && (task === undefined || writer.task === task.row.name);
}

function viewMeeting({ between, collision, sinceMs }: Meeting): Prediction["meetings"][number] {
  return {
    status: collision.status,
    between: between.map(({ writer: { run, task } }) => ({ run, task })),
    paths: collision.paths.map(({ path, kind }) => ({ path, ...(kind === undefined ? {} : { kind }) })),
    sinceMs,
  };
}

function viewWatched({ writer: { run, task }, side, lookedMs }: Sighting): Prediction["watched"][number] {
  return {
    run,
    task,
    ...(lookedMs === undefined ? {} : { lookedMs }),
    ...(side === undefined ? {} : { paths: side.changes.length }),
  };
}
