import { availableParallelism, freemem } from "node:os";
import { join } from "node:path";

import { closest } from "../base/closest.ts";
import { AnabranchError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Cause } from "../engine/cause.ts";
import type { Budget } from "../engine/agent.ts";
import { candidateGroups } from "../engine/candidates.ts";
import { estimateFrom, median, type TaskEstimate } from "../engine/estimate.ts";
import { buildGraph, type Graph } from "../engine/graph.ts";
import { decide, type Decision } from "../engine/planner.ts";
import type { SpinUp } from "../engine/simulate.ts";
import { findRepository, type Repository, type RepositoryHead } from "../git/repository.ts";
import type { CommandRequest } from "../protocol/commands.ts";
import { loadValues } from "../store/measurements.ts";
import { ensureRepository, findRepositoryRow, type RepositoryRow } from "../store/repositories.ts";
import { insertRun } from "../store/runs.ts";
import { insertTask } from "../store/tasks.ts";
import { builtInAgent, compileBudget, type AgentDefinition } from "../workflows/agent-definition.ts";
import { loadAgents, userFolderOf, type AgentDefinitions, type AgentPlaces } from "../workflows/agents.ts";
import { compileRun } from "../workflows/compile.ts";
import { FILE_NAME, loadRepositoryFile } from "../workflows/file.ts";
import type { RepositoryFile, WorkflowDefinition } from "../workflows/schema.ts";
import type { ForkSpec, RunSpec, TaskSpec } from "../workflows/spec.ts";
import { takeBase, takeKeptBase, takeNamedBase, type Base } from "../workspaces/base.ts";
import { copyCarried, describeDependencies, findDependencies } from "../workspaces/dependencies.ts";
import { refuseUntrusted } from "./agents/trust.ts";
import { placeInside, takeWorkspaceBase, type InsideWorkspace } from "./inside-workspace.ts";
import { makeLiveRun, type LiveRun, type PlanRecord } from "./live-run.ts";
import { taskSubject } from "./memory.ts";
import type { Parts } from "./parts.ts";
import type { Reconciler } from "./reconciler.ts";
import { budgetSpent } from "./spending.ts";
import { openRepository, settleSource } from "./repository-source.ts";
import { movedEnvironment } from "./task-environment.ts";

type StartRequest = CommandRequest<"start">;

/** What the daemon itself adds to what it is asked to start. */
export interface StartExtras {
  /** The task that starts it. */
  readonly parent?: LiveRun["row"]["parent"];
  /** The conversation that its agents begin with a copy of. */
  readonly fork?: ForkSpec | undefined;
  /** A commit in the vault to start from. */
  readonly base?: string | undefined;
  /** What led to it, where that is a chain of events. */
  readonly cause?: Cause | undefined;
  /** The agent's own id of the conversation that asks for it. */
  readonly asker?: string | undefined;
  /** The repository's file, where it is not to be what stands there now. */
  readonly file?: RepositoryFile | undefined;
  /** What all runs of its chain together may use. */
  readonly chain?: Budget | undefined;
  /** What its tasks are told of the events that have led to it. */
  readonly event?: unknown;
}

/** A run that is thought through but not started. */
export interface PlannedRun {
  /** Where it was asked for, when that is in a workspace. */
  readonly inside: InsideWorkspace | undefined;
  readonly repository: Repository;
  readonly row: RepositoryRow;
  readonly spec: RunSpec;
  /** The agents that its tasks name. */
  readonly agents: readonly AgentDefinition[];
  readonly graph: Graph;
  readonly decision: Decision;
  readonly expected: PlanRecord["expected"];
}

