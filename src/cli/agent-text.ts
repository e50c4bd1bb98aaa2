import { printable } from "../base/printable.ts";
import type { AgentDefinitionView, AgentProgramView, AgentSummary } from "../protocol/views.ts";
import { formatDuration, formatTable } from "./format.ts";
import type { Terminal } from "./terminal.ts";

/** How an agent stands, in a word. */
export const TRUST_WORDS: Readonly<Record<AgentSummary["trust"], string>> = {
  "not-needed": "-",
  trusted: "trusted",
  untrusted: "not trusted",
  changed: "changed",
};

/** Whether a program is here: version and path, or why not. */
export function programText({ path, version, warning, reason }: AgentProgramView): string {
  if (path === undefined) return reason?.message ?? "not found";
  return [version, path, ...(warning === undefined ? [] : [`(${warning})`])].join(" ");
}

/** All that is known of an agent. */
export function formatAgent(agent: AgentDefinitionView, { colour, plain }: Terminal): string {
  const rows = facts(agent).map(([name, value]) => [name, printable(value)] as const);
  if (plain) return rows.map((row) => row.join("\t")).join("\n");
  const isRefused = agent.trust === "untrusted" || agent.trust === "changed";
  return [
    colour.bold(`agent ${printable(agent.name)}`),
    formatTable(
      rows.map(([name, value]) => [colour.dim(name), value]),
      "  ",
    ),
    ...listed("it brings", agent.wants),
    ...listed("since it was agreed to", agent.changes),
    ...(isRefused ? [colour.yellow(`before it is used: anabranch agents trust ${printable(agent.name)}`)] : []),
    ...listed("honoured by Claude Code itself", agent.honoured ?? []),
    ...listed("to be known", agent.remarks),
    ...(agent.system === undefined ? [] : ["", ...agent.system.split("\n").map((line) => `  ${printable(line)}`)]),
  ].join("\n");
}

function facts(agent: AgentDefinitionView): (readonly [name: string, value: string])[] {
  const { description, model, effort, tools, disallowedTools, toolServers, trace, program } = agent;
  const optional = (name: string, value: string | undefined): [string, string][] =>
    value === undefined || value === "" ? [] : [[name, value]];
  return [
    ["from", agent.source],
    ["kind", agent.kind],
    ...optional("description", description?.split("\n")[0]),
    ...optional("model", model),
    ...optional("effort", effort),
    ...optional("tools", tools === undefined ? undefined : tools.length === 0 ? "none" : tools.join(", ")),
    ...optional("never", disallowedTools?.join(", ")),
    ["permission", agent.permission],
    ["leases", agent.leases],
    ...optional("trace", trace),
    ...optional("budget", budgetText(agent.budget)),
    ...optional("tool servers", toolServers.join(", ")),
    ["trust", TRUST_WORDS[agent.trust]],
    ["here", programText(program)],
    ...optional("mend", program.reason?.hint),
  ];
}

function budgetText({ usd, tokens, turns, ms }: AgentDefinitionView["budget"]): string {
  return [
    ...(usd === undefined ? [] : [`${usd} USD`]),
    ...(tokens === undefined ? [] : [`${tokens} tokens`]),
    ...(turns === undefined ? [] : [`${turns} turns`]),
    ...(ms === undefined ? [] : [formatDuration(ms)]),
  ].join(", ");
}

function listed(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  - ${printable(line)}`)];
}
