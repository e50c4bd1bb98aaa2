import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import type { Gate, GateAnswer, ToolRequest } from "../../agents/port.ts";
import { judgePermission } from "../../engine/permission.ts";
import type { LiveRun, LiveTask } from "../live-run.ts";
import type { Parts } from "../parts.ts";
import type { AgentSpec } from "../../workflows/spec.ts";
import type { FileSetRecorder } from "./file-sets.ts";

/** What a gate decides by. */
export interface GateContext {
  readonly parts: Parts;
  readonly run: LiveRun;
  readonly task: LiveTask;
  readonly agent: AgentSpec;
  readonly tree: string;
  readonly sets: FileSetRecorder;
  /** Told what was refused or is being asked, for people. */
  readonly remark: (text: string) => void;
  /** Told what is waited for, for people; nothing with `""`. */
  readonly report: (activity: string) => void;
  /** Aborts when the session is over. */
  readonly signal: AbortSignal;
}

/**
 * Decides about the tools of one session: first what its agent may do, then a person where one must be asked, then the
 * leases of others. It is told the real paths, so that no symbolic link leads a tool out of the workspace.
 */
export function createGate(context: GateContext): Gate {
  return async (asked) => {
    const request = { ...asked, summary: asked.summary.replaceAll(`${context.tree}/`, "") };
    const answer = await decide(context, request);
    if (!answer.allow) context.remark(`refused: ${request.summary}: ${answer.reason}`);
    else if (answer.note !== undefined) context.remark(answer.note);
    return answer;
  };
}

async function decide(context: GateContext, request: ToolRequest): Promise<GateAnswer> {
  const { sets, agent, tree } = context;
  const paths = request.paths.map(realPath);
  const outside = paths.filter((path) => sets.locate(path) === undefined);
  if (request.action === "write") for (const path of outside) sets.outside(path);
  const { action, command } = request;
  const permitted = judgePermission(agent.permission, { action, outside, command }, tree);
  if (permitted.verdict === "deny") return { allow: false, reason: permitted.reason };
  if (permitted.verdict === "ask") {
    const refusal = await askPerson(context, request);
    if (refusal !== undefined) return refusal;
  }
  if (action === "execute") sets.command();
  return action === "write" ? judgeLeases(context, paths) : { allow: true };
}

async function askPerson(context: GateContext, request: ToolRequest): Promise<GateAnswer | undefined> {
  const { parts, run, task, agent, remark, report, signal } = context;
  const title = `${agent.name} wants to ${request.action === "execute" ? "run" : "write"}: ${request.summary}`;
  remark(`needs you: ${title}; anabranch approve ${run.row.id}/${task.row.name}`);
  report(`needs you: ${title}`);
  const answer = await parts.notices.ask(
    {
      repositoryId: run.row.repositoryId,
      run: run.row.id,
      task: task.row.name,
      kind: "permission",
      record: {
        title,
        detail: request.command ?? request.paths.join("\n"),
        paths: request.paths,
        consequence: "the agent does it and goes on",
        cause: run.row.cause,
      },
    },
    signal,
  );
  report("");
  if (answer?.approved === true) return undefined;
  const words = answer?.reason === undefined ? "" : `: ${answer.reason}`;
  return { allow: false, reason: answer === undefined ? "The task is being stopped." : `A person said no${words}` };
}

/** Every path must be free; the first one that is not decides. */
async function judgeLeases(context: GateContext, paths: readonly string[]): Promise<GateAnswer> {
  const { parts, run, task, agent, sets, signal } = context;
  const holder = { run: run.row.id, task: task.row.name };
  const notes: string[] = [];
  for (const path of paths) {
    const inside = sets.locate(path);
    if (inside === undefined) continue;
    const answer = await parts.leases.judge(run.row.repositoryId, holder, inside, agent.leases, signal);
    if (!answer.allow) return answer;
    if (answer.note !== undefined) notes.push(answer.note);
  }
  return { allow: true, ...(notes.length === 0 ? {} : { note: notes.join("\n") }) };
}

/** Where a path really leads; what is not there yet is where its folder really is. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realPath(folder), basename(path));
  }
}
