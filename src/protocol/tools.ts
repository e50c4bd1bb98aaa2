import { z } from "zod";

import { MESSAGE_TIMINGS } from "../engine/agent.ts";
import { MODES } from "../engine/planner.ts";
import { CONDITIONS, JOINS } from "../engine/task.ts";
import { budget } from "../workflows/schema.ts";

/*
 * The tools that parent agents are given. Every word here is read by a model in each of its sessions: say what it
 * cannot guess, and nothing else.
 */

const id = z.string().min(1).max(200);
const text = z.string().trim().min(1);

const agentTask = z.strictObject({
  agent: text.describe("a definition's name, or claude, codex, opencode, acp"),
  prompt: text.describe("all it needs to know: it does not see your conversation"),
  name: z.string().optional(),
  needs: z.array(z.string()).optional().describe("names that must end first; it starts from their landed work"),
  when: z.enum(CONDITIONS).optional(),
  writes: z.array(z.string().min(1)).optional().describe("globs it will write; [] for nothing"),
  exclusive: z.boolean().optional().describe("nobody else may write those meanwhile"),
  budget: budget.optional(),
  schema: z.record(z.string(), z.unknown()).optional().describe("JSON Schema of its answer"),
});

const work = {
  agents: z.array(agentTask).min(1).max(100).optional(),
  workflow: text.optional().describe("of anabranch.yaml, instead of agents"),
  mode: z.enum(MODES).optional(),
  join: z.enum(JOINS).optional().describe("first: a race; best-of-n: one lands"),
  target: text.optional().describe("branch to land on"),
  base: text.optional().describe("commit to start from, instead of the current state"),
  budget: budget.optional().describe("of all together"),
};

const seconds = z
  .number()
  .min(0)
  .max(86_400)
  .optional()
  .describe("answer after this long at the latest; what has not ended goes on");

const problem = z.object({ code: z.string(), message: z.string(), hint: z.string().optional() });

/** One task, as a parent is told of it. */
const taskReport = z.object({
  name: z.string(),
  agent: z.string().optional(),
  /** Its outcome once it has ended, else its state. */
  state: z.string(),
  doing: z.string().optional(),
  /** What it waits for a person to decide. */
  needsPerson: z.array(z.string()).optional(),
  error: problem.optional(),
  answer: z.unknown().optional(),
  /** What was left out of a long answer, in characters. */
  answerLeft: z.number().optional(),
  /** `A src/a.ts +10`, `M src/b.ts +3 -1`. */
  files: z.array(z.string()).optional(),
  filesLeft: z.number().optional(),
  landed: z.boolean().optional(),
});

/** One run, as a parent is told of it. */
const runReport = z.object({
  id: z.string(),
  state: z.string(),
  tasks: z.array(taskReport),
  conflicts: z.array(z.object({ id: z.string(), task: z.string(), paths: z.array(z.string()) })).optional(),
  problem: problem.optional(),
  notices: z.array(z.string()).optional(),
  next: z.string().optional(),
});

