import { AnabranchError, isAnabranchError } from "../../base/errors.ts";
import type { Permission } from "../../engine/agent.ts";
import type { OpenOptions } from "../port.ts";
import type { AppServer } from "./app-server.ts";
import { fieldsOf, textOf, type ApprovalPolicy, type Fields, type SandboxMode } from "./wire.ts";

/** A thread that is ready for its first turn. */
export interface OpenThread {
  readonly id: string;
  readonly model: string | undefined;
  /** What people should know about how it is held. */
  readonly remark: string | undefined;
}

/** How a thread is kept within what its agent may do. */
export interface Hold {
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandbox: SandboxMode;
  readonly remark?: string;
}

/**
 * Begins a thread, goes on with one, or copies one.
 * @throws {AnabranchError} `CONVERSATION_UNKNOWN`, `AGENT_FAILED`, `AGENT_GONE`
 */
export async function openThread(
  server: AppServer,
  options: OpenOptions,
  own: Readonly<Record<string, string>>,
): Promise<OpenThread> {
  const { cwd, model, system, resume, forkFrom } = options;
  const { remark, ...held } = holdFor(options.permission, await server.hasSandbox());
  const common = { cwd, ...held, approvalsReviewer: "user", config: configOf(options, own) };
  let result: Fields;
  if (forkFrom !== undefined) {
    const threadId = forkFrom.conversation;
    const parentModel = model ?? (await modelOf(server, threadId));
    result = await known(threadId, () =>
      server.call("thread/fork", { ...common, threadId, model: parentModel, excludeTurns: true }),
    );
  } else if (resume !== undefined) {
    if (server.isHeard(resume)) throw inUse(resume);
    result = await known(resume, () =>
      server.call("thread/resume", { ...common, threadId: resume, model, excludeTurns: true }),
    );
  } else {
    result = await server.call("thread/start", { ...common, model, developerInstructions: system });
  }
  const id = textOf(fieldsOf(result["thread"])["id"]);
  if (id === undefined) throw new AnabranchError("AGENT_FAILED", { message: "codex began a thread without an id" });
  // A copy keeps the beginning of its parent, word for word, so what is new to it comes behind.
  if (forkFrom !== undefined && system !== undefined) await tellAside(server, id, system);
  return { id, model: textOf(result["model"]), remark };
}

/** Tells the model something between its requests, as nobody's message. */
export async function tellAside(server: AppServer, threadId: string, text: string): Promise<void> {
  const item = { type: "message", role: "developer", content: [{ type: "input_text", text }] };
  await server.call("thread/inject_items", { threadId, items: [item] });
}

/**
 * Only where the program asks before everything does a change of files reach the gate; without a question it would write
 * whatever its sandbox lets it.
 */
export function holdFor(permission: Permission, hasSandbox: boolean): Hold {
  if (hasSandbox) {
    return permission === "read-only"
      ? { approvalPolicy: "never", sandbox: "read-only" }
      : { approvalPolicy: "untrusted", sandbox: "workspace-write" };
  }
  const instead = permission === "read-only" ? "each command and each change is refused or allowed by itself" : "";
  const remark = `codex has no working sandbox here: ${instead || "its commands are held by the workspace only"}`;
  return { approvalPolicy: "untrusted", sandbox: "danger-full-access", remark };
}

function configOf(options: OpenOptions, own: Readonly<Record<string, string>>): Fields {
  const { effort, toolServers } = options;
  const servers = Object.entries(toolServers).map(([name, { command, args, environment }]) => [
    name,
    // They are ours to give, so nobody is asked about them.
    { command, args, env: { ...own, ...environment }, default_tools_approval_mode: "approve" },
  ]);
  return {
    "shell_environment_policy.set": own,
    ...(effort === undefined ? {} : { model_reasoning_effort: effort }),
    ...(servers.length === 0 ? {} : { mcp_servers: Object.fromEntries(servers) as Fields }),
  };
}

async function modelOf(server: AppServer, threadId: string): Promise<string | undefined> {
  const { thread } = await known(threadId, () => server.call("thread/read", { threadId, includeTurns: false }));
  return textOf(fieldsOf(thread)["model"]);
}

async function known(threadId: string, call: () => Promise<Fields>): Promise<Fields> {
  try {
    return await call();
  } catch (cause) {
    if (isAnabranchError(cause) && /active writer/i.test(cause.message)) throw inUse(threadId, cause);
    if (
      !isAnabranchError(cause) ||
      !/no rollout found|not loaded|not found|invalid (thread|session) id/i.test(cause.message)
    ) {
      throw cause;
    }
    throw new AnabranchError("CONVERSATION_UNKNOWN", {
      message: `codex knows no conversation ${threadId}`,
      hint: "codex resume lists those it knows; they are in CODEX_HOME",
      data: { conversation: threadId },
      cause,
    });
  }
}

function inUse(conversation: string, cause?: unknown): AnabranchError {
  return new AnabranchError("AGENT_FAILED", {
    message: `the conversation ${conversation} is in use by somebody else`,
    hint: "fork it, or end the codex that has it open",
    data: { conversation },
    cause,
  });
}
