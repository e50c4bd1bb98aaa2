/**
 * Takes what other programs send to `POST /hooks/NAME`, on this machine only, and only where the user has set a port.
 *
 * off → listening → off, as long as a port is set and a trigger waits for a hook; `failed` where the port cannot be had,
 * which is tried again every ten seconds.
 *
 * Invariants:
 * 1. Nothing is believed before its signature is right; a wrong one and a hook that does not exist look the same.
 * 2. No body is read past its limit, and nobody holds a connection longer than the limits.
 * 3. `202` is said only once the event is durable; the same delivery again is `200` and no event.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { CancelTimer, Clock } from "../base/clock.ts";
import { faultPoint } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { Turns } from "../base/turns.ts";
import type { Cause } from "../engine/cause.ts";
import { EVENT_TYPES } from "../engine/trigger.ts";
import type { NewEvent } from "../store/events.ts";
import { HookBook, type CalledHook, type HookWish } from "./hook-book.ts";
import { RateLimit, type Rate } from "./rate.ts";
import { endSoon, readBody } from "./request-body.ts";
import type { WatchedSource } from "./source.ts";
import { parseBody } from "./webhook-body.ts";
import { examineHead, LOOPBACK_HOSTS, TOO_LARGE, type Refusal } from "./webhook-head.ts";
import type { HookName, WebhookSecrets } from "./webhook-secrets.ts";

/** What may be held, and for how long. */
export interface WebhookLimits {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly connections: number;
  readonly rate: Rate;
}

/** What the server works with. */
export interface WebhookServerParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly secrets: WebhookSecrets;
  /** Appends one event and resolves with its number once it is durable; with none where its key is known. */
  readonly appendOne: (event: NewEvent) => Promise<number | undefined>;
  /** The cause of the run whose task carries a marker. */
  readonly causeOf: (marker: string) => Promise<Cause | undefined>;
  /** Where nobody has set a port it stays off; 0 is any free one. */
  readonly port: number | undefined;
  /** Further names by which it is reached, such as that of a tunnel. */
  readonly hosts?: readonly string[] | undefined;
  readonly limits?: WebhookLimits;
}

/** Whether it listens, and where; or why not. */
export type WebhookState =
  | { readonly state: "off" }
  | { readonly state: "listening"; readonly address: string }
  | { readonly state: "failed"; readonly why: string };

const LIMITS: WebhookLimits = {
  headersMs: 5000,
  requestMs: 15_000,
  connections: 64,
  rate: { burst: 200, perSecond: 50 },
};
const RETRY_MS = 10_000;
const MARKER_HEADER = "x-anabranch-marker";
const WRONG: Refusal = { status: 401, error: "there is no such hook, or the signature is wrong" };

/** See the head of this file. */
export class WebhookServer implements WatchedSource<HookWish> {
  readonly #parts: WebhookServerParts;
  readonly #limits: WebhookLimits;
  readonly #hosts: ReadonlySet<string>;
  readonly #rate: RateLimit;
  readonly #hooks: HookBook;
  readonly #turns = new Turns();
  #server: Server | undefined;
  #state: WebhookState = { state: "off" };
  #cancelRetry: CancelTimer | undefined;

  constructor(parts: WebhookServerParts) {
    this.#parts = parts;
    this.#limits = parts.limits ?? LIMITS;
    this.#hooks = new HookBook(parts.secrets);
    this.#hosts = new Set([...LOOPBACK_HOSTS, ...(parts.hosts ?? []).map((host) => host.toLowerCase())]);
    this.#rate = new RateLimit(parts.clock, this.#limits.rate);
  }

  get state(): WebhookState {
    return this.#state;
  }

  /** The hooks that are waited for, each once, whether or not anybody can call them. */
  wanted(): readonly HookWish[] {
    return this.#hooks.wanted;
  }

  want(wishes: readonly HookWish[]): Promise<void> {
    return this.#turns.run("server", async () => {
      this.#hooks.want(wishes);
      if (this.#parts.port === undefined) return;
      await this.#hooks.load();
      if (wishes.length === 0) await this.#stop();
      else if (this.#server === undefined) await this.#listen(this.#parts.port);
    });
  }

  /** The secret of a hook. */
  secretOf(name: HookName): Promise<string> {
    return this.#turns.run("server", () => this.#parts.secrets.load(name));
  }

  /** Makes another secret for a hook. */
  renew(name: HookName): Promise<string> {
    return this.#turns.run("server", () => this.#hooks.renew(name));
  }

