import { AnabranchError } from "../base/errors.ts";
import type { AgentTask, ToolInput } from "../protocol/tools.ts";
import type { StartOptions } from "../sdk/start-options.ts";

type TaskDefinitions = NonNullable<StartOptions["tasks"]>;

/**
 * What a parent wants done, as the daemon is asked for it.
 * @throws {AnabranchError} `USAGE`
 */
export function startOptionsFor(input: ToolInput<"plan">, directory: string): StartOptions {
  const { agents, workflow, mode, join, target, base, budget } = input;
  if ((agents === undefined) === (workflow === undefined)) {
    throw new AnabranchError("USAGE", {
      message: agents === undefined ? "there is nothing to run" : "agents and a workflow cannot be run at once",
      hint: 'give {"agents": [{"agent": "claude", "prompt": "…"}]} or {"workflow": "…"}',
    });
  }
  return {
    directory,
    ...(agents === undefined ? {} : { tasks: tasksFor(agents) }),
    ...(workflow === undefined ? {} : { workflow }),
    ...(mode === undefined ? {} : { mode }),
    ...(join === undefined ? {} : { join }),
    ...(target === undefined ? {} : { target }),
    ...(base === undefined ? {} : { base }),
    ...(budget === undefined ? {} : { budget }),
  };
}

/**
 * One task for each agent, under its name or, where it has none, its agent's.
 * @throws {AnabranchError} `USAGE` when two have one name
 */
export function tasksFor(agents: readonly AgentTask[]): TaskDefinitions {
  const tasks: Record<string, TaskDefinitions[string]> = {};
  agents.forEach((agent, index) => {
    const { name = nameFor(agent.agent, index, agents.length), writes, ...rest } = agent;
    if (Object.hasOwn(tasks, name)) {
      throw new AnabranchError("USAGE", {
        message: `two agents are named ${name}`,
        hint: "give each a name of its own",
      });
    }
    tasks[name] = {
      ...rest,
      // What it says in the end is what its parent wants to hear.
      output: agent.schema === undefined ? "text" : "json",
      ...(writes === undefined ? {} : { writes: writes.length === 0 ? "none" : writes }),
    };
  });
  return tasks;
}

function nameFor(agent: string, index: number, count: number): string {
  const word = agent.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "agent";
  return count === 1 ? word : `${word}-${index + 1}`;
}
