import { z } from "zod";

import { ERROR_CODES, type ErrorCode } from "../base/error-codes.ts";
import { AGENT_KINDS, LEASE_ANSWERS, PERMISSIONS } from "../engine/agent.ts";
import { MODES } from "../engine/planner.ts";
import { JOINS, OUTCOMES, TASK_STATES } from "../engine/task.ts";
import { attemptView } from "./views/attempt.ts";
import { chainView } from "./views/chain.ts";
import { agentView } from "./views/conversation.ts";
import { hunkView } from "./views/hunk.ts";
import { landedChangesetView } from "./views/landed-changeset.ts";
import { meetingView, overlapView, watchedTaskView } from "./views/overlap.ts";
import { plannedTaskView } from "./views/planned-task.ts";
import { usageView } from "./views/usage.ts";
import { verificationView } from "./views/verification.ts";

const errorCode = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);
const ms = z.number();

/** Why something is as it is: an error's code, message and hint. */
export const reasonView = z.object({
  code: errorCode,
  message: z.string(),
  hint: z.string().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});

/** A landing: what moved where, and what was proved of it. */
export const landingView = z.object({
  id: z.string(),
  run: z.string(),
  target: z.object({ kind: z.enum(["lane", "branch", "tree"]), name: z.string() }),
  before: z.string(),
  after: z.string(),
  changesets: z.array(landedChangesetView),
  verification: verificationView,
  notices: z.array(z.string()),
  receipt: z.string(),
  atMs: ms,
});

/** A changeset that could not be merged, in one line. */
export const conflictSummary = z.object({
  id: z.string(),
  run: z.string(),
  task: z.string(),
  state: z.enum(["open", "settled", "aborted"]),
  paths: z.array(
    z.object({
      path: z.string(),
      kind: z.string(),
      message: z.string(),
      choice: z.enum(["ours", "theirs"]).optional(),
    }),
  ),
  createdMs: ms,
  endedMs: ms.optional(),
});

/** Which side of a conflict is taken: what has landed, or the task's. */
export const sideView = z.enum(["ours", "theirs"]);

/** A conflict in one line, as a list over runs has it. */
export const conflictListing = conflictSummary.extend({
  runName: z.string().optional(),
  repository: z.string(),
  /** The folder in which it is being fixed. */
  folder: z.string().optional(),
});

/** One path of a conflict, with both sides. */
const conflictFileView = z.object({
  path: z.string(),
  kind: z.string(),
  message: z.string(),
  choice: sideView.optional(),
  /** The name that the task gave it, where that is another one. */
  renamedTo: z.string().optional(),
  modes: z.object({ base: z.string().optional(), ours: z.string().optional(), theirs: z.string().optional() }),
  /** What has landed and changed it, newest first. */
  landed: z.array(
    z.object({
      commit: z.string(),
      subject: z.string(),
      author: z.string(),
      /** `RUN/TASK`, where a task did it, and what that was asked to do. */
      task: z.string().optional(),
      intent: z.string().optional(),
    }),
  ),
  hunks: z.array(hunkView),
  hunksLeft: z.number(),
});

/** A conflict with everything that somebody needs to decide. */
export const conflictView = conflictListing.extend({
  attempt: z.number(),
  /** What the task was asked to do. */
  intent: z.string(),
  lane: z.string(),
  /** Commits in the vault: what the task started from, what had landed, and what the task made. */
  base: z.string(),
  ours: z.string(),
  theirs: z.string(),
  /** Whether more has landed since. */
  isOutdated: z.boolean(),
  landing: z.string().optional(),
  files: z.array(conflictFileView),
  filesLeft: z.number(),
});

/** What proving one receipt again came to. */
export const auditedReceipt = z.object({
  landing: z.string(),
  run: z.string(),
  target: z.string(),
  changesets: z.number(),
  waivers: z.number(),
  verification: z.string(),
  atMs: ms,
  proved: z.boolean(),
  /** Why it is not proved. */
  problems: z.array(z.string()),
});

/** Something that only a person can do. */
export const noticeView = z.object({
  id: z.string(),
  run: z.string().optional(),
  task: z.string().optional(),
  kind: z.string(),
  state: z.enum(["open", "approved", "denied", "withdrawn", "expired"]),
  title: z.string(),
  detail: z.string(),
  /** What happens after a yes. */
  consequence: z.string().optional(),
  /** Who has answered. */
  by: z.string().optional(),
  createdMs: ms,
  /** Without an answer by then it is no. */
  expiresMs: ms.optional(),
});