  close(): Promise<void> {
    return this.#turns.run("server", () => this.#stop());
  }

  async #listen(port: number): Promise<void> {
    this.#cancelRetry?.();
    const server = this.#makeServer();
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host: "127.0.0.1", port }, resolve);
      });
    } catch (cause) {
      this.#fail(port, cause);
      return;
    }
    this.#server = server;
    this.#state = { state: "listening", address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  #fail(port: number, cause: unknown): void {
    const why = `port ${port} cannot be had: ${cause instanceof Error ? cause.message : String(cause)}`;
    if (this.#state.state !== "failed") this.#parts.log("warn", "webhooks are not served", { why });
    this.#state = { state: "failed", why };
    this.#cancelRetry = this.#parts.clock.after(RETRY_MS, () => {
      void this.#turns.run("server", async () => {
        if (this.#state.state === "failed") await this.#listen(port);
      });
    });
  }

  async #stop(): Promise<void> {
    this.#cancelRetry?.();
    this.#state = { state: "off" };
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    // Whoever is being answered is answered.
    const cancel = this.#parts.clock.after(1000, () => server.closeAllConnections());
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
    cancel();
  }

  #makeServer(): Server {
    const { headersMs, requestMs, connections } = this.#limits;
    const server = createServer({
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(1000, headersMs),
      keepAliveTimeout: headersMs,
      maxHeaderSize: 16 * 1024,
    });
    server.maxConnections = connections;
    server.timeout = requestMs;
    const take = (request: IncomingMessage, response: ServerResponse): void => void this.#take(request, response);
    server.on("request", take);
    // Who asks first whether it may send is answered before it does.
    server.on("checkContinue", take);
    server.on("clientError", (_cause, socket) => void socket.destroy());
    return server;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on("error", () => response.destroy());
    response.on("error", () => request.destroy());
    try {
      const { status, ...answer } = await this.#answer(request, response);
      if (response.destroyed) return;
      if (!request.complete) endSoon(request, response);
      response.writeHead(status, {
        "content-type": "application/json",
        ...(status === 429 ? { "retry-after": "1" } : {}),
      });
      response.end(`${JSON.stringify(answer)}\n`);
    } catch (cause) {
      if (response.destroyed || request.socket.destroyed) return;
      this.#parts.log("error", "an event of a webhook could not be kept", { cause: String(cause) });
      if (!response.headersSent) response.writeHead(503, { "retry-after": "5" });
      response.end();
    }
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Refusal | { status: number; accepted: true }> {
    const head = examineHead(request, this.#hosts);
    if ("status" in head) return head;
    if (!this.#rate.take(head.hook)) return { status: 429, error: "too many requests" };
    if (request.headers.expect !== undefined) response.writeContinue();
    const body = await readBody(request);
    if (body === undefined) return TOO_LARGE;
    const called = this.#hooks.find(head.hook, { headers: request.headers, body }, this.#parts.clock.wallMs());
    if (called === undefined) return this.#refuse(head.hook);
    const parsed = parseBody(body, request.headers["content-type"]);
    if ("problem" in parsed) return { status: 400, error: parsed.problem };
    const event = await this.#eventOf(called, request, parsed.value);
    faultPoint("webhook.received");
    const seq = await this.#parts.appendOne(event);
    faultPoint("webhook.kept");
    return { status: seq === undefined ? 200 : 202, accepted: true };
  }

  #refuse(name: string): Refusal {
    if (this.#hooks.has(name)) this.#parts.log("warn", "a webhook with a wrong signature was refused", { hook: name });
    return WRONG;
  }

  async #eventOf(
    { repositoryId, hook, signature, delivery }: CalledHook,
    { headers }: IncomingMessage,
    body: unknown,
  ): Promise<NewEvent> {
    const marker = headers[MARKER_HEADER];
    const event = signature === "github" ? headers["x-github-event"] : undefined;
    return {
      atMs: this.#parts.clock.wallMs(),
      type: EVENT_TYPES.webhook,
      run: undefined,
      task: undefined,
      repositoryId,
      cause: typeof marker === "string" ? await this.#parts.causeOf(marker) : undefined,
      key: delivery === undefined ? undefined : `webhook:${repositoryId}:${hook}:${delivery}`,
      data: {
        hook,
        ...(typeof event === "string" ? { event: event.slice(0, 200) } : {}),
        ...(delivery === undefined ? {} : { delivery }),
        body,
      },
    };
  }
}
