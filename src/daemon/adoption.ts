import { AnabranchError } from "../base/errors.ts";
import type { StartingTask } from "../store/runs.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/**
 * Gives a run to the task that asks for it, or to the person: cancelling that task cancels the run, its budget counts
 * there, and its outcome is told there.
 *
 * A task may adopt what it or one of its own runs has started, and what belongs to no task at work.
 *
 * @returns whether it was the asker's before
 * @throws {AnabranchError} `CANNOT_ADOPT`, `TOO_DEEP`, `TOO_MANY_CHILDREN`
 */
export async function adoptRun(parts: Parts, run: LiveRun, by: StartingTask | undefined): Promise<boolean> {
  const { owner } = run.row;
  if (isSame(run.row.parent, by) && isSame(owner, by)) return true;
  if (run.unended === 0) throw refusal(run, by, "it is over: there is nothing left to own", "anabranch show");
  if (by === undefined) {
    await move(parts, run, undefined);
    return false;
  }
  const adopter = parts.book.get(by.run);
  if (adopter?.row.repositoryId !== run.row.repositoryId) {
    throw refusal(run, by, "it belongs to another repository", "anabranch wait");
  }
  if (await isBelow(parts, by.run, run.row.id)) {
    throw refusal(run, by, "the task that asks was started by it", "anabranch show");
  }
  const isFree = owner === undefined || !parts.book.isLive(owner);
  if (!isFree && !(await isOwn(parts, owner, by))) {
    const whose = `it belongs to task ${owner.task} of run ${owner.run}, which is at work`;
    throw refusal(run, by, whose, "anabranch wait");
  }
  const admitted = await parts.children.admit(by, isSame(owner, by) ? 0 : run.unended);
  try {
    await move(parts, run, by);
  } finally {
    admitted();
  }
  return false;
}

async function move(parts: Parts, run: LiveRun, by: StartingTask | undefined): Promise<void> {
  await parts.book.adopt(run, by);
  parts.spending.move(run);
}

/** Whether an owner is the task itself, or is below it. */
async function isOwn(parts: Parts, owner: StartingTask, by: StartingTask): Promise<boolean> {
  for (let at: StartingTask | undefined = owner; at !== undefined; at = (await parts.book.find(at.run))?.row.parent) {
    if (isSame(at, by)) return true;
  }
  return false;
}

/** Whether a run is, or was started below, another one. */
async function isBelow(parts: Parts, run: string, other: string): Promise<boolean> {
  for (let at: string | undefined = run; at !== undefined; at = (await parts.book.find(at))?.row.parent?.run) {
    if (at === other) return true;
  }
  return false;
}

function isSame(one: StartingTask | undefined, other: StartingTask | undefined): boolean {
  return one?.run === other?.run && one?.task === other?.task;
}

function refusal({ row }: LiveRun, by: StartingTask | undefined, why: string, instead: string): AnabranchError {
  return new AnabranchError("CANNOT_ADOPT", {
    message: `run ${row.id} cannot be adopted${by === undefined ? "" : ` by task ${by.task} of run ${by.run}`}: ${why}`,
    hint: `${instead} ${row.id}`,
    data: {
      run: row.id,
      ...(by === undefined ? {} : { by }),
      ...(row.owner === undefined ? {} : { owner: row.owner }),
    },
  });
}