/** Something that somebody is to be told. */
export const inboxEntryView = z.object({
  /** The same where it is told twice. */
  id: z.string(),
  kind: z.enum(["run", "task", "notice", "dead-letter"]),
  /** Whom it was for; what a conversation does not come for is left to the person. */
  addressee: z.string(),
  run: z.string().optional(),
  task: z.string().optional(),
  title: z.string(),
  outcome: z.enum(OUTCOMES).optional(),
  reason: reasonView.optional(),
  /** What shows more of it, or what a person does about it. */
  command: z.string(),
  unread: z.boolean(),
  createdMs: ms,
});

/** One task of a run. */
const taskView = z.object({
  run: z.string(),
  name: z.string(),
  command: z.string(),
  state: z.enum(TASK_STATES),
  outcome: z.enum(OUTCOMES).optional(),
  detach: z.boolean(),
  writesNone: z.boolean(),
  needs: z.array(z.string()),
  /** Why it waits, or ended as it did. */
  reason: reasonView.optional(),
  /** What is going on right now, for people: `copying node_modules, 12,000 files`. */
  activity: z.string().optional(),
  overlaps: z.array(overlapView).optional(),
  cancelRequested: z.boolean(),
  readyMs: ms.optional(),
  endedMs: ms.optional(),
  /** What it printed on standard output, parsed, where `output: json` and small enough. */
  output: z.unknown().optional(),
  /** Where agents have used anything. */
  usage: usageView.optional(),
  /** The landing that put its work on the lane. */
  landing: z.string().optional(),
  /** Who does it, where that is no command. */
  agent: agentView.optional(),
  /** What waits for a person. */
  needsYou: z.array(noticeView).optional(),
  attempts: z.array(attemptView),
});

/** How a run's tasks start, and why. */
export const planView = z.object({
  mode: z.enum(MODES),
  width: z.number(),
  share: z.boolean(),
  exclusive: z.array(z.array(z.string())),
  reason: z.string(),
  predictedMs: ms,
  measuredTasks: z.number(),
  alternatives: z.array(z.object({ width: z.number(), share: z.boolean(), predictedMs: ms })),
  tasks: z.array(plannedTaskView),
  /** What its end leads to. */
  chain: chainView.optional(),
});

/** A run in one line. */
export const runSummary = z.object({
  id: z.string(),
  name: z.string().optional(),
  state: z.enum(["active", "ended"]),
  outcome: z.enum(OUTCOMES).optional(),
  cancelRequested: z.boolean(),
  repository: z.string(),
  parent: z.object({ run: z.string(), task: z.string() }).optional(),
  /** Who is told of it, where that is no longer its parent, which has ended: a task, or the person. */
  adoptedBy: z.union([z.object({ run: z.string(), task: z.string() }), z.literal("person")]).optional(),
  tasks: z.array(z.object({ state: z.enum(TASK_STATES), outcome: z.enum(OUTCOMES).optional(), count: z.number() })),
  createdMs: ms,
  endedMs: ms.optional(),
});

/** A run with everything that is known of it. */
export const runView = runSummary.extend({
  join: z.enum(JOINS),
  base: z.object({
    commit: z.string(),
    uncommittedPaths: z.number(),
    untrackedPaths: z.number(),
  }),
  plan: planView,
  taskList: z.array(taskView),
  lane: z.object({
    kind: z.enum(["lane", "branch"]),
    name: z.string(),
    /** What it stands at; absent while nothing has landed. */
    tip: z.string().optional(),
    land: z.enum(["each", "together"]),
    /** Where all of the work lands at once: how far that is. */
    together: z.enum(["wanted", "moving", "landed", "refused"]).optional(),
    reason: reasonView.optional(),
    /** Whether the base passes verification itself, once that is known. */
    base: z.enum(["green", "red", "unverified"]).optional(),
    failing: z.array(z.object({ command: z.string(), log: z.string() })),
  }),
  landings: z.array(landingView),
  conflicts: z.array(conflictSummary),
  notices: z.array(z.string()),
  times: z.object({
    /** From its start to the end of the last task that holds it open, or until now. */
    wallMs: ms,
    /** What its attempts took together: spin-up and running, one after another. */
    sequentialMs: ms,
  }),
  /** Where agents have used anything. */
  usage: usageView.optional(),
  vault: z.string(),
  folder: z.string(),
  /** The number of the newest event this view contains. */
  seq: z.number(),
});