/** Thinks a run through: finds the repository, reads its file, checks the graph, decides how tasks start. */
export async function planRun(parts: Parts, request: StartRequest, extras: StartExtras = {}): Promise<PlannedRun> {
  const inside = await placeInside(parts, request.directory);
  const found = await findRepository(parts.git, inside?.root ?? request.directory);
  const repository = inside === undefined ? found : { ...found, subdirectory: inside.subdirectory };
  const [file, row] = await Promise.all([
    extras.file ?? loadRepositoryFile(repository.root),
    requireRepository(parts, repository),
  ]);
  const { name, workflow } = chooseWorkflow(request, file, repository.root);
  // What a file names starts where the file stands, wherever it is called from.
  const subdirectory = name === undefined ? repository.subdirectory : "";
  const agents = await loadNamedAgents(workflow, {
    root: repository.root,
    directory: join(repository.root, subdirectory),
    userFolder: userFolderOf(request.environment),
    file,
  });
  const spec = compileRun(name, workflow, file, agents, {
    mode: request.mode,
    join: request.join,
    land: request.land,
    redBase: request.redBase,
    target: request.target,
    parallel: request.parallel,
    share: request.share,
    writesNone: request.writesNone,
    budget: compileBudget(request.budget),
    fork: extras.fork,
    chain: extras.chain,
    subdirectory,
  });
  const graph = buildGraph(spec.tasks);
  refuseExclusiveCandidates(spec.tasks, candidateGroups(graph, spec.join).flat());
  refuseEqualVariables(spec.tasks);
  if (!parts.remembered.isFilled(row.id)) parts.remembered.fill(row.id, await loadValues(parts.store, row.id));
  const estimates = new Map(spec.tasks.map((task) => [task.name, estimateTask(parts, row.id, task)]));
  const estimateOf = (task: string): TaskEstimate => estimates.get(task) ?? estimateFrom([]);
  const decision = decideStart(parts, row.id, spec, graph, estimateOf);
  const expected = Object.fromEntries([...estimates].map(([task, { runMs, samples }]) => [task, { runMs, samples }]));
  return { inside, repository, row, spec, agents: agents.named, graph, decision, expected };
}

/** The agents that a workflow names; where it names none, nothing is looked for. */
async function loadNamedAgents(
  workflow: WorkflowDefinition,
  places: AgentPlaces,
): Promise<Pick<AgentDefinitions, "get"> & { readonly named: readonly AgentDefinition[] }> {
  const names = new Set(Object.values(workflow.tasks).flatMap(({ agent }) => agent ?? []));
  if (names.size === 0) return { named: [], get: () => builtInAgent("claude") };
  const agents = await loadAgents(places);
  return { named: [...names].map((name) => agents.get(name)), get: (name) => agents.get(name) };
}

/** The row of a repository, made where there is none yet. */
export async function requireRepository(parts: Parts, repository: Repository): Promise<RepositoryRow> {
  const known = await findRepositoryRow(parts.store, repository.commonDirectory);
  if (known !== undefined) return known;
  const row = {
    id: newId(parts.random),
    commonDirectory: repository.commonDirectory,
    root: repository.root,
    createdMs: parts.clock.wallMs(),
  };
  await parts.store.commit([ensureRepository(row)]);
  return (await findRepositoryRow(parts.store, repository.commonDirectory)) ?? row;
}

function chooseWorkflow(
  request: StartRequest,
  file: RepositoryFile,
  root: string,
): { name: string | undefined; workflow: WorkflowDefinition } {
  const given = [request.workflow, request.definition, request.tasks].filter((part) => part !== undefined).length;
  if (given !== 1) {
    throw new AnabranchError("USAGE", {
      message: given === 0 ? "there is nothing to run" : "a workflow and tasks of its own cannot be run at once",
      hint: "name a workflow, or give tasks: anabranch run -t tests='npm test' -t lint='npm run lint'",
    });
  }
  if (request.definition !== undefined) return { name: undefined, workflow: request.definition };
  if (request.tasks !== undefined) return { name: undefined, workflow: { tasks: request.tasks } };
  const name = request.workflow ?? "";
  const workflow = file.workflows?.[name];
  if (workflow !== undefined) return { name, workflow };
  const names = Object.keys(file.workflows ?? {});
  const meant = closest(name, names);
  throw new AnabranchError("WORKFLOW_UNKNOWN", {
    message: `${root}/${FILE_NAME} has no workflow ${JSON.stringify(name)}`,
    hint:
      meant !== undefined
        ? `anabranch run ${meant}`
        : names.length > 0
          ? `its workflows are: ${names.join(", ")}`
          : `anabranch init writes one; or give tasks: anabranch run -t ${/^[\w-]+$/.test(name) ? name : "name"}='command'`,
    data: { workflow: name, known: names },
  });
}

// One that waits to be chosen would keep its lease from the others meanwhile.
function refuseExclusiveCandidates(tasks: readonly TaskSpec[], candidates: readonly string[]): void {
  const task = tasks.find(({ name, exclusive }) => exclusive && candidates.includes(name));
  if (task === undefined) return;
  throw new AnabranchError("GRAPH_INVALID", {
    message: `${task.name} is one of several of which the best lands, so it cannot be exclusive`,
    hint: `remove "exclusive" from ${task.name}, or join with "first"`,
    data: { task: task.name },
  });
}

