import { chmodSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { dirname } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { Hono, type Context } from "hono";
import { streamSSE } from "hono/streaming";

import { HTTP_STATUS } from "../base/error-codes.ts";
import { AnabranchError, isAnabranchError, systemCodeOf, toAnabranchError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { commands, streams, type CommandName, type StreamName } from "../protocol/commands.ts";
import { CONVERSATION_HEADER, MARKER_HEADER, PID_HEADER, PROTOCOL_HEADER, PROTOCOL_VERSION } from "../protocol/wire.ts";
import { explainIssues } from "../workflows/explain.ts";
import { refuseInTask, type CallerClaims } from "./caller.ts";
import type { Handlers, Streamers } from "./handlers.ts";
import type { Parts } from "./parts.ts";

/** Commands that a client of any version may give, so that it can always see and replace a daemon. */
const ANY_VERSION: ReadonlySet<string> = new Set(["status", "stop"]);

/** The API: one route for each command and each stream of the protocol's table. */
export function createApi(parts: Parts, handlers: Handlers, streamers: Streamers, version: string): Hono {
  const api = new Hono();
  api.onError((cause, context) => failure(context, cause, parts.log));
  api.notFound((context) =>
    failure(context, new AnabranchError("NOT_FOUND", { message: `there is no ${context.req.path}` }), parts.log),
  );
  for (const name of Object.keys(commands) as CommandName[]) {
    api.post(`/v1/${name}`, async (context) => {
      requireVersion(context, name, version);
      const { request, inTask } = commands[name];
      const input = await readRequest(context, request);
      const caller = claimsOf(context);
      if (inTask === "refused") await refuseInTask(parts, caller, name.replace("-", " "));
      const handler = handlers[name] as (input: unknown, caller: CallerClaims, signal: AbortSignal) => Promise<unknown>;
      const data = await handler(input, caller, context.req.raw.signal);
      return context.json({ v: 1, ok: true, data });
    });
  }
  for (const name of Object.keys(streams) as StreamName[]) {
    api.post(`/v1/streams/${name}`, async (context) => {
      requireVersion(context, name, version);
      const input = await readRequest(context, streams[name].request);
      const caller = claimsOf(context);
      return streamSSE(context, async (stream) => {
        const end = new AbortController();
        stream.onAbort(() => end.abort());
        const send = async (message: { type: string; data: unknown }, id?: number): Promise<void> => {
          const event = { event: message.type, data: JSON.stringify(message.data) };
          await stream.writeSSE(id === undefined ? event : { ...event, id: String(id) });
        };
        try {
          const streamer = streamers[name] as (
            input: unknown,
            send: unknown,
            signal: AbortSignal,
            caller: CallerClaims,
          ) => Promise<void>;
          await streamer(input, send, end.signal, caller);
          await send({ type: "done", data: {} });
        } catch (cause) {
          if (!end.signal.aborted) await send({ type: "error", data: report(cause, parts.log).toJSON() });
        }
      });
    });
  }
  return api;
}

function requireVersion(context: Context, command: string, version: string): void {
  const spoken = context.req.header(PROTOCOL_HEADER);
  if (spoken === String(PROTOCOL_VERSION) || ANY_VERSION.has(command)) return;
  throw new AnabranchError("DAEMON_VERSION", {
    message: `this daemon (${version}) speaks protocol ${PROTOCOL_VERSION}, the client speaks ${spoken ?? "none"}`,
    hint: "anabranch daemon restart (running tasks go on meanwhile)",
    data: { daemon: PROTOCOL_VERSION, client: spoken },
  });
}

async function readRequest(
  context: Context,
  schema: (typeof commands)[CommandName]["request"] | (typeof streams)[StreamName]["request"],
): Promise<unknown> {
  let body: unknown;
  try {
    body = JSON.parse(await context.req.text());
  } catch {
    throw new AnabranchError("USAGE", { message: "the request is not JSON", hint: "send a JSON object" });
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { why, mend } = explainIssues(schema, parsed.error.issues);
  throw new AnabranchError("USAGE", { message: why, hint: mend ?? "anabranch COMMAND --help" });
}

function claimsOf(context: Context): CallerClaims {
  const pid = Number(context.req.header(PID_HEADER));
  return {
    marker: context.req.header(MARKER_HEADER),
    conversation: context.req.header(CONVERSATION_HEADER),
    pid: Number.isInteger(pid) && pid > 1 ? pid : undefined,
  };
}

function failure(context: Context, cause: unknown, log: Log): Response {
  const error = report(cause, log);
  return context.json({ v: 1, ok: false, error: error.toJSON() }, HTTP_STATUS[error.kind]);
}

function report(cause: unknown, log: Log): AnabranchError {
  if (!isAnabranchError(cause))
    log("error", "a request failed", { cause: cause instanceof Error ? cause.stack : String(cause) });
  return toAnabranchError(cause);
}

/**
 * Listens on a unix socket that only this user can reach.
 *
 * @throws {AnabranchError} `RUNTIME_DIRECTORY_UNSAFE` when somebody else could reach the folder it is to be in
 */
export async function listen(api: Hono, socket: string): Promise<Server> {
  requireOwnFolder(dirname(dirname(socket)));
  requireOwnFolder(dirname(socket));
  // Whoever made it is gone: the lock is ours.
  rmSync(socket, { force: true });
  const server = createAdaptorServer({ fetch: api.fetch }) as Server;
  // Waiting for a run may take hours.
  server.requestTimeout = 0;
  server.timeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  chmodSync(socket, 0o600);
  return server;
}

function requireOwnFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (cause) {
    // Whatever is there is looked at next.
    if (systemCodeOf(cause) !== "EEXIST") throw cause;
  }
  const found = lstatSync(folder);
  const mine = found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());
  if (mine && (found.mode & 0o077) === 0) return;
  if (mine) {
    chmodSync(folder, 0o700);
    return;
  }
  throw new AnabranchError("RUNTIME_DIRECTORY_UNSAFE", {
    message: `${folder} is not a folder of this user: somebody else made it`,
    hint: `remove it (sudo rm -r ${folder}), or tell your administrator`,
    data: { folder },
  });
}
