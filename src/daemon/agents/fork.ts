import type { AgentPlace, Conversation } from "../../agents/port.ts";
import { AnabranchError, isAnabranchError } from "../../base/errors.ts";
import { AGENT_KINDS, NO_USAGE, type AgentKind } from "../../engine/agent.ts";
import type { CommandRequest, CommandResponse } from "../../protocol/commands.ts";
import { loadSessions, type SessionRow } from "../../store/sessions.ts";
import type { ForkSpec } from "../../workflows/spec.ts";
import type { LiveRun, LiveTask } from "../live-run.ts";
import type { Parts } from "../parts.ts";
import type { Reconciler } from "../reconciler.ts";
import { resolveId } from "../resolve.ts";
import { startRun } from "../submission.ts";

type ForkRequest = CommandRequest<"fork">;
type ForkEstimate = CommandResponse<"fork">["estimate"];

/** The conversation that is to be copied, and the state that goes with it. */
interface ForkSource {
  readonly kind: AgentKind;
  /** The agent that has it, by the name of its definition. */
  readonly agent: string;
  readonly conversation: Conversation;
  /** The task of ours that has it. */
  readonly task: { readonly run: LiveRun; readonly task: LiveTask } | undefined;
}

/** Models' services keep what was sent for this long, at least. */
const CACHED_FOR_MS = 5 * 60_000;
const DETECTION_MS = 5000;

/**
 * Finds the conversation to copy, says what that will cost and, where there is something to say in it, starts copies.
 * @param by who asks
 * @param known the run that the request has started already
 */
export async function forkConversation(
  parts: Parts,
  reconciler: Reconciler,
  request: ForkRequest,
  by: Pick<LiveRun["row"], "parent" | "asker">,
  known: LiveRun | undefined,
): Promise<{ estimate: ForkEstimate; run: LiveRun | undefined; notices: string[] }> {
  const source = await findSource(parts, request, by.parent);
  const { capabilities } = await parts.adapters.get(source.kind);
  if (!capabilities.forkCwd && source.task === undefined) throw cannotCopy(source);
  const way = capabilities.forkCwd ? ("copy" as const) : ("digest" as const);
  const estimate = estimateFork(parts, source, way, capabilities.forkPrefix);
  if (request.prompts.length === 0 || known !== undefined) return { estimate, run: known, notices: [] };
  const { id, directory, contextTokens, model } = source.conversation;
  const fork: ForkSpec = {
    conversation: id,
    directory,
    task: source.task === undefined ? undefined : { run: source.task.run.row.id, name: source.task.task.row.name },
    way,
    model,
    contextTokens,
  };
  const started = await startRun(
    parts,
    reconciler,
    {
      directory: stateDirectory(source, request),
      environment: request.environment,
      requestId: request.requestId,
      tasks: Object.fromEntries(
        request.prompts.map((prompt, index) => [
          request.prompts.length === 1 ? "fork" : `fork-${index + 1}`,
          { agent: source.agent, prompt, ...(request.writesNone === true ? { writes: "none" as const } : {}) },
        ]),
      ),
      ...(request.budget === undefined ? {} : { budget: request.budget }),
    },
    { ...by, fork, base: endedState(source) },
  );
  return { estimate, run: started.run, notices: started.notices };
}

async function findSource(parts: Parts, request: ForkRequest, parent: LiveRun["row"]["parent"]): Promise<ForkSource> {
  const id = request.source ?? (await findUsing(parts, request)) ?? agentTaskOf(parts, parent);
  if (id === undefined) return findNewest(parts, request);
  const ours = await findOurs(parts, id, request.directory);
  return ours ?? findTheirs(parts, request, id);
}

/**
 * The conversation in which a tool is in use.
 * @throws {AnabranchError} `CONVERSATION_UNKNOWN`
 */
async function findUsing(
  parts: Parts,
  { kind, toolUse, environment, directory }: ForkRequest,
): Promise<string | undefined> {
  if (toolUse === undefined) return undefined;
  const adapter = kind === undefined ? undefined : await parts.adapters.get(kind);
  const found = await adapter?.conversationUsing?.({ environment }, directory, toolUse);
  if (found !== undefined) return found;
  throw new AnabranchError("CONVERSATION_UNKNOWN", {
    message: `no conversation in ${directory} is known in which ${toolUse} was used`,
    hint: "start an agent anew, with all it needs to know in its prompt",
    data: { toolUse },
  });
}

/** An agent that asks from inside of its own task means itself. */
function agentTaskOf(parts: Parts, parent: LiveRun["row"]["parent"]): string | undefined {
  if (parent === undefined) return undefined;
  const task = parts.book.get(parent.run)?.tasks.get(parent.task);
  return task?.spec.agent === undefined ? undefined : `${parent.run}/${parent.task}`;
}

/** A task of ours, by any name it has. */
async function findOurs(parts: Parts, id: string, directory: string): Promise<ForkSource | undefined> {
  let found;
  try {
    found = await resolveId(parts, id, directory);
  } catch (cause) {
    if (isAnabranchError(cause) && cause.code === "NOT_FOUND") return undefined;
    throw cause;
  }
  const { run } = found;
  const tasks = found.task === undefined ? [...run.tasks.values()] : [found.task];
  const [task, other] = tasks.filter(({ spec }) => spec.agent !== undefined);
  if (task?.spec.agent === undefined || other !== undefined) {
    throw new AnabranchError("CANNOT_FORK", {
      message: task === undefined ? `${id} is no agent's task` : `run ${run.row.id} has several agents`,
      hint: `name a task of an agent: anabranch show ${run.row.id}`,
    });
  }
  const session = (await loadSessions(parts.store, run.row.id, task.row.name)).at(-1);
  if (session?.conversation === undefined) {
    throw new AnabranchError("CANNOT_FORK", {
      message: `nothing was said yet in the conversation of ${run.row.id}/${task.row.name}`,
      hint: "try again when it is at work",
    });
  }
  return {
    kind: task.spec.agent.kind,
    agent: task.spec.agent.name,
    conversation: conversationOf(session),
    task: { run, task },
  };
}

