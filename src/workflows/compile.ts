import { AnabranchError } from "../base/errors.ts";
import { tightest } from "../engine/budget.ts";
import type { Budget } from "../engine/agent.ts";
import type { Mode } from "../engine/planner.ts";
import { orderEffects } from "../engine/effects.ts";
import type { RestartPolicy } from "../engine/restart.ts";
import type { Join, RetryPolicy } from "../engine/task.ts";
import { compileBudget, type AgentDefinition } from "./agent-definition.ts";
import type { AgentDefinitions } from "./agents.ts";
import type { RepositoryFile, TaskDefinition, WorkflowDefinition } from "./schema.ts";
import type { AgentSpec, ForkSpec, RunSpec, TaskSpec } from "./spec.ts";
import { durationMs, sizeBytes } from "./units.ts";

/** What a caller may say beside, or instead of, what a workflow says. */
export interface RunChoices {
  readonly mode?: Mode | undefined;
  readonly join?: Join | undefined;
  readonly land?: "each" | "together" | undefined;
  readonly redBase?: "stop" | "forbid-new" | undefined;
  /** The branch of the user's that its work lands on, instead of a lane of its own. */
  readonly target?: string | undefined;
  readonly parallel?: number | undefined;
  readonly share?: boolean | undefined;
  /** Nothing any task changes is kept. */
  readonly writesNone?: boolean | undefined;
  /** What all of it, and whatever it starts, may use. */
  readonly budget?: Budget | undefined;
  /** The conversation that its agents begin with a copy of. */
  readonly fork?: ForkSpec | undefined;
  /** What all runs of its chain of events together may use. */
  readonly chain?: Budget | undefined;
  /** Where tasks start that name no folder, from the repository's root. */
  readonly subdirectory: string;
}

const DEFAULT_DEPENDENCIES = ["node_modules", "vendor", "target"];
const DEFAULT_LOG_CAP = "64mb";

/**
 * Settles a workflow: defaults, units and the caller's choices are worked in.
 * @throws {AnabranchError} `GRAPH_INVALID`, `AGENT_UNKNOWN`, `AGENT_INVALID`
 */
export function compileRun(
  name: string | undefined,
  workflow: WorkflowDefinition,
  file: RepositoryFile,
  agents: Pick<AgentDefinitions, "get">,
  choices: RunChoices,
): RunSpec {
  const mode = choices.mode ?? workflow.mode ?? "auto";
  const definitions = Object.entries(workflow.tasks);
  const setup = listOf(file.setup);
  const join = choices.join ?? workflow.join ?? "all";
  const land = choices.land ?? workflow.land ?? "each";
  const tasks = definitions.map(([task, definition], index) => {
    // A monitor goes on beside whatever comes next.
    const earlier = definitions.slice(0, index).findLast(([, before]) => before.restart === undefined)?.[0];
    const previous = mode === "sequential" ? earlier : undefined;
    return compileTask(task, definition, workflow, agents, choices, previous);
  });
  refuseEndlessNeeds(tasks);
  return {
    name,
    mode,
    join,
    land,
    verifies: listOf(file.verify).length > 0,
    redBase: choices.redBase ?? file.redBase ?? "stop",
    target: choices.target,
    parallel: choices.parallel ?? workflow.parallel,
    share: choices.share ?? workflow.share,
    tasks: orderEffects(tasks, { join, land }),
    setup,
    dependencies: file.dependencies ?? DEFAULT_DEPENDENCIES,
    // What setup makes need not be copied first, unless somebody asks for both.
    copyDependencies: setup.length === 0 || file.dependencies !== undefined,
    carry: file.carry ?? [],
    ports: file.ports ?? [],
    environment: textValues(file.env),
    repositoryParallel: file.limits?.parallel,
    resources: file.limits?.resources ?? {},
    logCapBytes: sizeBytes(file.limits?.log ?? DEFAULT_LOG_CAP),
    budget: tightest(compileBudget(workflow.budget), choices.budget ?? {}),
    ...(choices.chain === undefined ? {} : { chain: choices.chain }),
  };
}

function compileTask(
  name: string,
  definition: TaskDefinition,
  workflow: WorkflowDefinition,
  agents: Pick<AgentDefinitions, "get">,
  choices: RunChoices,
  previous: string | undefined,
): TaskSpec {
  const needs = [...new Set(listOf(definition.needs))];
  checkTask(name, definition, needs);
  const isMonitor = definition.restart !== undefined;
  // A deploy or a monitor changes what is outside of its workspace.
  const writes = definition.writes ?? (isMonitor || definition.effect === "irreversible" ? "none" : undefined);
  const agent =
    definition.agent === undefined ? undefined : compileAgent(definition, agents.get(definition.agent), choices);
  return {
    name,
    kind: agent?.kind ?? "shell",
    needs,
    after: previous === undefined || needs.includes(previous) ? [] : [previous],
    when: definition.when ?? "success",
    join: definition.join ?? "all",
    detach: definition.detach ?? isMonitor,
    writes: choices.writesNone === true || writes === "none" ? "none" : listOf(writes),
    resources: [...new Set(listOf(definition.resources))],
    retry: compileRetries(definition.retries, agent !== undefined && definition.effect !== "irreversible"),
    effect: definition.effect ?? "reversible",
    approval: compileApproval(definition.approval),
    restart: compileRestart(definition.restart),
    reports: definition.reports ?? isMonitor,
    command: definition.run ?? "",
    agent,
    exclusive: definition.exclusive ?? false,
    environment: { ...textValues(workflow.env), ...textValues(definition.env) },
    directory: definition.directory?.replace(/\/+$/, "") ?? choices.subdirectory,
    timeoutMs: definition.timeout === undefined ? undefined : durationMs(definition.timeout),
    output: definition.output ?? (definition.schema === undefined ? undefined : "json"),
    schema: definition.schema,
  };
}

