import type { ToolHandler } from "../call.ts";
import { tasksFor } from "../work.ts";

/** Starts one agent that nobody waits for. */
export const spawnAgent: ToolHandler<"spawn_agent"> = async (input, { anabranch, directory }) => {
  const tasks = tasksFor([input]);
  const { id } = await anabranch.start({ directory, tasks });
  const [task = ""] = Object.keys(tasks);
  return { data: { id, task }, text: `started ${id}/${task}; wait_agents {"ids": ["${id}"]} tells how it ended` };
};