function conversationOf({ conversation = "", record, endedMs, createdMs }: SessionRow): Conversation {
  const { directory, model, contextTokens } = record;
  return { id: conversation, directory, model, contextTokens, updatedMs: endedMs ?? createdMs };
}

/** A conversation that somebody has had in the folder with an agent's own program. */
async function findTheirs(parts: Parts, request: ForkRequest, id: string): Promise<ForkSource> {
  const candidates = await listConversations(parts, request);
  const found = candidates.filter(({ conversation }) => conversation.id.startsWith(id));
  const [only, other] = found;
  if (only !== undefined && (other === undefined || only.conversation.id === id)) return only;
  throw new AnabranchError(other === undefined ? "CONVERSATION_UNKNOWN" : "AMBIGUOUS_ID", {
    message:
      other === undefined
        ? `neither a task nor a conversation in ${request.directory} is called ${id}`
        : `${id} may mean ${found.map(({ conversation }) => conversation.id).join(" or ")}`,
    hint: "anabranch ls shows the tasks; without a name, the newest conversation in this folder is taken",
  });
}

async function findNewest(parts: Parts, request: ForkRequest): Promise<ForkSource> {
  const [newest] = await listConversations(parts, request);
  if (newest !== undefined) return newest;
  throw new AnabranchError("CONVERSATION_UNKNOWN", {
    message: `no agent has had a conversation in ${request.directory}`,
    hint: "name a task: anabranch fork RUN/TASK -p PROMPT, or start anew: anabranch run -a AGENT -p PROMPT",
  });
}

/** Of all kinds that keep them, newest first. */
async function listConversations(parts: Parts, request: ForkRequest): Promise<ForkSource[]> {
  const kinds = request.kind === undefined ? AGENT_KINDS : [request.kind];
  const place: AgentPlace = { environment: request.environment };
  const found = await Promise.all(kinds.map((kind) => listOf(parts, kind, place, request.directory)));
  return found.flat().toSorted((a, b) => b.conversation.updatedMs - a.conversation.updatedMs);
}

async function listOf(parts: Parts, kind: AgentKind, place: AgentPlace, directory: string): Promise<ForkSource[]> {
  const adapter = await parts.adapters.get(kind).catch(() => undefined);
  if (adapter?.conversations === undefined) return [];
  const late = new Promise<Conversation[]>((resolve) => parts.clock.after(DETECTION_MS, () => resolve([])));
  const conversations = await Promise.race([adapter.conversations(place, directory), late]).catch(() => []);
  return conversations.map((conversation) => ({ kind, agent: kind, conversation, task: undefined }));
}

function estimateFork(parts: Parts, source: ForkSource, way: ForkEstimate["way"], keepsPrefix: boolean): ForkEstimate {
  const { kind, conversation, task } = source;
  const isAtWork = task?.task.row.state === "working";
  const ageMs = isAtWork ? 0 : Math.max(0, parts.clock.wallMs() - conversation.updatedMs);
  const { title, model, contextTokens } = conversation;
  const isCached = way === "copy" && keepsPrefix && ageMs < CACHED_FOR_MS;
  const usd = contextTokens === undefined ? undefined : firstRequestUsd(parts, contextTokens, model, isCached);
  return {
    kind,
    conversation: conversation.id,
    ...(task === undefined ? {} : { task: { run: task.run.row.id, task: task.task.row.name } }),
    ...(title === undefined ? {} : { title }),
    ...(model === undefined ? {} : { model }),
    way,
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ageMs,
    cache: isCached ? "likely" : "unlikely",
    ...(usd === undefined ? {} : { usd }),
  };
}

/** What it costs, by the price list, that the model reads the conversation once more. */
function firstRequestUsd(
  parts: Parts,
  tokens: number,
  model: string | undefined,
  isCached: boolean,
): number | undefined {
  const read = isCached ? { cacheReadTokens: tokens } : { inputTokens: tokens };
  return parts.spending.price({ ...NO_USAGE, ...read }, model).usage.usd;
}

/** The folder whose present state goes along: the workspace of a task at work, else where the caller stands. */
function stateDirectory({ task, conversation }: ForkSource, request: ForkRequest): string {
  return task !== undefined && task.task.row.state === "working" ? conversation.directory : request.directory;
}

/** The state that a task of ours that is no longer at work has left. */
function endedState({ task }: ForkSource): string | undefined {
  if (task === undefined || task.task.row.state === "working") return undefined;
  const { attempt } = task.task;
  return attempt?.changeset?.snapshot ?? attempt?.baseCommit;
}

function cannotCopy({ kind, conversation }: ForkSource): AnabranchError {
  return new AnabranchError("CANNOT_FORK", {
    message: `${kind} cannot copy the conversation ${conversation.id} into another folder`,
    hint: `start anew: anabranch run -a ${kind} -p PROMPT`,
    data: { kind, conversation: conversation.id },
  });
}
