/**
 * A model that does what the prompt says: `SCRIPT:[step, …]:END`, in the protocols of all agents, on loopback.
 *
 * The answer is the step whose index is the number of answers since the last message with a script. So forks, resumed
 * and parallel conversations need nothing, and the only state is the journal: it tells how often a step has failed, for
 * steps that fail some `times`. Conversations that do so at the same time need different scripts.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { PROTOCOLS, type Answer, type Body, type Protocol, type ProtocolName } from "./protocols.ts";
import { placeOf, stepAt, type Place, type Step } from "./script.ts";

/** A request that came to the model. */
export interface ModelRequest {
  readonly protocol: ProtocolName;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Body;
  /** The body as it came. */
  readonly text: string;
  readonly atMs: number;
  /** The script it is part of, if any: what has no tools to use is none, such as a request for a title. */
  readonly place: Place | undefined;
  readonly step: Step;
}

/** See the head of this file. */
export interface ModelServer {
  readonly url: string;
  readonly requests: readonly ModelRequest[];
  /** Told of each request before it is answered. */
  onRequest: ((request: ModelRequest) => void) | undefined;
  /** Lets the steps that wait for this name answer, now and later. */
  release(name: string): void;
  /** Resolves with the first request, past or to come, that is looked for. */
  waitForRequest(isWanted: (request: ModelRequest) => boolean, limitMs?: number): Promise<ModelRequest>;
  close(): Promise<void>;
}

const WAIT_MS = 60_000;
const DEFAULT_USAGE = { input: 100, output: 10, cacheRead: 0, cacheWrite: 0 };

/** See {@link ModelServer}. */
export async function startModelServer(): Promise<ModelServer> {
  const requests: ModelRequest[] = [];
  const watchers = new Set<(request: ModelRequest) => void>();
  const gates = new Map<string, PromiseWithResolvers>();
  const gate = (name: string): PromiseWithResolvers => {
    const known = gates.get(name) ?? promiseWithResolvers();
    gates.set(name, known);
    return known;
  };

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(incoming.url ?? "/", "http://model").pathname;
    const text = await bodyOf(incoming);
    const protocol = PROTOCOLS.find(({ matches }) => incoming.method === "POST" && matches(path));
    if (protocol === undefined) return beside(path, response);
    const request = read(protocol, path, incoming.headers, text);
    requests.push(request);
    server.onRequest?.(request);
    for (const watcher of watchers) watcher(request);
    const { step } = request;
    if (step.delayMs !== undefined) await new Promise((wake) => setTimeout(wake, step.delayMs));
    if (step.wait !== undefined) await gate(step.wait).promise;
    if (step.hang !== true && !response.destroyed) reply(protocol, request, response, requests.length);
  };

  const read = (protocol: Protocol, path: string, headers: IncomingHttpHeaders, text: string): ModelRequest => {
    const body = JSON.parse(text) as Body;
    const hasTools = Array.isArray(body["tools"]) && body["tools"].length > 0;
    const place = hasTools ? placeOf(protocol.conversation(body)) : undefined;
    const isHere = (other: ModelRequest): boolean =>
      other.place?.script === place?.script && other.place?.answers === place?.answers;
    const failures = requests.filter((other) => isHere(other) && isFailure(other.step)).length;
    const step = place === undefined ? { text: "done" } : stepAt(place, failures);
    return { protocol: protocol.name, path, headers, body, text, atMs: Date.now(), place, step };
  };

  const http = createServer((incoming, response) => {
    void answer(incoming, response).catch((cause: unknown) => {
      response
        .writeHead(400, { "content-type": "text/plain" })
        .end(`the model server cannot read this: ${String(cause)}`);
    });
  });
  await new Promise<void>((ready) => http.listen(0, "127.0.0.1", ready));

  const server: ModelServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests,
    onRequest: undefined,
    release: (name) => gate(name).resolve(),
    waitForRequest(isWanted, limitMs = WAIT_MS) {
      const past = requests.find(isWanted);
      if (past !== undefined) return Promise.resolve(past);
      return new Promise((resolve, reject) => {
        const watcher = (request: ModelRequest): void => {
          if (!isWanted(request)) return;
          stop();
          resolve(request);
        };
        const timer = setTimeout(() => {
          stop();
          reject(new Error(`waited in vain for a request to the model; there were ${requests.length}`));
        }, limitMs);
        const stop = (): void => {
          clearTimeout(timer);
          watchers.delete(watcher);
        };
        watchers.add(watcher);
      });
    },
    close: () =>
      new Promise((closed) => {
        http.close(() => closed());
        http.closeAllConnections();
      }),
  };
  return server;
}

function isFailure(step: Step): boolean {
  return step.status !== undefined || step.cut === true || step.hang === true;
}

function reply(protocol: Protocol, { path, body, step }: ModelRequest, response: ServerResponse, serial: number): void {
  const answer = answerOf(step, modelOf(path, body), serial);
  if (step.status !== undefined) {
    const failure = protocol.failure(step.status, step.message ?? `scripted failure ${step.status}`);
    const wait = step.retryAfter === undefined ? {} : { "retry-after": String(step.retryAfter) };
    response.writeHead(failure.status, { "content-type": "application/json", ...wait });
    response.end(JSON.stringify(failure.body));
  } else if (step.cut === true) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const [first = ""] = protocol.stream({ ...answer, text: step.text ?? "broken off" });
    response.write(first.slice(0, protocol.name === "gemini" ? first.length / 2 : first.length), () =>
      response.destroy(),
    );
  } else if (body["stream"] === true || path.endsWith(":streamGenerateContent")) {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    for (const event of protocol.stream(answer)) response.write(event);
    response.end();
  } else {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(protocol.whole(answer)));
  }
}

function modelOf(path: string, { model }: Body): string {
  return typeof model === "string" ? model : (/models\/([^:/]+)/.exec(path)?.[1] ?? "unknown");
}

function answerOf(step: Step, model: string, serial: number): Answer {
  const { tool, input, namespace } = step;
  const single = tool === undefined ? [] : [{ tool, input: input ?? {}, ...(namespace && { namespace }) }];
  const tools = [...single, ...(step.tools ?? [])];
  return {
    id: `a${serial}`,
    model,
    text: step.text ?? (tools.length > 0 ? undefined : ""),
    tools,
    usage: { ...DEFAULT_USAGE, ...step.usage },
  };
}

/** What agents ask beside: whether somebody is there, which models there are, how long a text is. */
function beside(path: string, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  if (path.endsWith("/count_tokens")) response.end('{"input_tokens":100}');
  else if (path.endsWith(":countTokens")) response.end('{"totalTokens":100}');
  else response.end('{"object":"list","data":[],"models":[]}');
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8");
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function promiseWithResolvers(): PromiseWithResolvers {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
