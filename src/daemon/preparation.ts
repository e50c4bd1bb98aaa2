import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { endProcesses, AT_ONCE } from "../process/ladder.ts";
import { readEnd } from "../process/output.ts";
import { launchShim, readExit, reserveAttempt } from "../process/shim.ts";
import { waitForExit } from "../process/watch.ts";
import { MARKER_VARIABLE } from "../protocol/wire.ts";
import { insertPort, updateWorkspace, type WorkspacePatch, type WorkspaceRow } from "../store/workspaces.ts";
import { copyCarried, copyDependencies, digest } from "../workspaces/dependencies.ts";
import { resetWorkspace, stampWorkspace, workspaceAt, type Workspace } from "../workspaces/workspace.ts";
import type { LiveRun, LiveTask } from "./live-run.ts";
import type { SpinUpKind } from "./memory.ts";
import type { Parts } from "./parts.ts";
import { passOnResults } from "./task-results.ts";
import { taskEnvironment } from "./task-environment.ts";

/** A workspace in which a task can start. */
export interface Prepared {
  readonly workspace: Workspace;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly spinUp: SpinUpKind;
}

/** Told what is going on, for people. */
export type Report = (activity: string) => void;

/**
 * Makes a leased workspace ready for a task, step by step: base, dependencies, carried files, ports, setup. Each step
 * that takes time is marked in the workspace's row when it is done, so that a crash repeats only the one it met.
 *
 * @throws {AnabranchError} `SETUP_FAILED`, and whatever git and the disk refuse
 */
export async function prepareWorkspace(
  parts: Parts,
  run: LiveRun,
  task: LiveTask,
  report: Report,
  signal: AbortSignal,
): Promise<Prepared> {
  const attempt = requireAttempt(task);
  const row = requireRow(parts, attempt.workspaceId);
  const workspace = workspaceAt(parts.layout.slot(row.repositoryId, row.slot), parts.vaultOf(row.repositoryId));
  const inputs = await parts.files.load(run.row.id);
  const fresh = !existsSync(workspace.tree);
  await bringToBase(parts, run, row.id, workspace, attempt.baseCommit, report);
  const copied = await bringDependencies(parts, run, row.id, workspace, report);
  await copyCarried(parts.files.carried(run.row.id), workspace.tree, run.row.spec.carry);
  const ports = await leasePorts(parts, row.id, run.row.spec.ports);
  const { input, variables } = await passOnResults(parts.layout, run, task);
  const environment = taskEnvironment({
    submitted: inputs.environment,
    repository: run.row.spec.environment,
    spec: task.spec,
    attempt,
    root: run.row.plan.root,
    tree: workspace.tree,
    slot: row.slot,
    ports,
    input,
    results: variables,
  });
  const setUp = await runSetup(parts, run, task, row.id, workspace, environment, report, signal);
  if (copied || setUp) await stampWorkspace(workspace.slot);
  const cwd = join(workspace.tree, task.spec.directory);
  await mkdir(cwd, { recursive: true });
  const after = requireRow(parts, row.id);
  const spinUp = fresh ? "cold" : after.version === row.version ? "warm" : "recycled";
  return { workspace, cwd, environment, spinUp };
}

async function bringToBase(
  parts: Parts,
  run: LiveRun,
  id: string,
  workspace: Workspace,
  base: string,
  report: Report,
): Promise<void> {
  if (requireRow(parts, id).baseCommit === base) return;
  report("waiting for the disk");
  await parts.filling.run(async () => {
    report("checking out");
    const { source } = await parts.files.load(run.row.id);
    await resetWorkspace(parts.git, workspace, base, source, run.row.spec.dependencies, parts.trash);
  });
  await mark(parts, id, { baseCommit: base });
}

async function bringDependencies(
  parts: Parts,
  run: LiveRun,
  id: string,
  workspace: Workspace,
  report: Report,
): Promise<boolean> {
  const { paths, key } = run.row.plan.dependencies;
  if (!run.row.spec.copyDependencies || key === (requireRow(parts, id).dependenciesKey ?? "")) return false;
  if (paths.length === 0) return false;
  await mark(parts, id, { dependenciesKey: null });
  report("waiting to copy dependencies");
  await parts.copying.run(() =>
    copyDependencies(run.row.plan.root, workspace, paths, parts.trash, (path, files) =>
      report(`copying ${path}, ${files.toLocaleString("en")} files`),
    ),
  );
  await mark(parts, id, { dependenciesKey: key });
  return true;
}

async function leasePorts(parts: Parts, id: string, names: readonly string[]): Promise<Map<string, number>> {
  const held = parts.ports.of(id);
  for (const name of names) {
    if (held.has(name)) continue;
    const port = await parts.ports.take(id, name);
    await parts.book.commit([insertPort({ port, workspaceId: id, name })]);
    held.set(name, port);
  }
  return new Map([...held].filter(([name]) => names.includes(name)));
}

/** Runs the setup commands, once per workspace and content of the lock files; tells whether it did. */
async function runSetup(
  parts: Parts,
  run: LiveRun,
  task: LiveTask,
  id: string,
  workspace: Workspace,
  environment: Readonly<Record<string, string>>,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  const { setup } = run.row.spec;
  const key = setup.length === 0 ? "" : digest([run.row.plan.lockKey, ...setup]);
  if (key === "" || key === requireRow(parts, id).setupKey) return false;
  report(`setting up: ${setup.join(" && ")}`);
  const attempt = requireAttempt(task);
  const directory = join(parts.layout.attempt(attempt), `setup-${parts.clock.monotonicMs().toFixed(0)}`);
  reserveAttempt(directory);
  const command = ["set -e", ...setup].join("\n");
  const capBytes = run.row.spec.logCapBytes;
  const spec = { directory, command, cwd: workspace.tree, environment, capBytes, splitOutput: false };
  const { child, identity } = await launchShim(spec, parts.clock);
  const ended = await waitForExit({ directory, shim: identity, child }, parts.clock, signal);
  const processes = {
    directory,
    shim: identity,
    groupIsCurrent: true,
    marker: `${MARKER_VARIABLE}=${attempt.marker}`,
    controlGroup: undefined,
    workspace: undefined,
  };
  await endProcesses(processes, AT_ONCE, parts.clock);
  const exit = readExit(directory);
  if (ended === "aborted") return true;
  if (exit?.status !== 0) {
    throw new AnabranchError("SETUP_FAILED", {
      message: `setup ended with ${exit === undefined ? "no exit status" : `exit status ${exit.status}`}: ${lastLineOf(directory)}`,
      hint: `look at ${join(directory, "log")}`,
      data: { log: join(directory, "log"), status: exit?.status },
    });
  }
  await mark(parts, id, { setupKey: key });
  return true;
}

function lastLineOf(directory: string): string {
  return readEnd(directory, "log", 2000).text.trim().split("\n").at(-1) ?? "";
}

async function mark(parts: Parts, id: string, patch: WorkspacePatch): Promise<void> {
  await parts.book.commit([updateWorkspace(requireRow(parts, id), patch)]);
  parts.pool.patched(id, patch);
}

function requireRow(parts: Parts, id: string): WorkspaceRow {
  const row = parts.pool.find(id);
  if (row === undefined) throw new AnabranchError("INTERNAL", { message: `no workspace ${id}` });
  return row;
}

function requireAttempt(task: LiveTask): NonNullable<LiveTask["attempt"]> {
  if (task.attempt === undefined) throw new AnabranchError("INTERNAL", { message: `${task.row.name} has no attempt` });
  return task.attempt;
}
