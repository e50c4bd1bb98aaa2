import { describe, expect, it, onTestFinished } from "vitest";

import { systemRandom } from "../../../src/base/ids.ts";
import { Mailbox } from "../../../src/daemon/agents/mailbox.ts";
import { Deliveries } from "../../../src/daemon/deliveries.ts";
import type { Parts } from "../../../src/daemon/parts.ts";
import { WaitingCallers } from "../../../src/daemon/waiting-callers.ts";
import { addressOfTask, loadInbox, putInbox } from "../../../src/store/inbox.ts";
import { loadMessages, type MessageRow } from "../../../src/store/messages.ts";
import { leaseBookPlace, runOf, type LeaseBookPlace } from "../../fixtures/lease-books.ts";
import { REPOSITORY } from "../../fixtures/store-rows.ts";
import { until } from "../../fixtures/until.ts";

const PARENT = addressOfTask("r1", "t");

interface World {
  readonly place: LeaseBookPlace;
  readonly mailbox: Mailbox;
  readonly waiting: WaitingCallers;
}

/** A daemon over a database, in which an agent can be told something. */
function daemonOver(place: LeaseBookPlace): World {
  const { store, clock, book } = place;
  const mailbox = new Mailbox(store, clock, systemRandom);
  const waiting = new WaitingCallers(clock);
  new Deliveries({ store, clock, book, mailbox, waiting, log: () => undefined } as unknown as Parts).start();
  return { place, mailbox, waiting };
}

async function makeWorld(): Promise<World> {
  const place = await leaseBookPlace({ r1: ["t"] });
  onTestFinished(() => place.store.close());
  return daemonOver(place);
}

/** The run with this id has ended, and the parent is to be told. */
async function end({ place }: World, run: string): Promise<void> {
  const record = { title: `${run} failed: 1 task`, command: `anabranch show ${run}` };
  await place.store.commit([
    putInbox({
      id: `e-${run}`,
      key: `run:${run}`,
      repositoryId: REPOSITORY,
      addressee: PARENT,
      kind: "run",
      run,
      task: undefined,
      record,
      createdMs: place.clock.wallMs(),
    }),
  ]);
  place.book.touch({ ...runOf(place, "r1"), row: { ...runOf(place, "r1").row, state: "ended" } });
}

const waitingFor = async ({ mailbox }: World, count: number): Promise<readonly MessageRow[]> => {
  await until(async () => (await mailbox.waiting("r1", "t")).length === count, `${count} messages wait`);
  return mailbox.waiting("r1", "t");
};
const unread = async ({ place }: World): Promise<string[]> =>
  (await loadInbox(place.store, { address: PARENT, leftBeforeMs: undefined }, { limit: 100 })).map(({ id }) => id);

describe("what an agent has started and has ended", () => {
  it("is put to it as one message, and is read when that is delivered, not before", async () => {
    const world = await makeWorld();
    world.mailbox.listen("r1", "t", () => undefined);
    await end(world, "r2");
    const [message] = await waitingFor(world, 1);
    expect(message).toMatchObject({ timing: "next", text: "r2 failed: 1 task; anabranch show r2" });
    expect(await unread(world)).toEqual(["e-r2"]);
    await end(world, "r3");
    expect(await waitingFor(world, 2)).toHaveLength(2);
    if (message !== undefined) await world.mailbox.settle(message, "delivered");
    expect(await unread(world)).toEqual(["e-r3"]);
  });

  it("stays unread where its work was over before, and comes with the next attempt", async () => {
    const world = await makeWorld();
    const stop = world.mailbox.listen("r1", "t", () => undefined);
    await end(world, "r2");
    const [first] = await waitingFor(world, 1);
    stop();
    if (first !== undefined) await world.mailbox.settle(first, "undelivered");
    expect(await unread(world)).toEqual(["e-r2"]);
    const task = runOf(world.place, "r1").tasks.get("t");
    if (task !== undefined) task.row = { ...task.row, attempt: task.row.attempt + 1 };
    world.mailbox.listen("r1", "t", () => undefined);
    const [second] = await waitingFor(world, 1);
    expect(second?.id).not.toBe(first?.id);
  });

  it("waits in the mailbox once, whatever daemons there are meanwhile", async () => {
    const world = await makeWorld();
    world.mailbox.listen("r1", "t", () => undefined);
    await end(world, "r2");
    await waitingFor(world, 1);
    const next = daemonOver(await world.place.reopen());
    next.mailbox.listen("r1", "t", () => undefined);
    await end(next, "r3");
    await waitingFor(next, 2);
    expect(await loadMessages(world.place.store, "r1", "t")).toHaveLength(2);
  });

  it("is not put to it as long as it waits for that itself, nor when it then says that it was told", async () => {
    const world = await makeWorld();
    world.mailbox.listen("r1", "t", () => undefined);
    const over = world.waiting.begin(PARENT, ["r2"]);
    await end(world, "r2");
    await end(world, "r3");
    expect((await waitingFor(world, 1))[0]?.text).toContain("r3");
    over();
    world.place.clock.advance(1999);
    await end(world, "r4");
    expect((await waitingFor(world, 2)).map(({ text }) => text).join()).not.toContain("r2");
    world.place.clock.advance(1);
    expect((await waitingFor(world, 3)).map(({ text }) => text).join()).toContain("r2");
  });

  it("is not lost among very many: the next come when the first are delivered", async () => {
    const world = await makeWorld();
    for (let index = 0; index < 60; index += 1) await end(world, `r${index + 10}`);
    world.mailbox.listen("r1", "t", () => undefined);
    for (const message of await waitingFor(world, 50)) await world.mailbox.settle(message, "delivered");
    for (const message of await waitingFor(world, 10)) await world.mailbox.settle(message, "delivered");
    expect(await unread(world)).toEqual([]);
  });
});
