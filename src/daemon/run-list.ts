import type { CommandResponse } from "../protocol/commands.ts";
import type { NoticeRow } from "../store/notices.ts";
import { loadRuns, type RunRow } from "../store/runs.ts";
import { countTasks } from "../store/tasks.ts";
import type { RunSpec } from "../workflows/spec.ts";
import type { LiveRun, PlanRecord } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { countStates, summarize } from "./views.ts";
import { waitsFor } from "./waiting.ts";

type Overview = CommandResponse<"overview">;
type ListedRun = Overview["runs"][number];

/** Which runs to list. */
export interface RunListQuery {
  readonly limit: number;
  readonly repositoryId: string | undefined;
  /** What waits for a person. */
  readonly notices: readonly NoticeRow[];
}

const MOST_WAITS = 3;

/** Lists what waits for a person, what has work left and what has ended, each the newest first. */
export async function listRuns(
  parts: Parts,
  { limit, repositoryId, notices }: RunListQuery,
): Promise<Pick<Overview, "runs" | "runningLeft">> {
  const asking = new Set(notices.map(({ run }) => run));
  const live = parts.book
    .all()
    .filter(({ row, unended }) => unended > 0 && (repositoryId === undefined || row.repositoryId === repositoryId))
    .toSorted((a, b) => b.row.createdMs - a.row.createdMs);
  const first = live.filter(({ row }) => asking.has(row.id));
  const rest = live.filter(({ row }) => !asking.has(row.id));
  const open = [
    ...first.map((run) => ({ run, group: "needs-you" as const })),
    ...rest.map((run) => ({ run, group: "running" as const })),
  ];
  const shown = open.slice(0, limit).map(({ run, group }) => listLive(parts, run, group));
  const ended = shown.length === limit ? [] : await listEnded(parts, repositoryId, limit, limit - shown.length);
  return { runs: [...shown, ...ended], runningLeft: open.length - shown.length };
}

function listLive(parts: Parts, run: LiveRun, group: ListedRun["group"]): ListedRun {
  const waits = [...run.tasks.values()].flatMap((task) => {
    const reason = waitsFor(parts, run, task);
    return reason === undefined ? [] : [{ task: task.row.name, reason }];
  });
  return {
    ...summarize(run.row, countStates(run)),
    group,
    waits: waits.slice(0, MOST_WAITS),
    waitsLeft: Math.max(0, waits.length - MOST_WAITS),
  };
}

async function listEnded(
  parts: Parts,
  repositoryId: string | undefined,
  limit: number,
  most: number,
): Promise<ListedRun[]> {
  const newest = await loadRuns<RunSpec, PlanRecord>(parts.store, { limit: limit + most, repositoryId });
  const isOver = ({ id, state }: RunRow<RunSpec, PlanRecord>): boolean =>
    state === "ended" && (parts.book.get(id)?.unended ?? 0) === 0;
  const rows = newest.filter(isOver).slice(0, most);
  const counts = await countTasks(
    parts.store,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => {
    const tasks = (counts.get(row.id) ?? []).map(({ state, outcome, count }) => ({
      state,
      ...(outcome === undefined ? {} : { outcome }),
      count,
    }));
    return { ...summarize(row, tasks), group: "finished", waits: [], waitsLeft: 0 };
  });
}