// a-b and a_b would be passed on under one name.
function refuseEqualVariables(tasks: readonly TaskSpec[]): void {
  const seen = new Map<string, string>();
  for (const { name } of tasks) {
    const plain = name.toUpperCase().replaceAll("-", "_");
    const other = seen.get(plain);
    if (other !== undefined) {
      throw new AnabranchError("GRAPH_INVALID", {
        message: `the tasks ${other} and ${name} differ only in case or in - and _`,
        hint: "rename one: their results are passed on as environment variables, and their folders may be one on a Mac",
      });
    }
    seen.set(plain, name);
  }
}

function estimateTask(parts: Parts, repositoryId: string, task: TaskSpec): TaskEstimate {
  return estimateFrom(parts.remembered.task(repositoryId, taskSubject(task)).measurements);
}

const ASSUMED_SPIN_UP: SpinUp = { warmMs: 5, recycleMs: 80, coldMs: 700 };

function decideStart(
  parts: Parts,
  repositoryId: string,
  spec: RunSpec,
  graph: Graph,
  estimateOf: (task: string) => TaskEstimate,
): Decision {
  const memory = parts.remembered.spinUp(repositoryId);
  const tasks = new Map(spec.tasks.map((task) => [task.name, task]));
  const known = (values: readonly number[], assumed: number): number => (values.length > 0 ? median(values) : assumed);
  const free = parts.pool.all().filter((row) => row.state === "free" && row.repositoryId === repositoryId);
  const others = parts.book.all().flatMap((run) => [...run.tasks.values()].map((task) => ({ run, task })));
  // What other work of ours wants of the processors is not free.
  const taken = others
    .filter(({ task }) => task.row.state === "working")
    .map(({ run, task }) => estimateTask(parts, run.row.repositoryId, task.spec))
    .reduce((sum, { runMs, cpuMs }) => sum + (runMs > 0 ? Math.min(cpuMs / runMs, 1) : 0), 0);
  return decide({
    graph,
    mode: spec.mode,
    maxWidth: Math.min(
      parts.limits.total,
      spec.parallel ?? Number.POSITIVE_INFINITY,
      spec.repositoryParallel ?? Number.POSITIVE_INFINITY,
    ),
    share: spec.share,
    estimateOf,
    rememberedWrites: (name) => {
      const task = tasks.get(name);
      return task === undefined ? undefined : parts.remembered.task(repositoryId, taskSubject(task)).writes;
    },
    spinUp: {
      warmMs: known(memory.warm, ASSUMED_SPIN_UP.warmMs),
      recycleMs: known(memory.recycled, ASSUMED_SPIN_UP.recycleMs),
      coldMs: known(memory.cold, ASSUMED_SPIN_UP.coldMs),
    },
    machine: {
      freeCores: Math.max(0.25, availableParallelism() - taken),
      freeMemoryBytes: freemem(),
      warmWorkspaces: free.length,
    },
  });
}

const MANY_UNTRACKED = 5000;

/**
 * Starts a run: takes the base, writes down what it needs, and commits it.
 * @throws {AnabranchError} `BUDGET_SPENT`, `TOO_DEEP`, `TOO_MANY_CHILDREN` where a task may not start it
 */
export async function startRun(
  parts: Parts,
  reconciler: Reconciler,
  request: StartRequest,
  extras: StartExtras,
): Promise<{ run: LiveRun; notices: string[] }> {
  const { parent, cause, chain = {} } = extras;
  if (parent === undefined) {
    const letGo = cause === undefined ? undefined : await parts.spending.openChain(cause.chain, chain);
    try {
      return await startPlanned(parts, reconciler, request, extras, await planRun(parts, request, extras));
    } finally {
      letGo?.();
    }
  }
  const reached = parts.spending.overrun(parent, true);
  if (reached !== undefined) throw budgetSpent(reached);
  const planned = await planRun(parts, request, extras);
  const admitted = await parts.children.admit(parent, planned.spec.tasks.length);
  try {
    return await startPlanned(parts, reconciler, request, extras, planned);
  } finally {
    admitted();
  }
}

