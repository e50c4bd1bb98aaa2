import type { AgentKind, Budget, ToolServer } from "../engine/agent.ts";
import type { AgentFile } from "./agent-file.ts";
import { fitFile, remarksOnChoice } from "./agent-fit.ts";
import { isForClaude } from "./claude-native.ts";
import { hashOf, wantsOf } from "./agent-wants.ts";
import type { AgentDeclaration } from "./schema.ts";
import type { AgentTraits } from "./spec.ts";

/** An agent with everything settled. */
export interface AgentDefinition extends AgentTraits {
  /** The file it is from, or `built in`. */
  readonly source: string;
  readonly description: string | undefined;
  /** What of `native` its kind honours, for people, a line each. */
  readonly honoured: readonly string[];
  /** What its file says that its kind cannot honour, and what is odd about it. */
  readonly remarks: readonly string[];
  /** What it brings that a person must have seen before it is used; empty for what needs no trust. */
  readonly wants: readonly string[];
  /** Of everything that `wants` rests on. */
  readonly contentHash: string;
}

/** Who a definition is from. What a person has written for themselves needs no trust. */
export type Owner = "repository" | "user";

/** Settles an agent: what a declaration says wins over what its file says. */
export function settleAgent(
  name: string,
  source: string,
  owner: Owner,
  declaration: AgentDeclaration,
  file: AgentFile | undefined,
): AgentDefinition {
  const kind = declaration.kind ?? "claude";
  const fitted = file === undefined ? undefined : fitFile(file, kind);
  const model = declaration.model ?? fitted?.model;
  const tools = listOf(declaration.tools) ?? fitted?.tools;
  const disallowedTools = listOf(declaration.disallowedTools) ?? fitted?.disallowedTools;
  const [command, ...args] = listOf(declaration.program) ?? [];
  const program = command === undefined ? undefined : { command, args };
  const toolServers = { ...fitted?.toolServers, ...declaredServers(declaration) };
  const { hooks = [], permissionMode } = file ?? {};
  const otherServers = kind === "claude" ? (file?.otherServers ?? []).filter(isForClaude) : [];
  const initialPrompt = kind === "claude" ? file?.texts.initialPrompt : undefined;
  const wants =
    owner === "user" ? [] : wantsOf({ toolServers, otherServers, hooks, permissionMode, program, initialPrompt });
  return {
    name,
    source,
    kind,
    description: declaration.description ?? file?.description,
    system: declaration.prompt ?? file?.system,
    model,
    effort: declaration.effort ?? fitted?.effort,
    tools,
    disallowedTools,
    permission: declaration.permission ?? fitted?.permission ?? "workspace",
    budget: { ...(file?.maxTurns === undefined ? {} : { turns: file.maxTurns }), ...compileBudget(declaration.budget) },
    toolServers,
    program,
    leases: declaration.leases ?? "deny",
    trace: declaration.trace,
    native: fitted?.native,
    honoured: fitted?.honoured ?? [],
    remarks: [...(fitted?.remarks ?? []), ...remarksOnChoice(kind, { model, tools, disallowedTools })],
    wants,
    contentHash: hashOf(wants),
  };
}

function declaredServers({ toolServers = {} }: AgentDeclaration): Record<string, ToolServer> {
  return Object.fromEntries(
    Object.entries(toolServers).map(([name, { command, args = [], env = {} }]) => [
      name,
      { command, args, environment: Object.fromEntries(Object.entries(env).map(([key, text]) => [key, String(text)])) },
    ]),
  );
}

/** The kind itself, where nothing more is said. */
export function builtInAgent(kind: AgentKind): AgentDefinition {
  return settleAgent(kind, "built in", "user", { kind }, undefined);
}

/** The budget that a file writes in minutes. */
export function compileBudget(
  budget:
    | {
        usd?: number | undefined;
        tokens?: number | undefined;
        turns?: number | undefined;
        minutes?: number | undefined;
      }
    | undefined,
): Budget {
  const { minutes, ...rest } = budget ?? {};
  return { ...rest, ...(minutes === undefined ? {} : { ms: minutes * 60_000 }) };
}

function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === "string" ? [value] : value;
}
