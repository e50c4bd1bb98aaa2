import { z } from "zod";

import { AGENT_KINDS, MESSAGE_TIMINGS } from "../engine/agent.ts";
import { MODES } from "../engine/planner.ts";
import { JOINS } from "../engine/task.ts";
import { emitCommand } from "./emit.ts";
import { backgroundCommands, backgroundStreams } from "./background-commands.ts";
import { eventCommands } from "./event-commands.ts";
import { webhookCommands } from "./webhook-commands.ts";
import { budget, LANDS, RED_BASES, taskDefinition, taskName, workflowDefinition } from "../workflows/schema.ts";
import {
  agentSummary,
  agentDefinitionView,
  auditedReceipt,
  brokenAgent,
  checkView,
  conflictListing,
  conflictSummary,
  conflictView,
  eventView,
  landingView,
  leaseView,
  noticeView,
  planView,
  predictionView,
  runSummary,
  runView,
  sideView,
} from "./views.ts";

const directory = z.string().min(1);
const id = z.string().min(1).max(200);
const base = z.string().min(1).max(1000);

/** Work to be planned or started. */
const startRequest = z.strictObject({
  /** Where the caller stands. */
  directory,
  /** The caller's environment: its tasks run with it. */
  environment: z.record(z.string(), z.string()),
  /** The name of a workflow in the repository's `anabranch.yaml`. */
  workflow: z.string().min(1).optional(),
  /** A workflow given here. */
  definition: workflowDefinition.optional(),
  /** Or just tasks. */
  tasks: z.record(taskName, taskDefinition).optional(),
  mode: z.enum(MODES).optional(),
  join: z.enum(JOINS).optional(),
  land: z.enum(LANDS).optional(),
  redBase: z.enum(RED_BASES).optional(),
  /** The branch its work lands on, instead of a lane of its own. */
  target: base.optional(),
  parallel: z.int().min(1).max(1000).optional(),
  share: z.boolean().optional(),
  writesNone: z.boolean().optional(),
  /** What all of it, and whatever it starts, may use. */
  budget: budget.optional(),
  /** A commit to start from instead of the current state. */
  base: base.optional(),
  /** Made by the caller, so that asking twice starts once. */
  requestId: z.string().min(8).max(100),
});

/** The answer to {@link startRequest}. */
const startResult = z.object({ run: runView, notices: z.array(z.string()) });

/** What a copy of a conversation is expected to cost before it does anything. */
const forkEstimate = z.object({
  kind: z.enum(AGENT_KINDS),
  conversation: z.string(),
  /** The task of ours whose conversation it is. */
  task: z.object({ run: z.string(), task: z.string() }).optional(),
  title: z.string().optional(),
  model: z.string().optional(),
  /** `digest`: it cannot be copied into another folder; the new agent is given a summary instead. */
  way: z.enum(["copy", "digest"]),
  /** The size of the conversation. */
  contextTokens: z.number().optional(),
  /** How long ago its last request was. */
  ageMs: z.number(),
  /** Whether the model's service will probably still hold it in its cache. */
  cache: z.enum(["likely", "unlikely"]),
  /** What reading it once more costs by the price list, where its model is on it. */
  usd: z.number().optional(),
});

const outcomes = z.array(runSummary.extend({ task: z.string().optional(), ended: z.boolean() }));

/** What `gc` would remove, or has removed. */
const gcResult = z.object({
  runs: z.array(z.object({ id: z.string(), name: z.string().optional(), endedMs: z.number() })),
  workspaces: z.array(z.object({ path: z.string(), repository: z.string() })),
  /** Workspaces kept because what they hold could not be made safe. */
  retained: z.array(z.object({ path: z.string(), holder: z.string() })),
  pins: z.number(),
  /** Old events. */
  events: z.number(),
  bytes: z.number(),
  removed: z.boolean(),
});

