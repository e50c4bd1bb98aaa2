import { closest } from "../base/closest.ts";
import { AnabranchError } from "../base/errors.ts";
import {
  AGENT_KINDS,
  type AgentKind,
  type Budget,
  type LeaseAnswer,
  type Permission,
  type ToolServer,
} from "../engine/agent.ts";
import type { AgentDeclaration, RepositoryFile } from "./schema.ts";

/** An agent with everything settled. */
export interface AgentDefinition {
  readonly name: string;
  /** The file it is from, or `built in`. */
  readonly source: string;
  readonly kind: AgentKind;
  readonly description: string | undefined;
  readonly system: string | undefined;
  readonly model: string | undefined;
  readonly effort: string | undefined;
  readonly tools: readonly string[] | undefined;
  readonly disallowedTools: readonly string[] | undefined;
  readonly permission: Permission;
  readonly budget: Budget;
  readonly toolServers: Readonly<Record<string, ToolServer>>;
  readonly program: { readonly command: string; readonly args: readonly string[] } | undefined;
  readonly leases: LeaseAnswer;
  readonly trace: "strace" | undefined;
  /** What its file says that its kind cannot honour, and what is odd about it. */
  readonly remarks: readonly string[];
  /** What it brings that a person must have seen before it is used; empty for what needs no trust. */
  readonly wants: readonly string[];
  /** Of everything that `wants` rests on. */
  readonly contentHash: string;
}

/** All agents that can be named in a repository. */
export interface AgentDefinitions {
  /** @throws {AnabranchError} `AGENT_UNKNOWN`, `AGENT_INVALID` */
  get(name: string): AgentDefinition;
  /** Those that are in order. */
  readonly all: readonly AgentDefinition[];
  /** Those that are not, each with the reason. */
  readonly broken: readonly { readonly name: string; readonly source: string; readonly error: AnabranchError }[];
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

/** The agents of a repository: those of its `anabranch.yaml`, and the kinds themselves. */
export function loadAgents(file: RepositoryFile): AgentDefinitions {
  const all = [
    ...Object.entries(file.agents ?? {}).map(([name, declaration]) => declared(name, declaration)),
    ...AGENT_KINDS.filter((kind) => file.agents?.[kind] === undefined).map(builtIn),
  ];
  const byName = new Map(all.map((agent) => [agent.name, agent]));
  return {
    all,
    broken: [],
    get(name) {
      const agent = byName.get(name);
      if (agent !== undefined) return agent;
      throw unknownAgent(name, [...byName.keys()]);
    },
  };
}

function declared(name: string, declaration: AgentDeclaration): AgentDefinition {
  const { kind = "claude", description, prompt, model, effort, permission, budget, leases, trace } = declaration;
  const [command, ...args] = listOf(declaration.program) ?? [];
  return {
    ...builtIn(kind),
    name,
    source: "anabranch.yaml",
    description,
    system: prompt,
    model,
    effort,
    tools: listOf(declaration.tools),
    disallowedTools: listOf(declaration.disallowedTools),
    permission: permission ?? "workspace",
    budget: compileBudget(budget),
    program: command === undefined ? undefined : { command, args },
    leases: leases ?? "deny",
    trace,
  };
}

function builtIn(kind: AgentKind): AgentDefinition {
  return {
    name: kind,
    source: "built in",
    kind,
    description: undefined,
    system: undefined,
    model: undefined,
    effort: undefined,
    tools: undefined,
    disallowedTools: undefined,
    permission: "workspace",
    budget: {},
    toolServers: {},
    program: undefined,
    leases: "deny",
    trace: undefined,
    remarks: [],
    wants: [],
    contentHash: "",
  };
}

function unknownAgent(name: string, known: readonly string[]): AnabranchError {
  const meant = closest(name, known);
  return new AnabranchError("AGENT_UNKNOWN", {
    message: `there is no agent ${JSON.stringify(name)}`,
    hint: meant === undefined ? "anabranch agents ls" : `did you mean ${meant}? anabranch agents ls`,
    data: { agent: name, known: [...known] },
  });
}

function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === "string" ? [value] : value;
}
