import { createHmac } from "node:crypto";
import { readdirSync, statSync, symlinkSync, writeFileSync, chmodSync, mkdirSync } from "node:fs";
import { request as sendRequest } from "node:http";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { systemClock, type Clock } from "../../../src/base/clock.ts";
import { systemRandom } from "../../../src/base/ids.ts";
import type { Cause } from "../../../src/engine/cause.ts";
import { appendEvent, type NewEvent } from "../../../src/store/events.ts";
import type { Store } from "../../../src/store/port.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { WebhookSecrets } from "../../../src/triggers/webhook-secrets.ts";
import type { HookWish } from "../../../src/triggers/hook-book.ts";
import { WebhookServer, type WebhookServerParts } from "../../../src/triggers/webhook-server.ts";
import { handClock } from "../../fixtures/hand-clock.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { allEvents, REPOSITORY, repositoryRow } from "../../fixtures/store-rows.ts";
import { until } from "../../fixtures/until.ts";

const CAUSE: Cause = { chain: "c1", depth: 3, triggers: ["r/a"] };
const WISHES: readonly HookWish[] = [
  { repositoryId: REPOSITORY, hook: "deploy", signature: "token" },
  { repositoryId: REPOSITORY, hook: "push", signature: "github" },
  { repositoryId: REPOSITORY, hook: "signed", signature: "hmac" },
];

let store: Store;
let folder: string;
let secrets: WebhookSecrets;
let said: string[];

beforeEach(async () => {
  folder = temporaryFolder();
  store = openSqliteStore(join(folder, "a.db"));
  onTestFinished(() => store.close());
  await store.commit([repositoryRow()]);
  secrets = new WebhookSecrets({ folder: join(folder, "webhooks"), random: systemRandom });
  said = [];
});

async function appendOne(event: NewEvent): Promise<number | undefined> {
  const before = (await allEvents(store)).length;
  await store.commit([appendEvent(event)]);
  const after = (await allEvents(store)).length;
  return after > before ? after : undefined;
}

async function open(
  wishes: readonly HookWish[] = WISHES,
  changes: Partial<WebhookServerParts> = {},
): Promise<{ server: WebhookServer; address: string; port: number }> {
  const server = new WebhookServer({
    clock: systemClock,
    log: (level, message, data) => said.push(JSON.stringify({ level, message, data })),
    secrets,
    appendOne,
    causeOf: (marker) => Promise.resolve(marker === "m1" ? CAUSE : undefined),
    port: 0,
    ...changes,
  });
  onTestFinished(() => server.close());
  await server.want(wishes);
  const { state } = server;
  const address = state.state === "listening" ? state.address : "";
  return { server, address, port: Number(new URL(address || "http://x:1").port) };
}

const secretOf = (hook: string): Promise<string> => secrets.load({ repositoryId: REPOSITORY, hook });

async function post(address: string, hook: string, options: RequestInit = {}): Promise<number> {
  const headers = { "x-anabranch-token": await secretOf("deploy"), "content-type": "application/json" };
  const answer = await fetch(`${address}/hooks/${hook}`, { method: "POST", body: '{"a":1}', headers, ...options });
  await answer.text();
  return answer.status;
}

/** A request with headers that `fetch` would not send. */
function postRaw(
  port: number,
  headers: Readonly<Record<string, string>>,
  path = "/hooks/deploy",
  method = "POST",
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = sendRequest({ host: "127.0.0.1", port, path, method, headers }, (answer) => {
      let text = "";
      answer.on("data", (piece: Buffer) => (text += piece.toString()));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end("{}");
  });
}