/** What `accept` did. */
const acceptResult = z.object({
  run: z.string(),
  acceptance: z.string().optional(),
  /** `already`: there was nothing left to do. */
  status: z.enum(["accepted", "already", "undone"]),
  /** The working tree it was done to. */
  root: z.string(),
  /** `branch`: commits were made; `tree`: files were changed, and nothing else. */
  target: z.enum(["branch", "tree"]),
  /** Absent when HEAD is detached. */
  branch: z.string().optional(),
  written: z.array(z.string()),
  removed: z.array(z.string()),
  /** Paths that were as they should be already. */
  unchanged: z.array(z.string()),
  /** Paths that are in the working tree, but in none of the commits. */
  uncommitted: z.array(z.object({ path: z.string(), why: z.string() })),
  commits: z.array(z.object({ oid: z.string(), subject: z.string(), paths: z.number() })),
  verification: z.enum(["passed", "failed", "unverified"]),
  notices: z.array(z.string()),
});

const environment = z.record(z.string(), z.string());

/** A task's work that landed because a person asked for it. */
const landResult = z.object({
  run: z.string(),
  task: z.string(),
  landing: landingView,
  /** Whether it had landed before it was asked for. */
  already: z.boolean(),
  /** The conflict that this settled. */
  conflict: z.string().optional(),
  /** The ref in the vault that keeps what was in the workspace of the conflict. */
  kept: z.string().optional(),
});

/** A conflict that was opened in a workspace. */
const openResult = z.object({
  id: z.string(),
  folder: z.string(),
  /** The commit it stands on: what had landed. */
  base: z.string(),
  /** What is left to decide, and how each path stands there. */
  paths: z.array(z.object({ path: z.string(), kind: z.string(), advice: z.string() })),
  /** Whether it was open there before. */
  again: z.boolean(),
});

/** What a daemon says of itself. */
const statusResult = z.object({
  pid: z.number(),
  version: z.string(),
  protocol: z.number(),
  node: z.string(),
  home: z.string(),
  startedMs: z.number(),
  memoryBytes: z.number(),
  activeRuns: z.number(),
  workingTasks: z.number(),
  readyTasks: z.number(),
  /** Why nothing new starts, where the disk or the memory has too little room. */
  held: z.string().optional(),
});

/**
 * Every request a client can make. Routes, SDK methods and the shapes of `--json` come from this table.
 * `inTask: "refused"` marks what a caller inside a task may never do.
 */
