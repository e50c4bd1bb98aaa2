import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { CommandRequest, CommandResponse } from "../protocol/commands.ts";
import { listRefs, updateRefs, type RefUpdate } from "../git/refs.ts";
import type { Ref } from "../git/repository.ts";
import { laneRef, stagingRef } from "../landing/lane.ts";
import { receiptRef, type LandingRecord } from "../landing/receipt.ts";
import { loadAcceptances, loadOpenAcceptances } from "../store/acceptances.ts";
import { loadOpenConflicts } from "../store/conflicts.ts";
import { loadLandings } from "../store/landings.ts";
import { loadRepositories, type RepositoryRow } from "../store/repositories.ts";
import { deleteRun, loadRuns, type RunRow } from "../store/runs.ts";
import { deleteWorkspace, type WorkspaceRow } from "../store/workspaces.ts";
import { plainEnvironment } from "../process/own-programs.ts";
import { runProgram } from "../process/program.ts";
import { baseRef, PINS } from "../workspaces/base.ts";
import type { RunSpec } from "../workflows/spec.ts";
import type { AcceptanceJournal } from "./acceptance-views.ts";
import type { PlanRecord } from "./live-run.ts";
import type { Retention } from "./events/retention.ts";
import type { Parts } from "./parts.ts";

type StoredRun = RunRow<RunSpec, PlanRecord>;

interface Collection {
  readonly runs: readonly StoredRun[];
  /** `REPOSITORY COMMIT` of every base that a run which stays started from. */
  readonly keptBases: ReadonlySet<string>;
  readonly workspaces: readonly WorkspaceRow[];
  readonly retained: readonly WorkspaceRow[];
  readonly pins: readonly { readonly repository: RepositoryRow; readonly refs: readonly Ref[] }[];
  readonly repositories: ReadonlyMap<string, RepositoryRow>;
}

const RUNS_AT_ONCE = 1000;
/** Free workspaces that stay warm for each repository. */
const KEPT_WORKSPACES = 2;

/**
 * Shows what can go: runs that ended long ago with their snapshots and logs, workspaces nobody needs, pins nothing
 * borrows through any more. With `confirm` it goes. What has work left, or could not be made safe, never does.
 */
export async function collectGarbage(
  parts: Parts,
  retention: Retention,
  request: CommandRequest<"gc">,
  keepMs: number,
): Promise<CommandResponse<"gc">> {
  const collection = await choose(parts, request.olderThanMs ?? keepMs);
  const { runs, workspaces, retained, pins, repositories } = collection;
  const paths = [
    ...runs.map((run) => parts.layout.run(run.id)),
    ...workspaces.map((row) => parts.layout.slot(row.repositoryId, row.slot)),
  ];
  const bytes = await sizeOf(paths);
  const events = await (request.confirm === true
    ? retention.remove(request.olderThanMs)
    : retention.count(request.olderThanMs));
  if (request.confirm === true) await remove(parts, collection);
  const path = (row: WorkspaceRow): string => parts.layout.slot(row.repositoryId, row.slot);
  return {
    runs: runs.map((run) => ({
      id: run.id,
      ...(run.spec.name === undefined ? {} : { name: run.spec.name }),
      endedMs: run.endedMs ?? 0,
    })),
    workspaces: workspaces.map((row) => ({
      path: path(row),
      repository: repositories.get(row.repositoryId)?.root ?? "",
    })),
    retained: retained.map((row) => ({ path: path(row), holder: row.holder ?? "" })),
    pins: pins.reduce((sum, { refs }) => sum + refs.length, 0),
    events,
    bytes,
    removed: request.confirm === true,
  };
}

async function choose(parts: Parts, olderThanMs: number): Promise<Collection> {
  const before = parts.clock.wallMs() - olderThanMs;
  const repositories = new Map((await loadRepositories(parts.store)).map((row) => [row.id, row]));
  const all = await loadAllRuns(parts);
  // What somebody still has to settle holds its run, and so does an acceptance that is not over.
  const [conflicts, acceptances] = await Promise.all([
    loadOpenConflicts(parts.store),
    loadOpenAcceptances(parts.store),
  ]);
  const unsettled = new Set([...conflicts, ...acceptances, ...parts.notices.open()].map((row) => row.run));
  const runs = all.filter(
    (run) =>
      run.state === "ended" &&
      (run.endedMs ?? 0) <= before &&
      parts.book.get(run.id) === undefined &&
      !unsettled.has(run.id),
  );
  const gone = new Set(runs.map((run) => run.id));
  const kept = all.filter((run) => !gone.has(run.id));
  const leased = parts.pool.leased();
  return {
    runs,
    keptBases: new Set(kept.map(baseKey)),
    workspaces: idleWorkspaces(parts),
    retained: leased.filter((row) => isRetained(parts, row)),
    pins: await unneededPins(parts, [...repositories.values()], kept),
    repositories,
  };
}

function baseKey(run: StoredRun): string {
  return `${run.repositoryId} ${run.baseCommit}`;
}

async function loadAllRuns(parts: Parts): Promise<StoredRun[]> {
  const all: StoredRun[] = [];
  for (let skip = 0; ; skip += RUNS_AT_ONCE) {
    const some = await loadRuns<RunSpec, PlanRecord>(parts.store, { limit: RUNS_AT_ONCE, skip });
    all.push(...some);
    if (some.length < RUNS_AT_ONCE) return all;
  }
}