describe("a webhook", () => {
  it("is accepted with its token once its event is durable", async () => {
    const { address } = await open();
    expect(await post(address, "deploy")).toBe(202);
    expect(await allEvents(store)).toMatchObject([
      {
        type: "webhook.received",
        repositoryId: REPOSITORY,
        cause: undefined,
        key: undefined,
        data: { hook: "deploy", body: { a: 1 } },
      },
    ]);
  });

  it("is not accepted while its event cannot be kept", async () => {
    const { address } = await open(WISHES, { appendOne: () => Promise.reject(new Error("the disk is full")) });
    expect(await post(address, "deploy")).toBe(503);
    expect(said.join()).toContain("the disk is full");
  });

  it("of GitHub counts once, however often it is delivered", async () => {
    const { address } = await open();
    const body = JSON.stringify({ ref: "refs/heads/main" });
    const signature = createHmac("sha256", await secretOf("push"))
      .update(body)
      .digest("hex");
    const send = (delivery: string): Promise<number> =>
      post(address, "push", {
        body,
        headers: {
          "x-hub-signature-256": `sha256=${signature}`,
          "x-github-delivery": delivery,
          "x-github-event": "push",
          "content-type": "application/json",
        },
      });
    expect([await send("d1"), await send("d1"), await send("d2"), await send("d1")]).toEqual([202, 200, 202, 200]);
    expect((await allEvents(store)).map(({ data }) => data)).toMatchObject([
      { hook: "push", event: "push", delivery: "d1", body: { ref: "refs/heads/main" } },
      { delivery: "d2" },
    ]);
  });

  it("with a generic signature counts once, and not at all when it is old", async () => {
    const clock: Clock = {
      ...handClock(1_800_000_000_000),
      after: (delayMs, action) => systemClock.after(delayMs, action),
    };
    const { address } = await open(WISHES, { clock });
    const secret = await secretOf("signed");
    const send = (timestamp: number): Promise<number> => {
      const signature = createHmac("sha256", secret).update(`${timestamp}.{}`).digest("hex");
      const headers = { "x-timestamp": String(timestamp), "x-signature-256": `sha256=${signature}` };
      return post(address, "signed", { body: "{}", headers: { ...headers, "content-type": "application/json" } });
    };
    expect([await send(1_800_000_000), await send(1_800_000_000), await send(1_799_999_000)]).toEqual([202, 200, 401]);
    expect(await allEvents(store)).toHaveLength(1);
  });

  it("that a task sends has the cause of the task's run", async () => {
    const { address } = await open();
    const token = { "x-anabranch-token": await secretOf("deploy"), "content-type": "application/json" };
    expect(await post(address, "deploy", { headers: { ...token, "x-anabranch-marker": "m1" } })).toBe(202);
    expect((await allEvents(store))[0]?.cause).toEqual(CAUSE);
  });

  it("of one name in two repositories goes to the one whose secret it knows", async () => {
    const other = { repositoryId: "other", hook: "deploy", signature: "token" } as const;
    const { address } = await open([WISHES[0] as HookWish, other]);
    const headers = { "x-anabranch-token": await secrets.load(other), "content-type": "application/json" };
    expect(await post(address, "deploy", { headers })).toBe(202);
    expect((await allEvents(store)).map(({ repositoryId }) => repositoryId)).toEqual(["other"]);
  });
});