async function startPlanned(
  parts: Parts,
  reconciler: Reconciler,
  request: StartRequest,
  extras: StartExtras,
  planned: PlannedRun,
): Promise<{ run: LiveRun; notices: string[] }> {
  const { parent } = extras;
  const { repository, row, spec, inside } = planned;
  await refuseUntrusted(parts, row.id, planned.agents);
  const { git } = parts;
  const opened = await openRepository(parts, row.id, repository);
  const { vault, head } = opened;
  const named = request.base ?? targetBase(head, request.target);
  const takingBase = (): Promise<Base> =>
    extras.base !== undefined
      ? takeKeptBase(vault, extras.base)
      : named !== undefined
        ? takeNamedBase(git, vault, repository, head, named)
        : inside !== undefined
          ? takeWorkspaceBase(parts, inside, spec.dependencies)
          : takeBase(git, vault, repository, head);
  const userTree = { gitDirectory: repository.gitDirectory, workTree: repository.root };
  const names = spec.copyDependencies ? spec.dependencies : [];
  const [base, copied] = await Promise.all([takingBase(), findDependencies(git, userTree, names)]);
  const isUserState = named === undefined && inside === undefined && extras.base === undefined;
  const { survey, source } = await settleSource(parts, opened, base.alike ?? base.commit, isUserState);
  const dependencies = await describeDependencies(copied, repository.root, survey.lockKey);

  const id = newId(parts.random);
  const environment =
    inside === undefined
      ? request.environment
      : movedEnvironment(request.environment, inside.workspace.tree, repository.root);
  await parts.files.save(id, { environment, source, event: extras.event });
  const missing = await copyCarried(repository.root, parts.files.carried(id), spec.carry);
  const notices = [
    ...base.nested.map((path) => `${path} is a repository of its own: it is not part of the workspaces`),
    ...missing.map((path) => `${path}, named in carry:, is not there`),
    ...(base.untrackedPaths > MANY_UNTRACKED
      ? [
          `${base.untrackedPaths.toLocaleString("en")} untracked files are part of every workspace; ignore what is not needed`,
        ]
      : []),
    ...(parent === undefined ? [] : [`started by task ${parent.task} of run ${parent.run}`]),
  ];
  const plan: PlanRecord = {
    ...planned.decision,
    expected: planned.expected,
    uncommittedPaths: base.uncommittedPaths,
    untrackedPaths: base.untrackedPaths,
    dependencies,
    lockKey: survey.lockKey,
    root: repository.root,
    notices,
  };
  const run = await commitRun(parts, request, id, row.id, spec, plan, base.commit, extras);
  reconciler.submit(run);
  return { run, notices };
}

/** Work that lands on a branch starts from what is committed there, unless another start was named. */
function targetBase(head: RepositoryHead, target: string | undefined): string | undefined {
  if (target === undefined) return undefined;
  const ref = `refs/heads/${target}`;
  if (head.refs.some(({ name }) => name === ref)) return ref;
  const branches = head.refs.flatMap(({ name }) => (name.startsWith("refs/heads/") ? [name.slice(11)] : []));
  const meant = closest(target, branches);
  throw new AnabranchError("TARGET_GONE", {
    message: `there is no branch ${JSON.stringify(target)} for the work to land on`,
    hint: meant === undefined ? `git branch ${target}` : `--target ${meant}`,
    data: { branch: target },
  });
}

async function commitRun(
  parts: Parts,
  request: StartRequest,
  id: string,
  repositoryId: string,
  spec: RunSpec,
  plan: PlanRecord,
  baseCommit: string,
  { parent, cause, asker }: StartExtras,
): Promise<LiveRun> {
  const row = {
    id,
    version: 1,
    requestId: request.requestId,
    repositoryId,
    parent,
    owner: parent,
    // What a task starts is part of whatever has led to the task.
    cause: cause ?? (parent === undefined ? undefined : (await parts.book.find(parent.run))?.row.cause),
    asker,
    state: "active" as const,
    outcome: undefined,
    cancelRequested: false,
    spec,
    plan,
    baseCommit,
    landing: {},
    createdMs: parts.clock.wallMs(),
    endedMs: undefined,
  };
  const tasks = spec.tasks.map((task, position) => ({
    run: id,
    name: task.name,
    version: 1,
    position,
    state: "waiting" as const,
    outcome: undefined,
    attempt: 0,
    failures: 0,
    cancel: undefined,
    reason: undefined,
    notBeforeMs: undefined,
    result: undefined,
    landing: undefined,
    readyMs: undefined,
    endedMs: undefined,
  }));
  const run = makeLiveRun(row, tasks, []);
  // What can start at once becomes ready in the same transaction.
  await parts.book.change(
    run,
    (draft) => {
      draft.also([insertRun(row), ...tasks.map(insertTask)]);
      draft.event("run.started", { name: spec.name, tasks: tasks.length, mode: plan.mode, reason: plan.reason });
    },
    [...run.tasks.keys()],
  );
  parts.spending.know(run);
  return run;
}
