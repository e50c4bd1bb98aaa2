import { z } from "zod";

import { AGENT_KINDS, LEASE_ANSWERS, PERMISSIONS } from "../engine/agent.ts";
import { MODES } from "../engine/planner.ts";
import { RESTARTS } from "../engine/restart.ts";
import { CONDITIONS, EFFECTS, JOINS } from "../engine/task.ts";
import { triggerDefinition } from "./trigger-schema.ts";
import { DURATION_PATTERN, SIZE_PATTERN } from "./units.ts";

const duration = z.string().regex(DURATION_PATTERN, "expected a duration such as 500ms, 10s, 5m or 2h");
const size = z.string().regex(SIZE_PATTERN, "expected a size such as 512kb, 64mb or 1gb");
const command = z.string().trim().min(1, "expected a command");
const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of an environment variable");
const environment = z.record(environmentName, z.union([z.string(), z.number(), z.boolean()]));
const relativePath = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith("/") && !path.split("/").includes(".."), "expected a path inside the repository");
const list = <Item extends z.ZodType>(item: Item): z.ZodUnion<[Item, z.ZodArray<Item>]> =>
  z.union([item, z.array(item)]);

/**
 * What a task may be called: it becomes a folder, part of a ref and part of a variable's name. Digits alone would lose
 * their place in the written order: JavaScript sorts such keys.
 */
