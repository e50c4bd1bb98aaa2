import { printable } from "../../base/printable.ts";
import type { ToolHandler } from "../call.ts";
import { startOptionsFor } from "../work.ts";

/** Thinks a run through without starting it. */
export const plan: ToolHandler<"plan"> = async (input, { anabranch, directory }) => {
  const { mode, width, reason, predictedMs, tasks } = await anabranch.plan(startOptionsFor(input, directory));
  const data = {
    mode,
    atOnce: width,
    reason,
    predictedMs: Math.round(predictedMs),
    tasks: tasks.map(({ name, needs, startsFrom, expectedMs }) => ({ name, needs, startsFrom, expectedMs })),
  };
  const lines = data.tasks.map(
    ({ name, needs, startsFrom }) =>
      `${name}: starts from the ${startsFrom}${needs.length === 0 ? "" : `, after ${needs.join(", ")}`}`,
  );
  return { data, text: [`${mode}, ${width} at once: ${reason}`, ...lines].map(printable).join("\n") };
};
