import { createHmac } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { Announcements } from "../../../src/daemon/announcements.ts";
import { OutboxWorker } from "../../../src/daemon/outbox-worker.ts";
import type { NotifyTarget } from "../../../src/notify/target.ts";
import { loadDeadLetters } from "../../../src/store/dead-letters.ts";
import { loadInbox, PERSON } from "../../../src/store/inbox.ts";
import { putOutbox, sendAgain, type OutboxRecord } from "../../../src/store/outbox.ts";
import type { Store } from "../../../src/store/port.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { handClock, type HandClock } from "../../fixtures/hand-clock.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { REPOSITORY, repositoryRow } from "../../fixtures/store-rows.ts";
import { until } from "../../fixtures/until.ts";

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let store: Store;
let clock: HandClock;
beforeEach(async () => {
  store = openSqliteStore(join(temporaryFolder(), "a.db"));
  onTestFinished(() => store.close());
  clock = handClock();
  await store.commit([repositoryRow()]);
});

/** A server that answers with these, one after another, and then with the last for ever. */
async function serve(...answers: { status: number; headers?: Record<string, string> }[]): Promise<{
  url: string;
  received: Received[];
}> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const { status, headers = {} } = answers[Math.min(received.length, answers.length - 1)] ?? { status: 200 };
      received.push({ headers: request.headers, body });
      response.writeHead(status, headers).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

function startWorker(...targets: NotifyTarget[]): OutboxWorker {
  const parts = { clock, store, log: () => undefined, announcements: new Announcements(targets) };
  const worker = new OutboxWorker(parts, targets, { PATH: process.env["PATH"] ?? "" });
  onTestFinished(() => worker.stop());
  worker.start();
  return worker;
}

const webhook = (url: string, more: Partial<NotifyTarget> & { secretFile?: string } = {}): NotifyTarget => ({
  name: "hook",
  on: [],
  repositories: more.repositories,
  way: { type: "webhook", url, secretFile: more.secretFile },
});
const command = (text: string, timeoutMs = 10_000): NotifyTarget => ({
  name: "run",
  on: [],
  repositories: undefined,
  way: { type: "command", command: text, timeoutMs },
});

async function put(target: string, id = "n1", title = "check failed"): Promise<void> {
  const record = { kind: "failed", title, run: "r1", command: "anabranch show r1" };
  await store.commit([putOutbox({ id, key: id, repositoryId: REPOSITORY, target, record, createdMs: clock.wallMs() })]);
}

interface Row {
  readonly state: unknown;
  readonly attempts: number;
  readonly notBeforeMs: number;
  readonly record: OutboxRecord;
}
async function rowOf(id = "n1"): Promise<Row> {
  const [row] = await store.read("select * from outbox where id = ?", [id]);
  const record = JSON.parse(String(row?.["record_json"])) as OutboxRecord;
  return {
    state: row?.["state"],
    attempts: Number(row?.["attempts"]),
    notBeforeMs: Number(row?.["not_before_ms"]),
    record,
  };
}
const stateOf = async (id = "n1"): Promise<unknown> => (await rowOf(id)).state;
const attempted = (count: number, id = "n1"): Promise<void> =>
  until(async () => (await rowOf(id)).attempts >= count, `it is tried ${count} times`);