export const commands = {
  status: { request: z.strictObject({}), response: statusResult, inTask: "allowed" },
  start: { request: startRequest, response: startResult, inTask: "allowed" },
  plan: { request: startRequest, response: planView, inTask: "allowed" },
  list: {
    request: z.strictObject({
      limit: z.int().min(1).max(1000).optional(),
      skip: z.int().min(0).optional(),
      /** Only the runs of the repository around this folder. */
      directory: directory.optional(),
    }),
    response: z.array(runSummary),
    inTask: "allowed",
  },
  show: { request: z.strictObject({ id, directory: directory.optional() }), response: runView, inTask: "allowed" },
  wait: {
    request: z.strictObject({
      ids: z.array(id).min(1).max(1000),
      any: z.boolean().optional(),
      /** Answers with what has ended by then. */
      timeoutMs: z.number().min(0).optional(),
      directory: directory.optional(),
    }),
    response: outcomes,
    inTask: "allowed",
  },
  cancel: {
    request: z.strictObject({ id, force: z.boolean().optional(), directory: directory.optional() }),
    response: z.object({ runs: z.array(z.string()), tasks: z.array(z.string()) }),
    inTask: "allowed",
  },
  accept: {
    request: z.strictObject({
      id,
      directory,
      /** The caller's environment: verification runs with it. */
      environment: z.record(z.string(), z.string()),
      /** Takes it back instead. */
      undo: z.boolean().optional(),
    }),
    response: acceptResult,
    inTask: "refused",
  },
  conflicts: {
    request: z.strictObject({
      /** Only those of the repository around this folder. */
      directory: directory.optional(),
    }),
    response: z.array(conflictListing),
    inTask: "allowed",
  },
  "conflicts-show": {
    request: z.strictObject({
      id,
      /** Every file and line, however many there are. */
      full: z.boolean().optional(),
    }),
    response: conflictView,
    inTask: "allowed",
  },
  "conflicts-open": {
    request: z.strictObject({ id, environment }),
    response: openResult,
    inTask: "refused",
  },
  "conflicts-take": {
    request: z.strictObject({
      id,
      side: sideView,
      /** From the repository's root; without it, all of its paths. */
      path: z.string().min(1).optional(),
      environment,
    }),
    response: z.object({ conflict: conflictSummary, landed: landResult.optional() }),
    inTask: "refused",
  },
  "conflicts-abort": {
    request: z.strictObject({ id }),
    response: z.object({
      conflict: conflictSummary,
      /** The commit in the vault that keeps the task's work. */
      snapshot: z.string(),
      /** The ref in the vault that keeps what was in its workspace. */
      kept: z.string().optional(),
    }),
    inTask: "refused",
  },
  land: {
    request: z.strictObject({
      /** A conflict, or a task that has ended and whose work has not landed. */
      id,
      directory: directory.optional(),
      environment,
    }),
    response: landResult,
    inTask: "refused",
  },
  audit: {
    request: z.strictObject({
      /** Only the receipts of this run. */
      id: id.optional(),
      directory,
    }),
    response: z.object({ proved: z.number(), receipts: z.array(auditedReceipt) }),
    inTask: "allowed",
  },
  predict: {
    request: z.strictObject({
      /** A run or task; without it, all that go on in the repository around the folder. */
      id: id.optional(),
      directory,
    }),
    response: predictionView,
    inTask: "allowed",
  },
  message: {
    request: z.strictObject({
      /** A task that an agent is at work on. */
      id,
      text: z.string().trim().min(1).max(100_000),
      /** `next` (default): with the result of the tool it is using; `now`: its turn is ended first; `later`: after it. */
      when: z.enum(MESSAGE_TIMINGS).optional(),
      directory: directory.optional(),
    }),
    response: z.object({ id: z.string(), run: z.string(), task: z.string(), when: z.enum(MESSAGE_TIMINGS) }),
    inTask: "allowed",
  },
  "needs-you": {
    request: z.strictObject({
      /** Only those of the repository around this folder. */
      directory: directory.optional(),
    }),
    response: z.array(noticeView),
    inTask: "allowed",
  },
  approve: {
    request: z.strictObject({
      /** A notice, or a task that has only one. */
      id,
      approved: z.boolean(),
      /** Told to whoever asked. */
      reason: z.string().max(10_000).optional(),
    }),
    response: noticeView,
    inTask: "refused",
  },
  fork: {
    request: z.strictObject({
      directory,
      environment,
      /** A task of ours, or the agent's own id of a conversation. Default: the newest one in the folder. */
      source: id.optional(),
      /** Or a use of a tool in the conversation, by the agent's own id of it. */
      toolUse: id.optional(),
      kind: z.enum(AGENT_KINDS).optional(),
      /** Each starts a copy of its own. None: only the estimate is made. */
      prompts: z.array(z.string().trim().min(1)).max(64),
      writesNone: z.boolean().optional(),
      budget: budget.optional(),
      requestId: z.string().min(8).max(100),
    }),
    response: z.object({ estimate: forkEstimate, run: runView.optional(), notices: z.array(z.string()) }),
    inTask: "allowed",
  },
  agents: {
    request: z.strictObject({
      /** A folder inside the repository. */
      directory,
      /** The caller's environment: where the user's own agents are, and programs. */
      environment,
    }),
    response: z.object({ agents: z.array(agentSummary), broken: z.array(brokenAgent) }),
    inTask: "allowed",
  },
  "agents-show": {
    request: z.strictObject({ name: z.string().min(1), directory, environment }),
    response: agentDefinitionView,
    inTask: "allowed",
  },
  "agents-trust": {
    request: z.strictObject({
      name: z.string().min(1),
      directory,
      environment,
      /** What was seen of it: if it is no longer that, it is not trusted. */
      contentHash: z.string(),
    }),
    response: agentDefinitionView,
    inTask: "refused",
  },
  claim: {
    request: z.strictObject({
      /** Where the caller stands: what starts with `./` or `../` is meant from there. */
      directory,
      /** Globs, from the repository's root, or absolute in the caller's workspace. */
      scope: z.array(z.string().min(1).max(1000)).min(1).max(100),
      /** Default: ten minutes. Claimed again, it is held as long from then on. */
      ttlMs: z.int().min(1000).max(3_600_000).optional(),
    }),
    response: leaseView,
    inTask: "allowed",
  },
  release: {
    /** A lease that the calling task has claimed. */
    request: z.strictObject({ id }),
    response: leaseView,
    inTask: "allowed",
  },
  leases: { request: z.strictObject({ directory }), response: z.array(leaseView), inTask: "allowed" },
  ...backgroundCommands,
  ...emitCommand,
  ...eventCommands,
  ...webhookCommands,
  gc: {
    request: z.strictObject({
      /** Only runs that ended longer ago. */
      olderThanMs: z.number().min(0).optional(),
      /** Without it, nothing is removed. */
      confirm: z.boolean().optional(),
    }),
    response: gcResult,
    inTask: "refused",
  },
  doctor: {
    request: z.strictObject({
      /** The caller's environment: where the programs of agents are. */
      environment: environment.optional(),
    }),
    response: z.array(checkView),
    inTask: "allowed",
  },
  stop: {
    request: z.strictObject({
      /** Ends all running tasks first; otherwise they go on, and the next daemon takes them up again. */
      cancel: z.boolean().optional(),
    }),
    response: z.object({ pid: z.number(), goingOn: z.number(), cancelled: z.number() }),
    inTask: "refused",
  },
} as const satisfies Record<string, CommandShape>;

