/**
 * The tasks extension of MCP: `run_agents` is answered with a handle, and the client asks what became of it.
 *
 * A handle is a run's id, so it holds across restarts of this server and of the daemon:
 * working → completed | cancelled. A run that failed is `completed` too: its report says what failed.
 */
import { ProtocolError, ProtocolErrorCode, type CallToolResult, type Server } from "@modelcontextprotocol/server";
import { z } from "zod";

import { isAnabranchError } from "../base/errors.ts";
import { systemClock } from "../base/clock.ts";
import type { RunView } from "../protocol/views.ts";
import type { Anabranch } from "../sdk/anabranch.ts";
import { loadAnswers } from "./answers.ts";
import type { ServerParts } from "./call.ts";
import { problemText, reportRun, reportText } from "./report.ts";

const POLL_INTERVAL_MS = 1000;

const params = z.looseObject({ taskId: z.string().min(1).max(200) });

/** The answer to a call that goes on: the handle of its run. */
export function handleOf(run: RunView): CallToolResult {
  return { resultType: "task", ...stateOf(run) } as unknown as CallToolResult;
}

/** Answers what clients ask about handles. */
export function serveHandles(server: Server, { anabranchFor, directory, told }: ServerParts): void {
  const anabranch = anabranchFor();
  server.setRequestHandler("tasks/get", { params }, async ({ taskId }, { mcpReq }) => {
    const run = await known(anabranch.ask("show", { id: taskId, directory }));
    const state = stateOf(run);
    if (state.status !== "working") told.with(mcpReq.id, anabranch, [run.id]);
    return state.status === "completed" ? { ...state, result: await resultOf(anabranch, run) } : state;
  });
  // No run asks its client for anything, so there is nothing to be told.
  server.setRequestHandler("tasks/update", { params }, async ({ taskId }) => {
    await known(anabranch.ask("show", { id: taskId, directory }));
    return {};
  });
  server.setRequestHandler("tasks/cancel", { params }, async ({ taskId }) => {
    await known(anabranch.ask("cancel", { id: taskId, directory }));
    return {};
  });
}

function stateOf(run: RunView): {
  readonly taskId: string;
  readonly status: "working" | "completed" | "cancelled";
  readonly [key: string]: unknown;
} {
  const status = run.state === "active" ? "working" : run.outcome === "cancelled" ? "cancelled" : "completed";
  const ended = run.taskList.filter((task) => task.state === "ended").length;
  return {
    taskId: run.id,
    status,
    statusMessage:
      status === "cancelled" ? reportText(reportRun(run, new Map())) : `${ended} of ${run.taskList.length} ended`,
    createdAt: new Date(run.createdMs).toISOString(),
    lastUpdatedAt: new Date(run.endedMs ?? systemClock.wallMs()).toISOString(),
    // It is kept as long as the run.
    ttlMs: null,
    pollIntervalMs: POLL_INTERVAL_MS,
  };
}

async function resultOf(anabranch: Anabranch, run: RunView): Promise<Record<string, unknown>> {
  const report = reportRun(run, await loadAnswers(anabranch, run));
  return {
    resultType: "complete",
    content: [{ type: "text", text: reportText(report) }],
    structuredContent: report,
  };
}

async function known<Value>(answer: Promise<Value>): Promise<Value> {
  try {
    return await answer;
  } catch (cause) {
    if (!isAnabranchError(cause)) throw cause;
    const code = cause.code === "NOT_FOUND" ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError;
    throw new ProtocolError(code, problemText(cause), cause.toJSON());
  }
}