describe("a webhook", () => {
  it("is told once, with an id and a signature that a key checks", async () => {
    const { url, received } = await serve({ status: 204 });
    const secretFile = join(temporaryFolder(), "key");
    writeFileSync(secretFile, "invented-key\n");
    startWorker(webhook(url, { secretFile }));
    await put("hook");
    await until(async () => (await stateOf()) === "sent", "it is sent");
    await put("hook");
    const [{ headers, body } = { headers: {}, body: "" }] = received;
    expect(JSON.parse(body)).toMatchObject({
      id: "n1",
      kind: "failed",
      title: "check failed",
      repository: "/home/ada/a",
    });
    const digest = createHmac("sha256", "invented-key")
      .update(`${String(headers["x-timestamp"])}.${body}`)
      .digest("hex");
    expect(headers).toMatchObject({ "x-anabranch-id": "n1", "x-signature-256": `sha256=${digest}` });
    expect(received).toHaveLength(1);
  });

  it("is told again after one second, then two, then four, under the same id", async () => {
    const { url, received } = await serve({ status: 500 }, { status: 500 }, { status: 500 }, { status: 200 });
    startWorker(webhook(url));
    await put("hook");
    for (const [count, pauseMs] of [
      [1, 1000],
      [2, 2000],
      [3, 4000],
    ] as const) {
      await attempted(count);
      expect((await rowOf()).notBeforeMs).toBe(clock.wallMs() + pauseMs);
      await settled();
      clock.advance(pauseMs - 1);
      await settled();
      expect(received).toHaveLength(count);
      clock.advance(1);
    }
    await until(async () => (await stateOf()) === "sent", "it is sent");
    expect(new Set(received.map(({ headers }) => headers["x-anabranch-id"]))).toEqual(new Set(["n1"]));
  });

  it("is left alone as long as its Retry-After says", async () => {
    const { url } = await serve({ status: 429, headers: { "retry-after": "120" } }, { status: 200 });
    startWorker(webhook(url));
    await put("hook");
    await attempted(1);
    expect((await rowOf()).notBeforeMs).toBe(clock.wallMs() + 120_000);
  });

  it("is not followed to where it sends on", async () => {
    const other = await serve({ status: 200 });
    const { url } = await serve({ status: 307, headers: { location: other.url } });
    startWorker(webhook(url));
    await put("hook");
    await attempted(1);
    expect(await stateOf()).toBe("waiting");
    expect(other.received).toEqual([]);
  });

  it("exhausted delivery leaves a visible dead letter", async () => {
    const { url, received } = await serve({ status: 500 });
    startWorker(webhook(url));
    await put("hook");
    for (let count = 1; count < 10; count += 1) {
      await attempted(count);
      await settled();
      clock.advance(1000 * 2 ** (count - 1));
    }
    await until(async () => (await stateOf()) === "dead", "it is given up");
    expect(received).toHaveLength(10);
    const [letter] = await loadDeadLetters(store, 10);
    expect(letter).toMatchObject({
      kind: "delivery",
      record: { title: "hook was not told: check failed", delivery: "n1", reason: { code: "NOTIFY_FAILED" } },
    });
    const entries = await loadInbox(store, { address: PERSON, leftBeforeMs: undefined }, { limit: 10 });
    expect(entries).toMatchObject([{ kind: "dead-letter", record: { title: "hook was not told: check failed" } }]);
    await store.commit([sendAgain("n1", clock.wallMs())]);
    await attempted(1);
    expect(received.length).toBeGreaterThan(10);
  });

  it("that hangs keeps nothing from the others", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => silent.closeAllConnections());
    onTestFinished(() => void silent.close());
    const told = join(temporaryFolder(), "told");
    startWorker(webhook(`http://127.0.0.1:${(silent.address() as AddressInfo).port}/`), command(`cat > '${told}'`));
    for (let index = 0; index < 120; index += 1) await put("hook", `h${index}`);
    await put("run", "n2");
    await until(async () => (await stateOf("n2")) === "sent", "the other is told");
    clock.advance(30_000);
    await attempted(1, "h0");
    expect((await rowOf("h0")).record.reason?.message).toContain("did not answer in time");
  });

  it("is told only of the repositories it is for", async () => {
    const { url, received } = await serve({ status: 200 });
    startWorker(webhook(url, { repositories: ["/home/ada/b", "/srv/**"] }));
    await put("hook");
    await until(async () => (await stateOf()) === "sent", "it is done with");
    expect(received).toEqual([]);
  });
});

describe("a command", () => {
  it("gets what happened on its standard input and in its environment, and none of it as its text", async () => {
    const folder = temporaryFolder();
    startWorker(command(`cd '${folder}' && cat > in.json && printf %s "$ANABRANCH_NOTIFY_TITLE" > title`));
    const title = `$(touch '${folder}/hacked'); "\`touch '${folder}/hacked'\``;
    await put("run", "n1", title);
    await until(async () => (await stateOf()) === "sent", "it is told");
    expect(JSON.parse(readFileSync(join(folder, "in.json"), "utf8"))).toMatchObject({ id: "n1", title });
    expect(readFileSync(join(folder, "title"), "utf8")).toBe(title);
    expect(existsSync(join(folder, "hacked"))).toBe(false);
  });

  it("that takes too long is ended with all it has started, and tried again", async () => {
    const folder = temporaryFolder();
    startWorker(command(`sleep 1000 & echo $! > '${folder}/pid'; wait`, 5000));
    await put("run");
    await until(() => existsSync(join(folder, "pid")) && readFileSync(join(folder, "pid"), "utf8") !== "", "it is up");
    clock.advance(5000);
    await attempted(1);
    expect((await rowOf()).record.reason?.message).toContain("took too long");
    const pid = readFileSync(join(folder, "pid"), "utf8").trim();
    await until(() => !existsSync(`/proc/${pid}`), "what it has started is ended");
  });

  it("that is not in the settings any more is a dead letter at once", async () => {
    startWorker();
    await put("gone");
    await until(async () => (await stateOf()) === "dead", "it is given up");
    expect((await loadDeadLetters(store, 1))[0]?.record.reason.message).toContain('no target "gone"');
  });
});

/** Lets the worker set its timers. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