/** An event, as streams carry it. */
export const eventView = z.object({
  seq: z.number(),
  atMs: ms,
  type: z.string(),
  run: z.string().optional(),
  task: z.string().optional(),
  repositoryId: z.string().optional(),
  /** The triggers that have led to it, the first one first, and how many times one has fired on the way. */
  cause: z.object({ chain: z.string(), depth: z.number(), triggers: z.array(z.string()) }).optional(),
  data: z.record(z.string(), z.unknown()),
});

/** What can be seen by now of how the work of tasks will merge. */
export const predictionView = z.object({
  /** Every two tasks that have changed the same paths. */
  meetings: z.array(meetingView),
  /** The tasks at work that are looked at now and then. */
  watched: z.array(watchedTaskView),
});

/** Whether a kind of agent can run here: where its program is, or why not. */
const agentProgramView = z.object({
  found: z.boolean(),
  path: z.string().optional(),
  version: z.string().optional(),
  /** What is amiss, though it may work. */
  warning: z.string().optional(),
  reason: reasonView.optional(),
});

/** An agent that can be named. */
export const agentSummary = z.object({
  name: z.string(),
  kind: z.enum(AGENT_KINDS),
  /** The file it is from, or `built in`. */
  source: z.string(),
  description: z.string().optional(),
  model: z.string().optional(),
  /** `changed`: what it brings is not what was agreed to. */
  trust: z.enum(["not-needed", "trusted", "untrusted", "changed"]),
  program: agentProgramView,
});

/** All that is known of an agent. */
export const agentDefinitionView = agentSummary.extend({
  system: z.string().optional(),
  effort: z.string().optional(),
  tools: z.array(z.string()).optional(),
  disallowedTools: z.array(z.string()).optional(),
  permission: z.enum(PERMISSIONS),
  leases: z.enum(LEASE_ANSWERS),
  trace: z.enum(["strace"]).optional(),
  /** What each of its tasks may use. */
  budget: z.object({
    usd: z.number().optional(),
    tokens: z.number().optional(),
    turns: z.number().optional(),
    ms: ms.optional(),
  }),
  /** The names of the servers of tools it is given. */
  toolServers: z.array(z.string()),
  /** What its file says that its kind's own program honours. */
  honoured: z.array(z.string()).optional(),
  /** What its kind cannot honour, and what is odd about it. */
  remarks: z.array(z.string()),
  /** What a person must have agreed to before it is used, a line each. */
  wants: z.array(z.string()),
  /** How that differs from what was agreed to. */
  changes: z.array(z.string()),
  /** Names all of `wants`. */
  contentHash: z.string(),
});

/** An agent that cannot be used, and why. */
export const brokenAgent = z.object({ name: z.string(), source: z.string(), reason: reasonView });

/** The exclusive right of a task to write a scope. */
export const leaseView = z.object({
  id: z.string(),
  run: z.string(),
  task: z.string(),
  /** Larger than that of every earlier lease in the repository. */
  token: z.number(),
  /** Globs, from the repository's root. */
  scope: z.array(z.string()),
  createdMs: ms,
  expiresMs: ms,
  /** Whether it is renewed until the task's work has landed. */
  renews: z.boolean(),
});

/** One check of `doctor`. */
export const checkView = z.object({
  name: z.string(),
  result: z.enum(["ok", "warn", "fail"]),
  evidence: z.string(),
  fix: z.string().optional(),
});

export type TaskView = z.infer<typeof taskView>;
export type PlanView = z.infer<typeof planView>;
export type RunSummary = z.infer<typeof runSummary>;
export type RunView = z.infer<typeof runView>;
export type EventView = z.infer<typeof eventView>;
export type LandingView = z.infer<typeof landingView>;
export type ConflictSummary = z.infer<typeof conflictSummary>;
export type ConflictListing = z.infer<typeof conflictListing>;
export type ConflictFileView = z.infer<typeof conflictFileView>;
export type ConflictView = z.infer<typeof conflictView>;
export type AuditedReceipt = z.infer<typeof auditedReceipt>;
export type PredictionView = z.infer<typeof predictionView>;
export type InboxEntryView = z.infer<typeof inboxEntryView>;
export type NoticeView = z.infer<typeof noticeView>;
export type AgentProgramView = z.infer<typeof agentProgramView>;
export type AgentSummary = z.infer<typeof agentSummary>;
export type AgentDefinitionView = z.infer<typeof agentDefinitionView>;
export type LeaseView = z.infer<typeof leaseView>;
export type CheckView = z.infer<typeof checkView>;
