import type { AgentKind, Budget, LeaseAnswer, Permission, ToolServer } from "../engine/agent.ts";
import type { Mode } from "../engine/planner.ts";
import type { RestartPolicy } from "../engine/restart.ts";
import type { Join, TaskPlan } from "../engine/task.ts";

/** What makes an agent what it is, whatever it is asked. */
export interface AgentTraits {
  /** The name of its definition; the kind itself, where it has none. */
  readonly name: string;
  readonly kind: AgentKind;
  /** Added to its system prompt. */
  readonly system: string | undefined;
  readonly model: string | undefined;
  readonly effort: string | undefined;
  readonly tools: readonly string[] | undefined;
  readonly disallowedTools: readonly string[] | undefined;
  readonly permission: Permission;
  readonly budget: Budget;
  readonly toolServers: Readonly<Record<string, ToolServer>>;
  /** The program, where it is not the one its kind usually is. */
  readonly program: { readonly command: string; readonly args: readonly string[] } | undefined;
  /** What it meets when it is about to write what another holds a lease on. */
  readonly leases: LeaseAnswer;
  /** How the files that its commands read are found out. */
  readonly trace: "strace" | undefined;
  /** What its definition says that is for a kind which reads it itself. */
  readonly native: Readonly<Record<string, unknown>> | undefined;
}

/** Who does a task by conversation, and what it is told. */
export interface AgentSpec extends AgentTraits {
  /** What it is asked. `{{TASK.log}}`, `{{TASK.output}}` and `{{TASK.outcome}}` stand for results of its needs. */
  readonly prompt: string;
  readonly fork: ForkSpec | undefined;
}

/** The conversation that a task begins with a copy of. */
export interface ForkSpec {
  readonly conversation: string;
  /** The folder it is had in. */
  readonly directory: string;
  /** The task of ours whose conversation it is, if it is one. */
  readonly task: { readonly run: string; readonly name: string } | undefined;
  /** `digest`: its kind cannot copy it into another folder, so the agent is given a summary of it instead. */
  readonly way: "copy" | "digest";
  /** Its model: with another one, nothing of it is in a cache. */
  readonly model: string | undefined;
  readonly contextTokens: number | undefined;
}

/** A task with everything settled. */
export interface TaskSpec extends TaskPlan {
  /** For `/bin/sh`; empty where an agent does the task. */
  readonly command: string;
  readonly agent: AgentSpec | undefined;
  /** Nobody else may write what it says it writes while it is at work and until it has landed. */
  readonly exclusive: boolean;
  readonly environment: Readonly<Record<string, string>>;
  /** The folder it starts in, from the repository's root; `""` is the root. */
  readonly directory: string;
  readonly timeoutMs: number | undefined;
  readonly output: "text" | "json" | undefined;
  readonly schema: Readonly<Record<string, unknown>> | undefined;
  /** A person must say yes before it starts; without an answer by then, it is no. */
  readonly approval?: { readonly expiresMs: number } | undefined;
  /** It is a monitor: started again when it ends. */
  readonly restart?: RestartPolicy | undefined;
  /** Lines of its log that begin with `@report ` become events. */
  readonly reports?: boolean | undefined;
}

/** A run with everything settled: what the daemon works from, whatever the files say later. */
export interface RunSpec {
  /** The workflow's name, where it has one. */
  readonly name: string | undefined;
  readonly mode: Mode;
  readonly join: Join;
  /** How the work of its tasks lands. */
  readonly land: "each" | "together";
  /** Whether the repository's file names commands that must pass before anything lands. */
  readonly verifies: boolean;
  /** What to do about a base that does not pass verification itself. */
  readonly redBase: "stop" | "forbid-new";
  /** The branch of the user's that its work lands on; without one, a lane of its own in the vault. */
  readonly target: string | undefined;
  readonly parallel: number | undefined;
  readonly share: boolean | undefined;
  readonly tasks: readonly TaskSpec[];
  readonly setup: readonly string[];
  /** Names or paths of ignored folders that stay in a workspace when it is recycled. */
  readonly dependencies: readonly string[];
  /** Whether those folders are copied from the user's tree. */
  readonly copyDependencies: boolean;
  readonly carry: readonly string[];
  readonly ports: readonly string[];
  /** For every task; values may hold `{{workspace}}` and `{{port.NAME}}`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly repositoryParallel: number | undefined;
  readonly resources: Readonly<Record<string, number>>;
  readonly logCapBytes: number;
  /** What all of it, and whatever it starts, may use. */
  readonly budget: Budget;
  /** What all runs of the chain of events that it belongs to may use, where it belongs to one. */
  readonly chain?: Budget | undefined;
}
