import type { OpenOptions } from "../port.ts";

/** One of opencode's rules about tools; the last that fits holds. */
export interface Rule {
  readonly permission: string;
  readonly pattern: string;
  readonly action: "allow" | "deny" | "ask";
}

/** What a session may do. Whatever is not denied is asked: our plugin sees to that. */
export function rulesOf({ permission, tools, disallowedTools, toolServers }: OpenOptions): Rule[] {
  return [
    ...(tools === undefined ? [] : only(tools, Object.keys(toolServers))),
    ...(disallowedTools ?? []).map((tool) => ruleOf(tool, "deny")),
    ...(permission === "read-only" ? ["edit", "bash"].map((name) => ruleOf(name, "deny")) : []),
    // Nobody sits before it who could answer or agree to a plan.
    ...["question", "plan_enter", "plan_exit"].map((name) => ruleOf(name, "deny")),
  ];
}

function only(tools: readonly string[], servers: readonly string[]): Rule[] {
  const ask = (name: string): Rule => ({ permission: name, pattern: "*", action: "ask" });
  return [
    { permission: "*", pattern: "*", action: "deny" },
    // Of itself it does nothing: the tool that reached outside is asked about as well.
    ...["external_directory", ...servers.map((server) => `${server}_*`)].map(ask),
    ...tools.map((tool) => ruleOf(tool, "ask")),
  ];
}

/** The rule for a tool as a definition names it: `Bash(git *)`, `Write`, `mcp__server__tool`, `webfetch`. */
function ruleOf(tool: string, action: Rule["action"]): Rule {
  const [, name = tool, inner] = /^([^(]+)\((.*)\)$/.exec(tool) ?? [];
  const server = /^mcp__(.+?)(?:__(.+))?$/.exec(name);
  const permission = server === null ? (OTHER_NAMES[name] ?? name.toLowerCase()) : `${server[1]}_${server[2] ?? "*"}`;
  return { permission, pattern: inner?.replace(/:\*$/, " *") ?? "*", action };
}

const OTHER_NAMES: Readonly<Record<string, string>> = {
  Write: "edit",
  MultiEdit: "edit",
  NotebookEdit: "edit",
  write: "edit",
  apply_patch: "edit",
  patch: "edit",
  LS: "list",
  Agent: "task",
};
