import { z } from "zod";

import { MODES } from "../../engine/planner.ts";
import { JOINS } from "../../engine/task.ts";
import { budget, LANDS, RED_BASES, taskDefinition, taskName, workflowDefinition } from "../../workflows/schema.ts";
import { planView, runSummary, runView } from "../views.ts";
import { commit, directory, environment, id, requestId } from "./fields.ts";

/** Work to be planned or started. */
const startRequest = z.strictObject({
  directory,
  environment,
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
  target: commit.optional(),
  parallel: z.int().min(1).max(1000).optional(),
  share: z.boolean().optional(),
  writesNone: z.boolean().optional(),
  /** What all of it, and whatever it starts, may use. */
  budget: budget.optional(),
  /** A commit to start from instead of the current state. */
  base: commit.optional(),
  requestId,
});

/** The answer to {@link startRequest}. */
const startResult = z.object({ run: runView, notices: z.array(z.string()) });

const outcomes = z.array(runSummary.extend({ task: z.string().optional(), ended: z.boolean() }));

/** The requests that start runs, follow them and stop them. */
export const runCommands = {
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
} as const;
