import { closest } from "../base/closest.ts";
import { AnabranchError } from "../base/errors.ts";
import { findRepository } from "../git/repository.ts";
import { findRepositoryRow } from "../store/repositories.ts";
import { findRunIds, loadRuns } from "../store/runs.ts";
import type { LiveRun, LiveTask, PlanRecord } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import type { RunSpec } from "../workflows/spec.ts";

/** What an id stands for: a run, or one of its tasks. */
export interface Resolved {
  readonly run: LiveRun;
  readonly task: LiveTask | undefined;
}

/** How many of the newest runs are searched for a name. */
const SEARCHED_RUNS = 200;

/**
 * Finds what a person means: `RUN`, `RUN/TASK`, the unique start of a run's id, `@last`, `@last~2`, the name of a
 * workflow (its newest run), or the name of a task of the newest run. Names and `@last` mean the repository around
 * the folder, where there is one.
 *
 * @throws {AnabranchError} `NOT_FOUND`, `AMBIGUOUS_ID`
 */
export async function resolveId(parts: Parts, id: string, directory: string | undefined): Promise<Resolved> {
  const at = id.indexOf("/");
  const [word, taskName] = at < 0 ? [id, undefined] : [id.slice(0, at), id.slice(at + 1)];
  const run = await findByWord(parts, word, directory);
  if (run !== undefined) return { run, task: taskName === undefined ? undefined : requireTask(run, taskName) };
  const latest = taskName === undefined ? await findLast(parts, 0, directory) : undefined;
  const task = latest?.tasks.get(word);
  if (latest !== undefined && task !== undefined) return { run: latest, task };
  throw new AnabranchError("NOT_FOUND", {
    message: `there is no run or task ${JSON.stringify(id)}`,
    hint: "anabranch ls",
    data: { id },
  });
}

/** Like {@link resolveId}, for commands about one task: a run with a single task stands for it. */
export async function resolveTask(
  parts: Parts,
  id: string,
  directory: string | undefined,
): Promise<{ run: LiveRun; task: LiveTask }> {
  const { run, task } = await resolveId(parts, id, directory);
  if (task !== undefined) return { run, task };
  const [only, ...others] = [...run.tasks.values()];
  if (only !== undefined && others.length === 0) return { run, task: only };
  const names = [...run.tasks.keys()];
  throw new AnabranchError("AMBIGUOUS_ID", {
    message: `run ${run.row.id} has ${names.length} tasks: ${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}`,
    hint: `name one: ${run.row.id}/${names[0]}`,
    data: { run: run.row.id, tasks: names },
  });
}

async function findByWord(parts: Parts, word: string, directory: string | undefined): Promise<LiveRun | undefined> {
  const last = /^@last(?:~(\d{1,6}))?$/.exec(word);
  if (last !== null) {
    const run = await findLast(parts, Number(last[1] ?? 0), directory);
    if (run !== undefined) return run;
    throw new AnabranchError("NOT_FOUND", { message: `there is no run ${word} here`, hint: "anabranch ls --all" });
  }
  const ids = /^[0-9a-z]+$/.test(word) ? await findRunIds(parts.store, word) : [];
  if (ids.includes(word) || ids.length === 1) return parts.book.find(ids.includes(word) ? word : (ids[0] ?? word));
  if (ids.length > 1 && word.length > 3) {
    throw new AnabranchError("AMBIGUOUS_ID", {
      message: `${word} is the start of several runs: ${ids.join(", ")}`,
      hint: "give more characters",
      data: { ids },
    });
  }
  return findByName(parts, word, directory);
}

async function findByName(parts: Parts, name: string, directory: string | undefined): Promise<LiveRun | undefined> {
  const repositoryId = await repositoryAround(parts, directory);
  const rows = await loadRuns<RunSpec, PlanRecord>(parts.store, { limit: SEARCHED_RUNS, repositoryId });
  const found = rows.find((row) => row.spec.name === name);
  return found === undefined ? undefined : parts.book.find(found.id);
}

async function findLast(parts: Parts, skip: number, directory: string | undefined): Promise<LiveRun | undefined> {
  const repositoryId = await repositoryAround(parts, directory);
  const [row] = await loadRuns<RunSpec, PlanRecord>(parts.store, { limit: 1, skip, repositoryId });
  return row === undefined ? undefined : parts.book.find(row.id);
}

/** The id of the repository around a folder, if Anabranch has worked on it. */
export async function repositoryAround(parts: Parts, directory: string | undefined): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  const repository = await findRepository(parts.git, directory).catch(() => undefined);
  if (repository === undefined) return undefined;
  return (await findRepositoryRow(parts.store, repository.commonDirectory))?.id;
}

function requireTask(run: LiveRun, name: string): LiveTask {
  const task = run.tasks.get(name);
  if (task !== undefined) return task;
  const names = [...run.tasks.keys()];
  const meant = closest(name, names);
  throw new AnabranchError("NOT_FOUND", {
    message: `run ${run.row.id} has no task ${JSON.stringify(name)}`,
    hint:
      meant === undefined ? `its tasks are: ${names.slice(0, 20).join(", ")}` : `did you mean ${run.row.id}/${meant}?`,
    data: { run: run.row.id, tasks: names },
  });
}