/** Every tool that a parent agent is given. */
export const tools = {
  run_agents: {
    about:
      "Runs agents, each in its own copy of this repository, in parallel unless one needs another. Waits, merges and checks their work, and reports. Your files stay untouched.",
    input: z.strictObject({ ...work, seconds }),
    output: runReport,
    readOnly: false,
  },
  spawn_agent: {
    about: "Starts one agent in the background and returns its id at once; wait_agents tells how it ended.",
    input: agentTask.omit({ needs: true, when: true }),
    output: z.object({ id: z.string(), task: z.string() }),
    readOnly: false,
  },
  wait_agents: {
    about: "Waits for runs or agents (RUN or RUN/NAME) and reports those that ended.",
    input: z.strictObject({
      ids: z.array(id).min(1).max(100),
      any: z.boolean().optional().describe("until the first has ended"),
      seconds,
    }),
    output: z.object({ ended: z.array(runReport), open: z.array(z.string()), going: z.array(runReport) }),
    readOnly: true,
  },
  list_agents: {
    about: "Lists the newest runs here, and the agents that can be named.",
    input: z.strictObject({ limit: z.int().min(1).max(100).optional() }),
    output: z.object({
      runs: z.array(
        z.object({
          id: z.string(),
          name: z.string().optional(),
          state: z.string(),
          tasks: z.string(),
          ageS: z.number(),
        }),
      ),
      agents: z.array(
        z.object({
          name: z.string(),
          kind: z.string().optional(),
          about: z.string().optional(),
          cannot: z.string().optional(),
        }),
      ),
    }),
    readOnly: true,
  },
  message_agent: {
    about: "Tells an agent at work something.",
    input: z.strictObject({
      id: id.describe("RUN/NAME"),
      text,
      when: z.enum(MESSAGE_TIMINGS).optional().describe("now interrupts it; next (default): after its current tool"),
    }),
    output: z.object({ run: z.string(), task: z.string(), when: z.string() }),
    readOnly: false,
  },
  fork_me: {
    about:
      "Starts copies of you, with all you know and the files as they are now, in the background; wait_agents tells how they ended.",
    input: z.strictObject({
      prompts: z.array(text).min(1).max(16).describe("one copy for each"),
      readOnly: z.boolean().optional().describe("nothing they change is kept"),
      budget: budget.optional(),
    }),
    output: z.object({
      id: z.string(),
      tasks: z.array(z.string()),
      /** `digest`: the conversation could not be copied, and they were given a summary of it. */
      way: z.string(),
      contextTokens: z.number().optional(),
      cache: z.string(),
    }),
    readOnly: false,
  },
  cancel_agent: {
    about: "Stops a run or one agent with all it started; its work is kept as a snapshot.",
    input: z.strictObject({ id, force: z.boolean().optional() }),
    output: z.object({ runs: z.array(z.string()), tasks: z.array(z.string()) }),
    readOnly: false,
  },
  claim_files: {
    about: "Only where you are a task yourself: keeps others off files that you are about to write.",
    input: z.strictObject({
      scope: z.array(z.string().min(1).max(1000)).min(1).max(100).describe("globs"),
      minutes: z.number().min(0.1).max(60).optional().describe("default: 10"),
    }),
    output: z.object({ id: z.string(), scope: z.array(z.string()), forS: z.number() }),
    readOnly: false,
  },
  release_files: {
    about: "Gives up what you claimed.",
    input: z.strictObject({ id }),
    output: z.object({ id: z.string(), scope: z.array(z.string()) }),
    readOnly: false,
  },
  plan: {
    about: "Takes what run_agents takes, and shows how that would go about it, and why, without doing it.",
    input: z.strictObject(work),
    briefly: true,
    output: z.object({
      mode: z.string(),
      atOnce: z.number(),
      reason: z.string(),
      predictedMs: z.number(),
      tasks: z.array(
        z.object({ name: z.string(), needs: z.array(z.string()), startsFrom: z.string(), expectedMs: z.number() }),
      ),
    }),
    readOnly: true,
  },
} as const satisfies Record<string, ToolShape>;

interface ToolShape {
  readonly about: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** Whether what its keys mean is said with another tool. */
  readonly briefly?: true;
  /** Whether it changes nothing. */
  readonly readOnly: boolean;
}

export type { AgentKind } from "../engine/agent.ts";

/** The names of the tools. */
export type ToolName = keyof typeof tools;
/** What a tool is called with. */
export type ToolInput<Name extends ToolName> = z.infer<(typeof tools)[Name]["input"]>;
/** What a tool answers. */
export type ToolOutput<Name extends ToolName> = z.infer<(typeof tools)[Name]["output"]>;
/** One agent to be started, as a parent writes it. */
export type AgentTask = z.infer<typeof agentTask>;
/** One run, as a parent is told of it. */
export type RunReport = z.infer<typeof runReport>;
/** One task, as a parent is told of it. */
export type TaskReport = z.infer<typeof taskReport>;

/**
 * The JSON Schema of a tool's input or output, as short as it can be said: bounds are checked when it is called.
 * @param briefly leaves out what the keys mean
 */
export function toolJsonSchema(schema: z.ZodType, io: "input" | "output", briefly = false): ObjectSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    override({ jsonSchema, path }) {
      for (const key of BOUNDS) delete jsonSchema[key];
      if (briefly) delete jsonSchema.description;
      if (path.length > 0) delete jsonSchema.additionalProperties;
    },
  });
  return { ...rest, type: "object" };
}

type ObjectSchema = Record<string, unknown> & { readonly type: "object" };

const BOUNDS = [
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "propertyNames",
] as const;
