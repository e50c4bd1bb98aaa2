/**
 * One `codex app-server`, which serves many threads at once.
 *
 * starting → ready → gone
 *
 * Invariants:
 * 1. What it tells of a thread reaches the one listener of that thread, in order; what it tells or asks of a thread that
 *    one of these has started reaches the same listener.
 * 2. A question about a thread that nobody listens to is refused.
 * 3. When it is gone, all listeners are told once.
 */
import type { Clock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import { startLineProgram, type LineProgramEnd } from "../../process/line-program.ts";
import { createJsonRpc, unknownMethod, type RpcAnswer } from "./json-rpc.ts";
import { fieldsOf, startedBy, textOf, type Fields, type RequestId } from "./wire.ts";

/** What a session hears of the server. */
export interface ThreadListener {
  readonly onNotification: (method: string, params: Fields) => void;
  /** Answers a question; `undefined` for one that it does not know. */
  readonly onQuestion: (method: string, params: Fields, id: RequestId) => Promise<unknown>;
  readonly onRemark: (text: string) => void;
  readonly onGone: (error: AnabranchError) => void;
}

/** See the head of this file. */
export interface AppServer {
  readonly pid: number;
  /** @throws {AnabranchError} `AGENT_FAILED`, `AGENT_GONE` */
  call(method: string, params: unknown): Promise<Fields>;
  listen(thread: string, listener: ThreadListener): void;
  isHeard(thread: string): boolean;
  /** From here on nobody listens to the threads of this listener. */
  leave(listener: ThreadListener): void;
  /** Whether commands can be held in a sandbox on this machine. */
  hasSandbox(): Promise<boolean>;
  readonly gone: Promise<LineProgramEnd>;
  close(): Promise<void>;
}

/** The program of a server and what it runs with. */
export interface ServerCall {
  readonly path: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

// It neither looks for updates nor reports home, and shows nobody that a turn has ended.
const QUIET = ["check_for_update_on_startup=false", "analytics.enabled=false", "notify=[]"];
// Agents of agents go no deeper.
const DEEPEST = 8;
const CLOSE_PATIENCE_MS = 3000;
const SANDBOX_PROBE = { command: ["/bin/sh", "-c", "exit 0"], cwd: "/", timeoutMs: 10_000 };

/**
 * Starts a server and greets it.
 * @throws {AnabranchError} `AGENT_FAILED` when it does not answer as one
 */
export async function startAppServer({ path, args, environment, clock }: ServerCall): Promise<AppServer> {
  const listeners = new Map<string, ThreadListener>();
  let sandbox: Promise<boolean> | undefined;
  const program = await startLineProgram({
    program: path,
    args: [...args, "app-server", ...QUIET.flatMap((setting) => ["-c", setting])],
    cwd: "/",
    environment,
    clock,
    onLine: (line) => rpc.take(line),
    onOverlong: (sizeBytes) => remark(`a message of ${sizeBytes} bytes is too long`),
  });
  const rpc = createJsonRpc((line) => void program.write(line), {
    onNotification: hear,
    onRequest: ask,
    onRemark: remark,
  });
  void program.gone.then(leaveAll);

  function everybody(): Set<ThreadListener> {
    return new Set(listeners.values());
  }

  function remark(text: string): void {
    for (const listener of everybody()) listener.onRemark(`codex sent ${text}`);
  }

  function hear(method: string, params: Fields): void {
    const listener = listeners.get(textOf(params["threadId"]) ?? "");
    if (listener === undefined) return;
    for (const thread of startedBy(params)) if (!listeners.has(thread)) listeners.set(thread, listener);
    listener.onNotification(method, params);
  }

  async function ask(method: string, params: Fields, id: RequestId): Promise<RpcAnswer> {
    const listener = await listenerOf(textOf(params["threadId"]), DEEPEST);
    const result = await listener?.onQuestion(method, params, id);
    return result === undefined ? unknownMethod(method) : { result };
  }

  /** Who listens to a thread, or to the one that has started it. */
  async function listenerOf(thread: string | undefined, depth: number): Promise<ThreadListener | undefined> {
    const known = listeners.get(thread ?? "");
    if (known !== undefined || thread === undefined || depth === 0) return known;
    const read = await rpc.call("thread/read", { threadId: thread, includeTurns: false }).catch(() => undefined);
    return listenerOf(textOf(fieldsOf(read?.["thread"])["parentThreadId"]), depth - 1);
  }

  function leaveAll({ status, signal, lastWords }: LineProgramEnd): void {
    const how = signal ?? `status ${status}`;
    const error = new AnabranchError("AGENT_GONE", {
      message: `codex ended (${how})${lastWords === "" ? "" : `: ${lastWords.slice(-1000)}`}`,
    });
    rpc.end(error);
    const told = everybody();
    listeners.clear();
    for (const listener of told) listener.onGone(error);
  }

  async function probeSandbox(): Promise<boolean> {
    const sandboxPolicy = { type: "readOnly", networkAccess: false };
    const result = await rpc.call("command/exec", { ...SANDBOX_PROBE, sandboxPolicy }).catch(() => undefined);
    return result?.["exitCode"] === 0;
  }

  const server: AppServer = {
    pid: program.pid,
    call: (method, params) => rpc.call(method, params),
    listen: (thread, listener) => void listeners.set(thread, listener),
    isHeard: (thread) => listeners.has(thread),
    leave(listener) {
      for (const [thread, other] of listeners) if (other === listener) listeners.delete(thread);
    },
    hasSandbox: () => (sandbox ??= probeSandbox()),
    gone: program.gone,
    close: () => program.close(CLOSE_PATIENCE_MS),
  };
  try {
    const clientInfo = { name: "anabranch", title: "Anabranch", version: VERSION };
    await rpc.call("initialize", { clientInfo, capabilities: { experimentalApi: false } });
  } catch (cause) {
    await server.close();
    throw new AnabranchError("AGENT_FAILED", {
      message: `${path} app-server did not start: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
  rpc.notify("initialized");
  return server;
}
