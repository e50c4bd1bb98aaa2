import { systemClock } from "../../base/clock.ts";
import { printable } from "../../base/printable.ts";
import type { ToolOutput } from "../../protocol/tools.ts";
import type { AgentSummary, RunSummary } from "../../protocol/views.ts";
import type { ToolHandler } from "../call.ts";

type Listed = ToolOutput<"list_agents">;

/** Lists the newest runs of the repository, and the agents that can be named in it. */
export const listAgents: ToolHandler<"list_agents"> = async ({ limit = 20 }, { anabranch, directory }) => {
  const [found, known] = await Promise.all([anabranch.ask("list", { limit, directory }), anabranch.agents(directory)]);
  const nowMs = systemClock.wallMs();
  const broken = known.broken.map(({ name, reason }) => ({ name, cannot: reason.message }));
  const data = { runs: found.map((run) => lineOf(run, nowMs)), agents: [...known.agents.map(agentOf), ...broken] };
  return { data, text: textOf(data) };
};

function lineOf(run: RunSummary, nowMs: number): Listed["runs"][number] {
  return {
    id: run.id,
    ...(run.name === undefined ? {} : { name: run.name }),
    state: run.outcome ?? run.state,
    tasks: run.tasks.map(({ state, outcome, count }) => `${count} ${outcome ?? state}`).join(", "),
    ageS: Math.max(0, Math.round((nowMs - run.createdMs) / 1000)),
  };
}

function agentOf({ name, kind, description, program, trust }: AgentSummary): Listed["agents"][number] {
  const cannot =
    trust === "untrusted" || trust === "changed"
      ? `a person must agree to what it brings: anabranch agents trust ${name}`
      : program.reason?.message;
  return {
    name,
    kind,
    ...(description === undefined ? {} : { about: description }),
    ...(cannot === undefined ? {} : { cannot }),
  };
}

function textOf({ runs, agents }: Listed): string {
  const lines = [
    ...runs.map(({ id, name, state, tasks, ageS }) =>
      [id, state, `(${tasks})`, ...(name === undefined ? [] : [name]), `${ageS} s ago`].join(" "),
    ),
    ...(runs.length === 0 ? ["no runs here yet"] : []),
    ...agents.map(({ name, kind, about, cannot }) =>
      [
        `agent ${name}${kind === undefined ? "" : ` (${kind})`}`,
        ...(about === undefined ? [] : [about]),
        ...(cannot === undefined ? [] : [`cannot run: ${cannot}`]),
      ].join("; "),
    ),
  ];
  return lines.map(printable).join("\n");
}
