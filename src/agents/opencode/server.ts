/**
 * One `opencode serve`, with many sessions.
 *
 * starting → (it tells its address, and its events are open) ready → (it ends, or its events break off) gone.
 *
 * Invariants:
 * 1. An event reaches the session it is about, and that of a helper the session that started it; no other.
 * 2. Without its events a server is of no use: it is ended when they break off.
 */
import { type Clock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import { newId, systemRandom } from "../../base/ids.ts";
import { startLineProgram, type LineProgram } from "../../process/line-program.ts";
import { fieldsOf, textOf, type Fields } from "../fields.ts";
import { createClient, type Client } from "./client.ts";
import { serverEnvironment } from "./environment.ts";
import { createPluginFolder, type PluginFolder } from "./plugin.ts";

/** A running server. */
export interface Server {
  readonly client: Client;
  readonly plugin: PluginFolder;
  /** Resolves with what is to be said about it when it is gone. */
  readonly gone: Promise<string>;
  readonly isGone: () => boolean;
  /** Sends a session's events to a listener until the returned function is called. */
  attach(session: string, listener: ServerListener): () => void;
  /** Counts a session into its folder; the returned function counts it out and says whether it was the last. */
  enter(directory: string): () => boolean;
  close(): Promise<void>;
}

/** Told what happens in a session and in its helpers. */
interface ServerListener {
  readonly onEvent: (event: ServerEvent) => void;
  readonly onRemark: (text: string) => void;
}

/** Something that happened in a session. */
export interface ServerEvent {
  readonly type: string;
  readonly properties: Fields;
  /** The folder whose calls reach it. */
  readonly directory: string;
  /** Whether it is of a helper and not of the session itself. */
  readonly isHelper: boolean;
}

/** What a server is started with. */
export interface ServerCall {
  readonly path: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

const [START_PATIENCE_MS, CLOSE_PATIENCE_MS] = [60_000, 2000];
const ADDRESS = /^opencode server listening on (http:\/\/127\.0\.0\.1:\d+)\/?$/;

/** Starts a server on a port of this machine that nobody can use who does not know its password. */
export async function startServer({ path, args, environment, clock }: ServerCall): Promise<Server> {
  const plugin = createPluginFolder();
  const password = newId(systemRandom, 32);
  const events = createDispatcher();
  let onAddress: (address: string) => void = () => undefined;
  const address = new Promise<string>((resolve) => (onAddress = resolve));
  try {
    const program = await startLineProgram({
      program: path,
      args: [...args, "serve", "--hostname", "127.0.0.1", "--port", "0"],
      cwd: "/",
      environment: serverEnvironment(environment, { password, plugin: plugin.url }),
      clock,
      onLine(line) {
        const told = ADDRESS.exec(line.trim())?.[1];
        if (told !== undefined) onAddress(told);
      },
      onOverlong: () => undefined,
    });
    let isGone = false;
    const gone = program.gone.then(({ status, signal, lastWords }) => {
      isGone = true;
      plugin.remove();
      return lastWords || `it ended with ${signal ?? `status ${String(status)}`}`;
    });
    const client = createClient(await inTime(address, program, gone, clock), password);
    await listening(client, events, program);
    return {
      client,
      plugin,
      gone,
      isGone: () => isGone,
      attach: events.attach,
      enter: createFolders(),
      close: () => program.close(CLOSE_PATIENCE_MS),
    };
  } catch (error) {
    plugin.remove();
    throw error;
  }
}

async function inTime(
  address: Promise<string>,
  program: LineProgram,
  gone: Promise<string>,
  clock: Clock,
): Promise<string> {
  const late = new Promise<string>((resolve) => {
    const cancel = clock.after(START_PATIENCE_MS, () => resolve("it did not tell its address in time"));
    void address.then(cancel);
    void gone.then(cancel);
  });
  const told = await Promise.race([
    address.then((found) => ({ found })),
    Promise.race([gone, late]).then((words) => ({ words })),
  ]);
  if ("found" in told) return told.found;
  await program.close(0);
  throw new AnabranchError("AGENT_FAILED", { message: `opencode serve did not start: ${told.words}` });
}

/** Resolves when the events are open. */
function listening(client: Client, events: Dispatcher, program: LineProgram): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.listen({ onOpen: resolve, onEvent: events.take, onMalformed: events.malformed });
    // A server without events must not live on; whoever waits for it is told by its end.
    stream.catch(reject).finally(() => void program.close(CLOSE_PATIENCE_MS));
  });
}

function createFolders(): Server["enter"] {
  const sessions = new Map<string, number>();
  return (directory) => {
    sessions.set(directory, (sessions.get(directory) ?? 0) + 1);
    return () => {
      const left = (sessions.get(directory) ?? 1) - 1;
      sessions.set(directory, left);
      if (left === 0) sessions.delete(directory);
      return left === 0;
    };
  };
}

interface Dispatcher {
  readonly attach: Server["attach"];
  readonly take: (event: unknown) => void;
  readonly malformed: (text: string) => void;
}

function createDispatcher(): Dispatcher {
  const listeners = new Map<string, ServerListener>();
  const helpers = new Map<string, string>();
  return {
    attach(session, listener) {
      listeners.set(session, listener);
      return () => {
        listeners.delete(session);
        for (const [helper, starter] of helpers) if (starter === session) helpers.delete(helper);
      };
    },
    take(event) {
      const { payload, directory } = fieldsOf(event);
      const { type, properties } = fieldsOf(payload);
      const told = fieldsOf(properties);
      const info = fieldsOf(told["info"]);
      const session = textOf(told["sessionID"]) ?? textOf(info["sessionID"]) ?? "";
      const parent = textOf(info["parentID"]) ?? "";
      if (type === "session.created") {
        const starter = helpers.get(parent) ?? parent;
        if (listeners.has(starter)) helpers.set(session, starter);
      }
      const listener = listeners.get(helpers.get(session) ?? session);
      listener?.onEvent({
        type: textOf(type) ?? "",
        properties: told,
        directory: textOf(directory) ?? "",
        isHelper: helpers.has(session),
      });
    },
    malformed(text) {
      for (const listener of listeners.values()) listener.onRemark(`opencode told something unreadable: ${text}`);
    },
  };
}
