import { resolve } from "node:path";

import { directoriesFor } from "../base/directories.ts";
import { AnabranchError, isAnabranchError } from "../base/errors.ts";
import type {
  CommandName,
  CommandRequest,
  CommandResponse,
  StreamMessage,
  StreamName,
  StreamRequest,
} from "../protocol/commands.ts";
import { openConnection, type Connection } from "./connection.ts";
import { readDaemonFile, startDaemon } from "./daemon.ts";

/** How to connect. */
export interface ConnectOptions {
  /** The environment that tells where Anabranch keeps its things, and that runs get. Default: this process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Whether a daemon is started where none runs. Default: yes. */
  readonly start?: boolean;
  /** The agent's own id of the conversation that is asked for, where one process serves several. */
  readonly conversation?: string;
}

/** How often a question is asked again when the daemon goes away, which loses nothing. */
const MOST_TRIES = 5;

/** The way to the user's daemon, whichever process that is by now: one that went away is started again. */
export class DaemonLink {
  /** The variables of whoever asks. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly #mayStart: boolean;
  readonly #conversation: string | undefined;
  #connection: Connection | undefined;
  #connecting: Promise<Connection> | undefined;

  constructor({ environment = process.env, start = true, conversation }: ConnectOptions) {
    this.environment = withWholeHome(environment);
    this.#mayStart = start;
    this.#conversation = conversation;
  }

  /** Gives a command. One the daemon did not answer, because it went away, is given again. */
  async ask<Name extends CommandName>(
    name: Name,
    request: CommandRequest<Name>,
    signal?: AbortSignal,
  ): Promise<CommandResponse<Name>> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await (await this.#connect()).ask(name, request, signal);
      } catch (cause) {
        if (REPEATABLE.has(name) && (await this.#isWorthAskingAgain(cause, tries))) continue;
        throw cause;
      }
    }
  }

  /** Opens a stream. One that is cut off in the middle is not opened again. */
  async *stream<Name extends StreamName>(
    name: Name,
    request: StreamRequest<Name>,
    signal?: AbortSignal,
  ): AsyncGenerator<StreamMessage<Name>, void, undefined> {
    for (let tries = 1; ; tries += 1) {
      let begun = false;
      try {
        for await (const message of (await this.#connect()).stream(name, request, signal)) {
          begun = true;
          yield message;
        }
        return;
      } catch (cause) {
        if (begun || !(await this.#isWorthAskingAgain(cause, tries))) throw cause;
      }
    }
  }

  /** Opens a stream, and opens it again where it is cut off because the daemon went away. */
  async *resume<Name extends StreamName>(
    name: Name,
    request: () => StreamRequest<Name>,
    signal?: AbortSignal,
  ): AsyncGenerator<StreamMessage<Name>, void, undefined> {
    for (let tries = 1; ; tries += 1) {
      try {
        for await (const message of (await this.#connect()).stream(name, request(), signal)) {
          tries = 0;
          yield message;
        }
        return;
      } catch (cause) {
        if (!(await this.#isWorthAskingAgain(cause, tries))) throw cause;
      }
    }
  }

  /** Lets go of the daemon; what is asked after that connects again. */
  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #connect(): Promise<Connection> {
    if (this.#connection !== undefined) return Promise.resolve(this.#connection);
    this.#connecting ??= this.#open().finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  async #open(): Promise<Connection> {
    const file = readDaemonFile(directoriesFor(this.environment));
    // Whether it still runs, the first question tells.
    if (file !== undefined) return this.#openConnection(file.socket);
    if (this.#mayStart) return this.#startDaemon();
    throw new AnabranchError("DAEMON_UNREACHABLE", { message: "no daemon is running", hint: "anabranch daemon start" });
  }

  async #startDaemon(): Promise<Connection> {
    return this.#openConnection(await startDaemon(this.environment));
  }

  #openConnection(socket: string): Connection {
    return (this.#connection = openConnection(socket, this.environment, this.#conversation));
  }

  /** Whether an error only means that the daemon went away; then another one runs now. */
  async #isWorthAskingAgain(cause: unknown, tries: number): Promise<boolean> {
    if (!isAnabranchError(cause) || cause.code !== "DAEMON_UNREACHABLE") return false;
    this.close();
    if (!this.#mayStart || tries >= MOST_TRIES) return false;
    await this.#startDaemon();
    return true;
  }
}

// The daemon and its tasks stand in other folders, from which the same relative path would lead elsewhere.
function withWholeHome(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const home = environment["ANABRANCH_HOME"];
  return home === undefined || home === "" ? environment : { ...environment, ANABRANCH_HOME: resolve(home) };
}

/** Commands that may be given twice: they only read, or the second time finds that the first took effect. */
const REPEATABLE: ReadonlySet<CommandName> = new Set([
  "status",
  "start",
  "plan",
  "list",
  "show",
  "predict",
  "wait",
  "cancel",
  "adopt",
  "overview",
  "needs-you",
  "fork",
  "accept",
  "conflicts",
  "conflicts-show",
  "conflicts-open",
  "conflicts-take",
  "conflicts-abort",
  "land",
  "audit",
  "agents",
  "agents-show",
  "agents-trust",
  "claim",
  "leases",
  "emit",
  "inbox",
  "acknowledge",
  "webhooks",
  "webhooks-show",
  "gc",
  "doctor",
]);
