import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import { insertPort, updateWorkspace, type WorkspacePatch, type WorkspaceRow } from "../store/workspaces.ts";
import { copyCarried, copyDependencies } from "../workspaces/dependencies.ts";
import { resetWorkspace, stampWorkspace, workspaceAt, type Workspace } from "../workspaces/workspace.ts";
import type { LiveRun } from "./live-run.ts";
import type { SpinUpKind } from "./memory.ts";
import type { Parts } from "./parts.ts";
import type { RunInputs } from "./run-files.ts";
import { runSetup } from "./setup.ts";
import { commandEnvironment } from "./task-environment.ts";

/** A workspace in which a command can start. */
export interface Prepared {
  readonly workspace: Workspace;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly spinUp: SpinUpKind;
}

/** What is being prepared, for whom. */
export interface Preparation {
  readonly parts: Parts;
  /** The run whose settings hold. */
  readonly run: LiveRun["row"];
  readonly inputs: RunInputs;
  readonly workspaceId: string;
  readonly base: string;
  /** What its processes carry in their environment. */
  readonly marker: string;
  /** Where the records of its setup go. */
  readonly folder: string;
  /** The folder its command starts in, from the repository's root. */
  readonly directory: string;
  /** What its environment gets besides what every command of the run has. */
  readonly variables: Readonly<Record<string, string>>;
  /** Those of the above whose values may hold `{{workspace}}` and `{{port.NAME}}`. */
  readonly templates: Readonly<Record<string, string>>;
  /** Told what is going on, for people. */
  readonly report: (activity: string) => void;
  /** Aborts when it is no longer wanted. */
  readonly signal: AbortSignal;
}

/**
 * Makes a leased workspace ready for a command, step by step: base, dependencies, carried files, ports, setup. Each step
 * that takes time is marked in the workspace's row when it is done, so that a crash repeats only the one it met.
 * Tasks that share a workspace find the steps done that one of them has done.
 *
 * @throws {AnabranchError} `SETUP_FAILED`, and whatever git and the disk refuse
 */
export function prepareWorkspace(preparation: Preparation): Promise<Prepared> {
  const { parts, workspaceId } = preparation;
  return parts.preparing.run(workspaceId, () => prepare(preparation, workspaceId));
}

async function prepare(preparation: Preparation, id: string): Promise<Prepared> {
  const { parts, run, directory } = preparation;
  const row = requireRow(parts, id);
  const workspace = workspaceAt(parts.layout.slot(row.repositoryId, row.slot), parts.vaultOf(row.repositoryId));
  const isFresh = !existsSync(workspace.tree);
  await bringToBase(preparation, id, workspace);
  await bringDependencies(preparation, id, workspace);
  await copyCarried(parts.files.carried(run.id), workspace.tree, run.spec.carry);
  const environment = await makeEnvironment(preparation, row, workspace);
  await bringSetup(preparation, id, workspace, environment);
  const cwd = join(workspace.tree, directory);
  await mkdir(cwd, { recursive: true });
  const isUnchanged = requireRow(parts, id).version === row.version;
  return { workspace, cwd, environment, spinUp: isFresh ? "cold" : isUnchanged ? "warm" : "recycled" };
}

async function bringToBase(preparation: Preparation, id: string, workspace: Workspace): Promise<void> {
  const { parts, run, inputs, base, report } = preparation;
  const row = requireRow(parts, id);
  // Dependencies that a run does not ask for must not be there either.
  const hasStrangers = row.dependenciesKey !== undefined && run.plan.dependencies.paths.length === 0;
  if (row.baseCommit === base && !hasStrangers) return;
  report("waiting for the disk");
  await parts.filling.run(async () => {
    report("checking out");
    const kept = hasStrangers ? [] : run.spec.dependencies;
    await resetWorkspace(parts.git, workspace, base, inputs.source, kept, parts.trash);
  });
  await mark(parts, id, { baseCommit: base, ...(hasStrangers ? { dependenciesKey: null, setupKey: null } : {}) });
}

async function bringDependencies({ parts, run, report }: Preparation, id: string, workspace: Workspace): Promise<void> {
  const { paths, key } = run.plan.dependencies;
  if (paths.length === 0 || key === requireRow(parts, id).dependenciesKey) return;
  await mark(parts, id, { dependenciesKey: null });
  report("waiting to copy dependencies");
  await parts.copying.run(() =>
    copyDependencies(run.plan.root, workspace, paths, parts.trash, (path, files) =>
      report(`copying ${path}, ${files.toLocaleString("en")} files`),
    ),
  );
  await stampWorkspace(workspace.slot);
  await mark(parts, id, { dependenciesKey: key });
}

async function makeEnvironment(
  { parts, run, inputs, marker, directory, variables, templates }: Preparation,
  row: WorkspaceRow,
  workspace: Workspace,
): Promise<Record<string, string>> {
  return commandEnvironment({
    submitted: inputs.environment,
    templates: { ...run.spec.environment, ...templates },
    variables,
    marker,
    directory,
    root: run.plan.root,
    tree: workspace.tree,
    slot: row.slot,
    ports: await leasePorts(parts, row.id, run.spec.ports),
  });
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

async function bringSetup(
  preparation: Preparation,
  id: string,
  workspace: Workspace,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const setupKey = await runSetup(preparation, workspace, environment, requireRow(preparation.parts, id).setupKey);
  if (setupKey === undefined) return;
  await stampWorkspace(workspace.slot);
  await mark(preparation.parts, id, { setupKey });
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
