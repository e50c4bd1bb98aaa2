import { AnabranchError } from "../base/errors.ts";
import { tightest } from "../engine/budget.ts";
import type { Budget } from "../engine/agent.ts";
import type { Mode } from "../engine/planner.ts";
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
  return {
    name,
    mode,
    join: choices.join ?? workflow.join ?? "all",
    land: choices.land ?? workflow.land ?? "each",
    verifies: listOf(file.verify).length > 0,
    redBase: choices.redBase ?? file.redBase ?? "stop",
    target: choices.target,
    parallel: choices.parallel ?? workflow.parallel,
    share: choices.share ?? workflow.share,
    tasks: definitions.map(([task, definition], index) =>
      compileTask(
        task,
        definition,
        workflow,
        agents,
        choices,
        mode === "sequential" ? definitions[index - 1]?.[0] : undefined,
      ),
    ),
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
  const agent =
    definition.agent === undefined ? undefined : compileAgent(definition, agents.get(definition.agent), choices);
  return {
    name,
    kind: agent?.kind ?? "shell",
    needs,
    after: previous === undefined || needs.includes(previous) ? [] : [previous],
    when: definition.when ?? "success",
    join: definition.join ?? "all",
    detach: definition.detach ?? false,
    writes: choices.writesNone === true || definition.writes === "none" ? "none" : listOf(definition.writes),
    resources: [...new Set(listOf(definition.resources))],
    retry: compileRetries(definition.retries, agent !== undefined),
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
  const problem =
    definition.when === "failure" && needs.length === 0
      ? `has "when: failure" but needs nothing`
      : definition.join !== undefined && needs.length === 0
        ? `has "join: ${definition.join}" but needs nothing`
        : definition.schema !== undefined && definition.output === "text"
          ? `has a schema, but its output is text`
          : needs.includes(name)
            ? "needs itself"
            : definition.exclusive === true && (definition.writes === undefined || definition.writes === "none")
              ? "is exclusive, but does not say what it writes"
              : undefined;
  if (problem === undefined) return;
  throw new AnabranchError("GRAPH_INVALID", {
    message: `task ${name} ${problem}`,
    hint: `change task ${name}`,
    data: { task: name },
  });
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