function compileAgent(definition: TaskDefinition, agent: AgentDefinition, choices: RunChoices): AgentSpec {
  const { name, kind, system, model, effort, tools, disallowedTools, permission, toolServers, program } = agent;
  return {
    name,
    kind,
    prompt: definition.prompt ?? "",
    system,
    model: choices.fork?.model ?? model,
    effort,
    tools,
    disallowedTools,
    permission,
    budget: tightest(agent.budget, compileBudget(definition.budget)),
    toolServers,
    program,
    leases: agent.leases,
    trace: agent.trace,
    native: agent.native,
    fork: choices.fork,
  };
}

function checkTask(name: string, definition: TaskDefinition, needs: readonly string[]): void {
  const problem = problemOf(name, definition, needs) ?? problemOfMonitor(definition);
  if (problem === undefined) return;
  throw new AnabranchError("GRAPH_INVALID", {
    message: `task ${name} ${problem}`,
    hint: `change task ${name}`,
    data: { task: name },
  });
}

function problemOf(name: string, definition: TaskDefinition, needs: readonly string[]): string | undefined {
  const { when, join, schema, output, exclusive, writes, reports, agent } = definition;
  if (when === "failure" && needs.length === 0) return `has "when: failure" but needs nothing`;
  if (join !== undefined && needs.length === 0) return `has "join: ${join}" but needs nothing`;
  if (schema !== undefined && output === "text") return "has a schema, but its output is text";
  if (needs.includes(name)) return "needs itself";
  if (exclusive === true && (writes === undefined || writes === "none"))
    return "is exclusive, but does not say what it writes";
  return reports === true && agent !== undefined
    ? "has reports, but they are lines that a command prints, and an agent does it"
    : undefined;
}

function problemOfMonitor(definition: TaskDefinition): string | undefined {
  const { restart, agent, writes, detach, retries, effect } = definition;
  if (restart === undefined) return undefined;
  if (agent !== undefined) return "is restarted, but only a command can be: let a trigger start the agent";
  if (writes !== undefined && writes !== "none")
    return "is restarted, so it cannot write: let it report, and a trigger start what writes";
  if (detach === false) return "is restarted, so it cannot hold its run open";
  if (retries !== undefined) return "is restarted and has retries: one of the two says what follows a failure";
  return effect === "irreversible" ? "is irreversible, so it cannot be restarted: it would be done again" : undefined;
}

/** What is started again whenever it ends never lets anything come after it. */
function refuseEndlessNeeds(tasks: readonly TaskSpec[]): void {
  const endless = new Set(tasks.filter(({ restart }) => restart?.when === "always").map(({ name }) => name));
  for (const { name, needs } of tasks) {
    const before = needs.find((other) => endless.has(other));
    if (before === undefined) continue;
    throw new AnabranchError("GRAPH_INVALID", {
      message: `task ${name} comes after ${before}, which is always restarted and never ends by itself`,
      hint: `write "restart: on-failure" for ${before}, or start ${name} by a trigger on what ${before} reports`,
      data: { task: name, before },
    });
  }
}

const DEFAULT_APPROVAL = "7d";

function compileApproval(approval: TaskDefinition["approval"]): TaskSpec["approval"] {
  if (approval === undefined) return undefined;
  return { expiresMs: durationMs(approval === "required" ? DEFAULT_APPROVAL : approval.expires) };
}

function compileRestart(restart: TaskDefinition["restart"]): RestartPolicy | undefined {
  if (restart === undefined) return undefined;
  const given = typeof restart === "string" ? { when: restart } : restart;
  return {
    when: given.when,
    limit: given.limit ?? 3,
    withinMs: durationMs(given.within ?? "1m"),
    delayMs: durationMs(given.delay ?? "1s"),
  };
}

function compileRetries(retries: TaskDefinition["retries"], isAgent: boolean): RetryPolicy {
  const given = typeof retries === "object" ? retries : { times: retries ?? 0 };
  return {
    times: given.times,
    delayMs: durationMs(given.delay ?? "1s"),
    factor: given.factor ?? 2,
    maxDelayMs: durationMs(given.max ?? "1m"),
    // An agent can be told what stood in the way; a command would do the same again.
    ...(isAgent && retries === undefined ? { repairs: 1 } : {}),
  };
}

function textValues(values: Readonly<Record<string, string | number | boolean>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [key, String(value)]));
}

function listOf<Item>(value: Item | readonly Item[] | undefined): readonly Item[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Item[]) : [value as Item];
}
