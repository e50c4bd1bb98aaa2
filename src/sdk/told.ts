import type { RunSummary } from "../protocol/views.ts";

/** What somebody has been told of who has seen this end: a run, a task, or with its only task its run too. */
export function toldBy(
  end: Pick<RunSummary, "id" | "tasks" | "state"> & { readonly task?: string | undefined; readonly ended: boolean },
): string[] {
  if (!end.ended) return [];
  if (end.task === undefined) return [end.id];
  const isOnly = end.tasks.reduce((sum, { count }) => sum + count, 0) === 1;
  return [`${end.id}/${end.task}`, ...(isOnly && end.state === "ended" ? [end.id] : [])];
}