function isRetained(parts: Parts, row: WorkspaceRow): boolean {
  // A person is at work in it.
  if (row.holder?.startsWith("conflict/") === true) return false;
  const [run = "", task] = (row.holder ?? "").split("/");
  const live = parts.book.get(run);
  if (live === undefined) return true;
  return task === undefined ? live.unended === 0 : live.tasks.get(task)?.row.state === "ended";
}

// The most recently used stay, for the next run to find them warm.
function idleWorkspaces(parts: Parts): WorkspaceRow[] {
  const busy = new Set(parts.book.all().map((run) => run.row.repositoryId));
  const perRepository = new Map<string, number>();
  const free = parts.pool.all().filter((row) => row.state === "free" && !busy.has(row.repositoryId));
  return free
    .sort((a, b) => b.usedMs - a.usedMs)
    .filter((row) => {
      const count = (perRepository.get(row.repositoryId) ?? 0) + 1;
      perRepository.set(row.repositoryId, count);
      return count > KEPT_WORKSPACES;
    });
}

/** Pins on commits that are not the foundation of any base or workspace that stays. */
async function unneededPins(
  parts: Parts,
  repositories: readonly RepositoryRow[],
  kept: readonly StoredRun[],
): Promise<{ repository: RepositoryRow; refs: Ref[] }[]> {
  const unneeded: { repository: RepositoryRow; refs: Ref[] }[] = [];
  for (const repository of repositories) {
    const uses =
      kept.some((run) => run.repositoryId === repository.id) ||
      parts.pool.all().some((row) => row.repositoryId === repository.id && row.state === "leased");
    if (uses) continue;
    const refs = await listRefs(parts.git, repository.commonDirectory, PINS).catch((): Ref[] => []);
    if (refs.length > 0) unneeded.push({ repository, refs });
  }
  return unneeded;
}

async function remove(parts: Parts, { runs, keptBases, workspaces, pins }: Collection): Promise<void> {
  for (const row of workspaces) {
    await parts.book.commit([deleteWorkspace(row)]);
    parts.pool.forget(row.id);
    parts.ports.release(row.id);
    await parts.trash.discard(parts.layout.slot(row.repositoryId, row.slot));
  }
  for (const run of runs) {
    await removeRefs(parts, run, keptBases.has(baseKey(run)));
    await parts.store.commit(deleteRun(run.id));
    await parts.trash.discard(parts.layout.run(run.id));
  }
  for (const { repository, refs } of pins) {
    const updates = refs.map((ref): RefUpdate => ({ name: ref.name, to: null, from: ref.oid }));
    await updateRefs(parts.git, repository.commonDirectory, updates).catch(() => undefined);
  }
  for (const repositoryId of new Set(runs.map((run) => run.repositoryId))) {
    const place = parts.vaultOf(repositoryId).place;
    // What is younger may belong to a snapshot that is just being taken.
    await parts.git.run(place, ["gc", "--quiet", "--prune=1.day.ago"]).catch(() => undefined);
  }
  await removeStrayFolders(parts);
  await parts.trash.empty();
}

async function removeRefs(parts: Parts, run: StoredRun, keepBase: boolean): Promise<void> {
  const vault = parts.vaultOf(run.repositoryId);
  const kinds = ["snapshots", "commits", "nested", "ignored", "conflicts"];
  const lists = await Promise.all(
    kinds.map((kind) => listRefs(parts.git, vault.directory, `refs/${kind}/${run.id}/`).catch((): Ref[] => [])),
  );
  const landings = await loadLandings<LandingRecord>(parts.store, run.id);
  // What is on a branch of the user's can be proved as long as it is there.
  const receipts = landings.filter(({ record }) => record.target.kind === "lane").map(({ id }) => receiptRef(id));
  const accepted = await loadAcceptances<AcceptanceJournal>(parts.store, run.id);
  receipts.push(...accepted.filter(({ record }) => record.tip === undefined).map(({ id }) => receiptRef(id)));
  const names = [...lists.flat().map((ref) => ref.name), ...receipts, laneRef(run.id), stagingRef(run.id)];
  const updates: RefUpdate[] = names.map((name) => ({ name, to: null }));
  if (!keepBase) updates.push({ name: baseRef(run.baseCommit), to: null });
  await vault.refs.update(updates);
}

const STRAY_AFTER_MS = 3_600_000;

// A run whose start failed after its folder was made has no row; one that is just starting has none yet.
async function removeStrayFolders(parts: Parts): Promise<void> {
  const root = dirname(parts.layout.run("x"));
  const known = new Set((await loadAllRuns(parts)).map((run) => run.id));
  for (const name of await readdir(root).catch((): string[] => [])) {
    const ageMs =
      parts.clock.wallMs() -
      ((await stat(join(root, name)).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY);
    if (!known.has(name) && ageMs > STRAY_AFTER_MS) await parts.trash.discard(join(root, name));
  }
}

async function sizeOf(paths: readonly string[]): Promise<number> {
  if (paths.length === 0) return 0;
  const end = await runProgram({
    program: "du",
    args: ["-sk", "--", ...paths],
    environment: plainEnvironment(),
  });
  const kilobytes = end.stdout.toString("utf8").matchAll(/^(\d+)\t/gm);
  return [...kilobytes].reduce((sum, [, size]) => sum + Number(size) * 1024, 0);
}
