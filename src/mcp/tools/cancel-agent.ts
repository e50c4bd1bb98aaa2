import type { ToolHandler } from "../call.ts";

/** Stops a run, or one task of it. */
export const cancelAgent: ToolHandler<"cancel_agent"> = async ({ id, force }, { anabranch, directory }) => {
  const stopping = await anabranch.ask("cancel", { id, directory, ...(force === undefined ? {} : { force }) });
  const { runs, tasks } = stopping;
  const what = [...runs.map((run) => `run ${run}`), ...tasks];
  return {
    data: stopping,
    text: what.length === 0 ? `${id} has ended already` : `stopping ${what.join(", ")}; its work is kept`,
  };
};
