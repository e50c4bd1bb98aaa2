import { systemClock } from "../../base/clock.ts";
import { printable } from "../../base/printable.ts";
import type { RunSummary } from "../../protocol/views.ts";
import type { ToolHandler } from "../call.ts";

/** Lists the newest runs of the repository. */
export const listAgents: ToolHandler<"list_agents"> = async ({ limit = 20 }, { anabranch, directory }) => {
  const found = await anabranch.ask("list", { limit, directory });
  const nowMs = systemClock.wallMs();
  const runs = found.map((run) => ({
    id: run.id,
    ...(run.name === undefined ? {} : { name: run.name }),
    state: run.outcome ?? run.state,
    tasks: countsOf(run),
    ageS: Math.max(0, Math.round((nowMs - run.createdMs) / 1000)),
  }));
  const lines = runs.map(({ id, name, state, tasks, ageS }) => `${id} ${state} (${tasks}) ${name ?? ""} ${ageS} s ago`);
  return { data: { runs }, text: runs.length === 0 ? "no runs here yet" : lines.map(printable).join("\n") };
};

function countsOf({ tasks }: RunSummary): string {
  return tasks.map(({ state, outcome, count }) => `${count} ${outcome ?? state}`).join(", ");
}
