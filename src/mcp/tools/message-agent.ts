import type { ToolHandler } from "../call.ts";

/** Says something to an agent at work. */
export const messageAgent: ToolHandler<"message_agent"> = async ({ id, text, when }, { anabranch, directory }) => {
  const request = { id, text, directory, ...(when === undefined ? {} : { when }) };
  const { run, task, when: timing } = await anabranch.ask("message", request);
  return { data: { run, task, when: timing }, text: `${run}/${task} is told ${timing}` };
};