export const taskName = z
  .string()
  .regex(
    /^(?![0-9]+$)[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/,
    "expected letters, digits, - and _, starting with a letter or digit, and not digits alone",
  );

const retries = z.union([
  z.int().min(0).max(100),
  z.strictObject({
    /** Attempts after the first one. */
    times: z.int().min(0).max(100),
    /** Before the second attempt. Default `1s`. */
    delay: duration.optional(),
    /** Each delay is this many times the one before. Default 2. */
    factor: z.number().min(1).max(10).optional(),
    /** No delay is longer. Default `1m`. */
    max: duration.optional(),
  }),
]);

/** What may be used. What is absent is not limited. */
export const budget = z.strictObject({
  usd: z.number().positive().optional(),
  /** Input, output and cached ones together. */
  tokens: z.int().min(1).optional(),
  /** Requests to the model. */
  turns: z.int().min(1).optional(),
  minutes: z.number().positive().optional(),
});

/** An agent, as it is written. */
export const agentDefinition = z.strictObject({
  /** A file such as `.claude/agents/reviewer.md`; what is said here beside it wins over what the file says. */
  from: relativePath.optional(),
  /** The program. Default: what the file says, else `claude`. */
  kind: z.enum(AGENT_KINDS).optional(),
  description: z.string().optional(),
  /** Added to its system prompt. */
  prompt: z.string().min(1).optional(),
  model: z.string().min(1).optional(),
  effort: z.string().min(1).optional(),
  /** The only tools it may use, by the names its kind has for them. */
  tools: list(z.string().min(1)).optional(),
  disallowedTools: list(z.string().min(1)).optional(),
  /** `read-only`, `workspace` (default) or `ask`: a person is asked before it writes or runs anything. */
  permission: z.enum(PERMISSIONS).optional(),
  budget: budget.optional(),
  /** Servers of tools it is given, besides Anabranch's own. */
  toolServers: z
    .record(
      z.string().min(1),
      z.strictObject({ command, args: z.array(z.string()).optional(), env: environment.optional() }),
    )
    .optional(),
  /** The program, where it is not found by its usual name: a path or name, or a list with arguments. */
  program: list(z.string().min(1)).optional(),
  /** When it is about to write what another holds a lease on: `warn`, `wait` or `deny` (default). */
  leases: z.enum(LEASE_ANSWERS).optional(),
  /** `strace`: finds out which files its commands read. */
  trace: z.enum(["strace"]).optional(),
});

const taskKeys = z.strictObject({
  /** The command, for `/bin/sh`. */
  run: command.optional(),
  /** The agent that does it: one of `agents:`, of `.claude/agents`, or a kind. */
  agent: z.string().min(1).optional(),
  /** What the agent is asked. `{{TASK.log}}`, `{{TASK.output}}`, `{{TASK.outcome}}` stand for results of its needs. */
  prompt: z.string().trim().min(1).optional(),
  /** What this task may use, besides what its agent's definition says. */
  budget: budget.optional(),
  /** Nobody else may write what it says it `writes`, until it has landed. */
  exclusive: z.boolean().optional(),
  /** Tasks that must have ended before. */
  needs: list(taskName).optional(),
  /** Starts when its needs all succeeded (default), when any failed, or always. */
  when: z.enum(CONDITIONS).optional(),
  /** Waits for all of its needs (default), for the first one (the others are then stopped), or for the best to land. */
  join: z.enum(JOINS).optional(),
  /** `none`: what it changes is reported and thrown away. Or the globs it will write. Default: anything. */
  writes: z.union([z.literal("none"), z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
  /** What its standard output is: `text` or `json` is kept apart from the log and passed on. */
  output: z.enum(["text", "json"]).optional(),
  /** A JSON Schema that the JSON output must meet. */
  schema: z.record(z.string(), z.unknown()).optional(),
  /** It is stopped after this long. */
  timeout: duration.optional(),
  /** How often it is tried again after it failed or was lost. Default: never. */
  retries: retries.optional(),
  /** Named resources it uses one unit of; see `limits.resources`. */
  resources: list(z.string().min(1)).optional(),
  /** Added to its environment. */
  env: environment.optional(),
  /** The folder it starts in, from the repository's root. Default: the root; for tasks outside of a file, where the caller stands. */
  directory: relativePath.optional(),
  /** It does not hold its run open. */
  detach: z.boolean().optional(),
  /** `irreversible`: a deploy, a push, a message to somebody. It starts when what comes before it has landed. */
  effect: z.enum(EFFECTS).optional(),
  /** A person must say yes before it starts: `required`, or until when that counts. Default of `expires`: `7d`. */
  approval: z.union([z.literal("required"), z.strictObject({ expires: duration })]).optional(),
  /** It is started again when it has failed, or whenever it has ended: a monitor. */
  restart: z
    .union([
      z.enum(RESTARTS),
      z.strictObject({
        when: z.enum(RESTARTS),
        /** More restarts than that within the time, and it stays down, with a notice. Default: 3 within `1m`. */
        limit: z.int().min(1).max(1000).optional(),
        within: duration.optional(),
        /** Before it is started again. Default `1s`. */
        delay: duration.optional(),
      }),
    ])
    .optional(),
  /** Lines of its output that begin with `@report ` become events. */
  reports: z.boolean().optional(),
});

/** One task, as it is written: a command, or an agent with a prompt. */
export const taskDefinition = taskKeys
  .superRefine((task, context) => {
    const problem = whoDoesIt(task);
    if (problem !== undefined) context.addIssue({ code: "custom", path: [...problem.path], message: problem.message });
  })
  // The same rule, for editors.
  .meta({
    oneOf: [
      { required: ["run"], properties: { agent: false, prompt: false, budget: false } },
      { required: ["agent", "prompt"], properties: { run: false } },
    ],
  });

function whoDoesIt(
  task: z.infer<typeof taskKeys>,
): { readonly path: readonly string[]; readonly message: string } | undefined {
  const { run, agent, prompt } = task;
  if (run !== undefined && agent !== undefined)
    return { path: ["agent"], message: "a task has a command (run:) or an agent (agent:), not both" };
  if (agent !== undefined)
    return prompt === undefined ? { path: [], message: "an agent needs a prompt (prompt:)" } : undefined;
  const alone = (["prompt", "budget"] as const).find((key) => task[key] !== undefined);
  if (alone !== undefined) return { path: [alone], message: `a ${alone} is for an agent (agent:), and there is none` };
  return run === undefined
    ? { path: [], message: "expected a command (run:), or an agent (agent:) with a prompt (prompt:)" }
    : undefined;
}

/** How the work of a run's tasks lands: each by itself as it is done, or all of it at once or not at all. */
export const LANDS = ["each", "together"] as const;

/** A named template of a run. */
export const workflowDefinition = z.strictObject({
  /** How its tasks start. Default `auto`. */
  mode: z.enum(MODES).optional(),
  /**
   * `first`: the run ends with the first of its final tasks that succeeds; the others are stopped. `best-of-n`: of its
   * final tasks only one lands, the smallest change that passes verification.
   */
  join: z.enum(JOINS).optional(),
  /** `together`: either the work of all its tasks lands, or none of it. Default `each`. */
  land: z.enum(LANDS).optional(),
  /** What all of it, and whatever it starts, may use. */
  budget: budget.optional(),
  /** The most tasks of this run at once. */
  parallel: z.int().min(1).max(1000).optional(),
  /** Whether tasks that write nothing share one workspace. Default: the planner's choice. */
  share: z.boolean().optional(),
  /** Added to the environment of its tasks. */
  env: environment.optional(),
  tasks: z.record(taskName, taskDefinition).refine((tasks) => Object.keys(tasks).length > 0, "expected a task"),
});

/** A command that must pass before anything lands. */
const verifyCommand = z.union([
  command,
  z.strictObject({
    run: command,
    /** It counts as failed after this long. Default `30m`. */
    timeout: duration.optional(),
  }),
]);

/** What becomes of a merge, by how far it can be trusted. */
const classRule = z.enum(["land", "verify", "ask"]);

/** What to do about a base that does not pass verification itself. */
export const RED_BASES = ["stop", "forbid-new"] as const;

/** `anabranch.yaml` at the root of a repository. */
export const repositoryFile = z.strictObject({
  /** Must pass on the merged result before anything lands. */
  verify: list(verifyCommand).optional(),
  /** What becomes of what the merge engine made of both sides of a file, by the class of it: A and B `land`, C `verify`, D `land`. */
  merge: z
    .strictObject({
      /** The edits are disjoint. */
      A: classRule.optional(),
      /** Both sides added named things at one place. */
      B: classRule.optional(),
      /** Parts of one statement come from both sides. */
      C: classRule.optional(),
      /** A policy dropped one of two contradicting edits; a waiver names it. */
      D: classRule.optional(),
    })
    .optional(),
  agents: z.record(taskName, agentDefinition).optional(),
  /** When the base fails already: `stop` (default) lands nothing, `forbid-new` lands what makes nothing else fail. */
  redBase: z.enum(RED_BASES).optional(),
  /** Run in each workspace, once per content of the lock files. */
  setup: list(command).optional(),
  /** Ignored folders that come along from the user's tree, by name or path. */
  dependencies: z.array(relativePath).optional(),
  /** Ignored files that workspaces get a copy of and snapshots never hold. */
  carry: z.array(relativePath).optional(),
  /** Variables that hold a port no other workspace has. */
  ports: z.array(environmentName).optional(),
  /** Added to the environment of every task; `{{workspace}}` is the workspace's number, `{{port.NAME}}` a port. */
  env: environment.optional(),
  limits: z
    .strictObject({
      /** The most tasks of this repository at once. */
      parallel: z.int().min(1).max(1000).optional(),
      /** How many tasks may use each named resource at once. */
      resources: z.record(z.string().min(1), z.int().min(1)).optional(),
      /** How much of each task's output is kept from its start. Default `64mb`. */
      log: size.optional(),
    })
    .optional(),
  workflows: z.record(taskName, workflowDefinition).optional(),
  /** What starts by itself, once `anabranch triggers enable` has agreed to exactly this file. */
  triggers: z.array(triggerDefinition).max(10_000).optional(),
  /** How far one event may lead. */
  chains: z
    .strictObject({
      /** How many triggers may fire one after another. Default 8. */
      depth: z.int().min(1).max(100).optional(),
      /** What all runs of one chain may use. */
      budget: budget.optional(),
    })
    .optional(),
});

/** An agent, as it is written. */
export type AgentDeclaration = z.infer<typeof agentDefinition>;
/** One task, as it is written. */
export type TaskDefinition = z.infer<typeof taskDefinition>;
/** A named template of a run, as it is written. */
export type WorkflowDefinition = z.infer<typeof workflowDefinition>;
/** `anabranch.yaml`, as it is written. */
export type RepositoryFile = z.infer<typeof repositoryFile>;