describe("a webhook server refuses", () => {
  it("wrong signatures and hooks that do not exist in the same words, and logs no more than a hook's name", async () => {
    const { port } = await open();
    const known = await postRaw(port, { "x-anabranch-token": "wrong-text" });
    const unknown = await postRaw(port, { "x-anabranch-token": "wrong-text" }, "/hooks/nothing-like-it");
    expect(known).toEqual(unknown);
    expect(known.status).toBe(401);
    expect(said).toEqual([
      '{"level":"warn","message":"a webhook with a wrong signature was refused","data":{"hook":"deploy"}}',
    ]);
    expect(await allEvents(store)).toEqual([]);
  });

  it.each([
    ["another host", { host: "evil.example:80" }, 403],
    ["no name of this machine", { host: "127.0.0.1.evil.example" }, 403],
    ["a page of another site", { origin: "https://evil.example" }, 403],
    ["a page of this machine", { origin: "http://127.0.0.1:3000" }, 403],
    ["a page that hides where it is from", { origin: "null" }, 403],
    ["a page's form", { "sec-fetch-site": "cross-site" }, 403],
    ["another type", { "content-type": "text/plain" }, 415],
    ["what is packed", { "content-encoding": "gzip" }, 415],
  ] as const)("%s, even with the right token", async (_what, headers, status) => {
    const { port } = await open();
    const token = { "x-anabranch-token": await secretOf("deploy") };
    expect((await postRaw(port, { ...token, ...headers })).status).toBe(status);
    expect((await postRaw(port, token)).status).toBe(202);
    expect(await allEvents(store)).toHaveLength(1);
  });

  it.each([
    "/",
    "/hooks",
    "/hooks/",
    "/hooks/../deploy",
    "/hooks/deploy/x",
    "/hooks/%2e%2e",
    `/hooks/${"x".repeat(64)}`,
  ])("the path %s", async (path) => {
    const { port } = await open();
    expect((await postRaw(port, { "x-anabranch-token": await secretOf("deploy") }, path)).status).toBe(404);
  });

  it("other methods", async () => {
    const { port } = await open();
    const headers = { "x-anabranch-token": await secretOf("deploy") };
    expect((await postRaw(port, headers, "/hooks/deploy", "PUT")).status).toBe(405);
  });

  it("a body that is not JSON, after its signature", async () => {
    const { address } = await open();
    expect(await post(address, "deploy", { body: "{" })).toBe(400);
    expect(await post(address, "deploy", { body: "{", headers: {} })).toBe(415);
    expect(await post(address, "deploy", { body: "{", headers: { "content-type": "application/json" } })).toBe(401);
  });

  it("more requests than its rate", async () => {
    const { address } = await open(WISHES, {
      clock: { ...handClock(), after: (delayMs, action) => systemClock.after(delayMs, action) },
      limits: { headersMs: 5000, requestMs: 5000, connections: 10, rate: { burst: 3, perSecond: 1 } },
    });
    const statuses = [];
    for (let count = 0; count < 5; count += 1) statuses.push(await post(address, "deploy"));
    expect(statuses).toEqual([202, 202, 202, 429, 429]);
  });
});

describe("a body of 100 MB", () => {
  const HUNDRED_MB = 100 * 1024 * 1024;

  it("is refused by what it says of its size, before any of it is sent", async () => {
    const { port } = await open();
    const headers = { "content-length": String(HUNDRED_MB), expect: "100-continue" };
    const socket = await speak(port, [
      "POST /hooks/deploy HTTP/1.1",
      "host: 127.0.0.1",
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ]);
    await until(() => socket.text().includes("\r\n\r\n"), "an answer");
    expect(socket.text()).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("that does not say its size is cut off, and never held in memory", async () => {
    const { port } = await open();
    const socket = await speak(port, [
      "POST /hooks/deploy HTTP/1.1",
      "host: 127.0.0.1",
      "content-type: application/json",
      "transfer-encoding: chunked",
    ]);
    const piece = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536, 97), Buffer.from("\r\n")]);
    let sentBytes = 0;
    let most = 0;
    while (sentBytes < HUNDRED_MB && !socket.isClosed()) {
      await socket.send(piece);
      sentBytes += piece.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }
    await until(() => socket.isClosed(), "the end of the connection");
    expect(socket.text()).toMatch(/^HTTP\/1\.1 413 /);
    expect(sentBytes).toBeLessThan(HUNDRED_MB / 5);
    expect(most).toBeLessThan(60 * 1024 * 1024);
  });
});

