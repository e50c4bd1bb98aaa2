import { Agent, request as httpRequest, type IncomingMessage } from "node:http";

import { AnabranchError, systemCodeOf, type ErrorShape } from "../base/errors.ts";
import type {
  CommandName,
  CommandRequest,
  CommandResponse,
  StreamMessage,
  StreamName,
  StreamRequest,
} from "../protocol/commands.ts";
import {
  CONVERSATION_HEADER,
  MARKER_HEADER,
  MARKER_VARIABLE,
  PID_HEADER,
  PROTOCOL_HEADER,
  PROTOCOL_VERSION,
  type Envelope,
} from "../protocol/wire.ts";
import { readServerEvents } from "./server-events.ts";

/** One daemon, reached through its socket. */
export interface Connection {
  /**
   * Gives a command and resolves with its answer.
   * @throws {AnabranchError} the daemon's own error, or `DAEMON_UNREACHABLE`
   */
  ask<Name extends CommandName>(
    name: Name,
    request: CommandRequest<Name>,
    signal?: AbortSignal,
  ): Promise<CommandResponse<Name>>;
  /** Opens a stream and yields its messages until the daemon says that it is done. */
  stream<Name extends StreamName>(
    name: Name,
    request: StreamRequest<Name>,
    signal?: AbortSignal,
  ): AsyncGenerator<StreamMessage<Name>, void, undefined>;
  close(): void;
}

/** Talks to the daemon behind a socket. Nothing is sent before the first question. */
export function openConnection(
  socket: string,
  environment: Readonly<Record<string, string | undefined>>,
  conversation?: string,
): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const marker = environment[MARKER_VARIABLE];
  const headers = {
    "content-type": "application/json",
    [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
    [PID_HEADER]: String(process.pid),
    ...(marker === undefined ? {} : { [MARKER_HEADER]: marker }),
    ...(conversation === undefined ? {} : { [CONVERSATION_HEADER]: conversation }),
  };

  const post = (path: string, body: unknown, signal: AbortSignal | undefined): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(
        { socketPath: socket, path, method: "POST", headers, agent, ...(signal === undefined ? {} : { signal }) },
        resolve,
      );
      request.on("error", (cause) => reject(signal?.aborted === true ? interrupted() : unreachable(socket, cause)));
      request.end(JSON.stringify(body));
    });

  return {
    async ask<Name extends CommandName>(name: Name, request: CommandRequest<Name>, signal?: AbortSignal) {
      const response = await post(`/v1/${name}`, request, signal);
      return unwrap<CommandResponse<Name>>(await readAll(response, socket), socket);
    },
    async *stream<Name extends StreamName>(name: Name, request: StreamRequest<Name>, signal?: AbortSignal) {
      const response = await post(`/v1/streams/${name}`, request, signal);
      if (response.headers["content-type"]?.startsWith("text/event-stream") !== true) {
        unwrap(await readAll(response, socket), socket);
        return;
      }
      let done = false;
      try {
        for await (const { type, data } of readServerEvents(response)) {
          if (type === "done") {
            done = true;
            return;
          }
          if (type === "error") throw AnabranchError.fromJSON(JSON.parse(data) as ErrorShape);
          yield { type, data: JSON.parse(data) as unknown } as StreamMessage<Name>;
        }
      } catch (cause) {
        if (cause instanceof AnabranchError) throw cause;
        throw signal?.aborted === true ? interrupted() : unreachable(socket, cause);
      } finally {
        if (!done) response.destroy();
      }
      if (signal?.aborted !== true) throw unreachable(socket, new Error("the stream was cut off"));
    },
    close: () => agent.destroy(),
  };
}

async function readAll(response: IncomingMessage, socket: string): Promise<string> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of response as AsyncIterable<Buffer>) pieces.push(piece);
  } catch (cause) {
    throw unreachable(socket, cause);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function unwrap<Data>(text: string, socket: string): Data {
  const envelope = readEnvelope<Data>(text);
  if (envelope === undefined) throw unreachable(socket, new Error("what listens there is no daemon"));
  if (envelope.ok) return envelope.data;
  throw AnabranchError.fromJSON(envelope.error);
}

function readEnvelope<Data>(text: string): Envelope<Data> | undefined {
  try {
    const found = JSON.parse(text) as { readonly ok?: unknown; readonly error?: { readonly code?: unknown } } | null;
    return found?.ok === true || typeof found?.error?.code === "string" ? (found as Envelope<Data>) : undefined;
  } catch {
    return undefined;
  }
}

function interrupted(): AnabranchError {
  return new AnabranchError("INTERRUPTED", { message: "interrupted" });
}

function unreachable(socket: string, cause: unknown): AnabranchError {
  return new AnabranchError("DAEMON_UNREACHABLE", {
    message: `the daemon behind ${socket} does not answer: ${systemCodeOf(cause) ?? (cause instanceof Error ? cause.message : String(cause))}`,
    hint: "anabranch daemon status; anabranch daemon restart",
    cause,
  });
}