interface CommandShape {
  readonly request: z.ZodType;
  readonly response: z.ZodType;
  readonly inTask: "allowed" | "refused";
}

/** A piece of a stream of bytes. */
const piece = z.object({
  /** Base64. */
  bytes: z.string(),
  task: z.string().optional(),
});

/** Every request whose answer is a stream of messages, each with a type. */
export const streams = {
  /** Events as they are committed. With `follow: false` it ends at the newest. */
  events: {
    request: z.strictObject({
      afterSeq: z.number().min(0).optional(),
      /** Not those from before this time. */
      sinceMs: z.number().min(0).optional(),
      run: id.optional(),
      /** Globs of types, such as `task.*`. */
      types: z.array(z.string().min(1).max(200)).min(1).max(100).optional(),
      /** Only those of the repository around `directory`. */
      here: z.boolean().optional(),
      follow: z.boolean().optional(),
      directory: directory.optional(),
    }),
    messages: { event: eventView, reset: z.object({ oldestSeq: z.number() }) },
  },
  /** One run as it goes: the whole view whenever something changed, and output lines as they come. */
  watch: {
    request: z.strictObject({
      id,
      /** `last`: the newest line of each task; `full`: every line. */
      output: z.enum(["none", "last", "full"]).optional(),
      directory: directory.optional(),
    }),
    messages: {
      run: runView,
      line: z.object({ task: z.string(), text: z.string() }),
    },
  },
  /** What a task printed. */
  logs: {
    request: z.strictObject({
      id,
      follow: z.boolean().optional(),
      attempt: z.int().min(1).optional(),
      /** Only the last so many lines of what was printed by now. */
      lastLines: z.int().min(0).max(10_000).optional(),
      /** Standard output alone, of a task with `output:`. */
      output: z.boolean().optional(),
      directory: directory.optional(),
    }),
    messages: { piece },
  },
  /** What a task changed, as a patch. */
  diff: {
    request: z.strictObject({
      id,
      format: z.enum(["patch", "stat", "names"]).optional(),
      colour: z.boolean().optional(),
      directory: directory.optional(),
    }),
    messages: { piece, end: z.object({ status: z.number() }) },
  },
  ...backgroundStreams,
  /** A read-only git command in the vault. */
  git: {
    request: z.strictObject({ args: z.array(z.string()).min(1), directory }),
    messages: { piece, complaint: z.object({ text: z.string() }), end: z.object({ status: z.number() }) },
  },
} as const;

/** The names of the commands. */
export type CommandName = keyof typeof commands;
/** What a command is asked with. */
export type CommandRequest<Name extends CommandName> = z.infer<(typeof commands)[Name]["request"]>;
/** What a command answers. */
export type CommandResponse<Name extends CommandName> = z.infer<(typeof commands)[Name]["response"]>;

/** The names of the streams. */
export type StreamName = keyof typeof streams;
/** What a stream is asked with. */
export type StreamRequest<Name extends StreamName> = z.infer<(typeof streams)[Name]["request"]>;
/** The messages of a stream. */
export type StreamMessage<Name extends StreamName> = {
  [Type in keyof (typeof streams)[Name]["messages"] & string]: {
    readonly type: Type;
    readonly data: z.infer<(typeof streams)[Name]["messages"][Type] & z.ZodType>;
  };
}[keyof (typeof streams)[Name]["messages"] & string];