describe("somebody who holds connections", () => {
  it.each([
    ["says nothing", ""],
    ["never ends its headers", "POST /hooks/deploy HTTP/1.1\r\nhost: 127.0.0.1\r\nx-a: "],
    ["never ends its body", "POST /hooks/deploy HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\n{"],
  ])("and %s is hung up on", async (_what, words) => {
    const { port } = await open(WISHES, {
      limits: { headersMs: 100, requestMs: 300, connections: 10, rate: { burst: 10, perSecond: 10 } },
    });
    const socket = await speak(port, []);
    await socket.send(Buffer.from(words));
    await until(() => socket.isClosed(), "the end of the connection");
    expect(await allEvents(store)).toEqual([]);
  });

  it("gets no more than there are", async () => {
    const { port } = await open(WISHES, {
      limits: { headersMs: 60_000, requestMs: 60_000, connections: 3, rate: { burst: 10, perSecond: 10 } },
    });
    const sockets = await Promise.all(Array.from({ length: 6 }, () => speak(port, [])));
    await until(() => sockets.filter((socket) => socket.isClosed()).length === 3, "three to be hung up on");
  });
});

describe("the server of webhooks", () => {
  it("stays off where the user has set no port, and makes no secrets", async () => {
    const { server } = await open(WISHES, { port: undefined });
    expect(server.state).toEqual({ state: "off" });
    expect(readdirSync(folder)).not.toContain("webhooks");
  });

  it("listens only while somebody waits for a hook, and on this machine only", async () => {
    const { server, address } = await open([]);
    expect(address).toBe("");
    await server.want(WISHES);
    expect(server.state).toMatchObject({
      state: "listening",
      address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:/) as string,
    });
    await server.want([]);
    expect(server.state).toEqual({ state: "off" });
  });

  it("tries again where its port is taken", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const hand = handClock();
    const { port } = taken.address() as AddressInfo;
    const { server } = await open(WISHES, { clock: hand, port });
    expect(server.state).toMatchObject({ state: "failed", why: expect.stringContaining("EADDRINUSE") as string });
    await new Promise((resolve) => taken.close(resolve));
    hand.advance(10_000);
    await until(() => server.state.state === "listening", "the port");
    expect(said).toHaveLength(1);
  });

  it("serves the names that the user has set too", async () => {
    const { port } = await open(WISHES, { hosts: ["Hooks.Example"] });
    const headers = { host: "hooks.example", "x-anabranch-token": await secretOf("deploy") };
    expect((await postRaw(port, headers)).status).toBe(202);
  });

  it("believes the new secret of a hook at once, and the old one no more", async () => {
    const { server, port } = await open();
    const old = await secretOf("deploy");
    const renewed = await server.renew({ repositoryId: REPOSITORY, hook: "deploy" });
    expect(renewed).not.toBe(old);
    expect((await postRaw(port, { "x-anabranch-token": old })).status).toBe(401);
    expect((await postRaw(port, { "x-anabranch-token": renewed })).status).toBe(202);
    expect(await secretOf("deploy")).toBe(renewed);
  });
});

describe("the secret of a hook", () => {
  const path = (): string => join(folder, "webhooks", REPOSITORY, "deploy");

  it("is made once, and only its user can read it", async () => {
    const secret = await secretOf("deploy");
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(await secretOf("deploy")).toBe(secret);
    expect(await secretOf("push")).not.toBe(secret);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "webhooks", REPOSITORY)).mode & 0o777).toBe(0o700);
  });

  it("that others could read is closed to them", async () => {
    const secret = await secretOf("deploy");
    chmodSync(path(), 0o644);
    expect(await secretOf("deploy")).toBe(secret);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  it("is not read through a link", async () => {
    mkdirSync(join(folder, "webhooks", REPOSITORY), { recursive: true });
    writeFileSync(join(folder, "elsewhere"), "known-to-somebody\n");
    symlinkSync(join(folder, "elsewhere"), path());
    await expect(secretOf("deploy")).rejects.toThrow(/ELOOP/);
  });
});

async function speak(
  port: number,
  lines: readonly string[],
): Promise<{ send: (bytes: Buffer) => Promise<void>; text: () => string; isClosed: () => boolean }> {
  let text = "";
  let isClosed = false;
  const socket: Socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("data", (piece) => (text += piece.toString()));
  socket.on("error", () => undefined);
  socket.on("close", () => (isClosed = true));
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  if (lines.length > 0) socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return {
    send: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
    text: () => text,
    isClosed: () => isClosed || socket.destroyed,
  };
}
