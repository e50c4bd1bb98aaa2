import { describe, expect, it } from "vitest";

import { adoptRun } from "../../../src/daemon/adoption.ts";
import { ChildLimits } from "../../../src/daemon/child-limits.ts";
import type { Parts } from "../../../src/daemon/parts.ts";
import { Spending } from "../../../src/daemon/spending.ts";
import { loadEvents } from "../../../src/store/events.ts";
import { findRun } from "../../../src/store/runs.ts";
import { leaseBookPlace, runOf, type LeaseBookPlace } from "../../fixtures/lease-books.ts";

const RUNS = { top: ["lead", "other"], middle: ["spawner"], low: ["worker"], free: ["stray"] };
const PARENTS = { middle: { run: "top", task: "lead" }, low: { run: "middle", task: "spawner" } };
const LEAD = { run: "top", task: "lead" };
const SPAWNER = { run: "middle", task: "spawner" };

const makePlace = (): Promise<LeaseBookPlace> => leaseBookPlace(RUNS, PARENTS);

async function end(place: LeaseBookPlace, run: string, task: string): Promise<void> {
  await place.book.change(runOf(place, run), (draft) =>
    draft.setTask(task, { state: "ended", outcome: "succeeded" }, "task.ended"),
  );
}

/** What adopting needs of the daemon. */
async function partsOf(place: LeaseBookPlace, bounds = { depth: 5, most: 20 }): Promise<Parts> {
  const spending = new Spending(place, {});
  await spending.load();
  return { ...place, spending, children: new ChildLimits(place, bounds) } as unknown as Parts;
}

describe("a run whose starter ends", () => {
  it("belongs to the owner of its starter's run from the same transaction on, and keeps its parent", async () => {
    const place = await makePlace();
    await end(place, "middle", "spawner");
    expect(runOf(place, "low").row).toMatchObject({ parent: SPAWNER, owner: LEAD });
    expect(await findRun(place.store, "low")).toMatchObject({ parent: SPAWNER, owner: LEAD, version: 1 });
    const events = await loadEvents(place.store, { afterSeq: 0, limit: 100 });
    expect(events.filter(({ type }) => type === "run.adopted")).toMatchObject([
      { run: "low", data: { by: LEAD, from: SPAWNER } },
    ]);
    expect(place.book.ownedBy(SPAWNER)).toEqual([]);
    expect(place.book.ownedBy(LEAD).map(({ row }) => row.id)).toEqual(["middle", "low"]);
    await end(place, "top", "lead");
    expect(runOf(place, "low").row).toMatchObject({ parent: SPAWNER, owner: undefined });
    expect((await findRun(place.store, "low"))?.owner).toBeUndefined();
  });

  it("has an heir also where a kill came before it was told of", async () => {
    const place = await makePlace();
    await place.store.commit([
      {
        sql: "update tasks set state = 'ended', outcome = 'failed' where run_id in ('middle', 'top') and name <> 'other'",
      },
    ]);
    const next = await place.reopen();
    await next.book.inherit(runOf(next, "low"));
    expect(runOf(next, "low").row).toMatchObject({ parent: SPAWNER, owner: undefined });
  });

  it("goes on changing by itself meanwhile", async () => {
    const place = await makePlace();
    await Promise.all([end(place, "middle", "spawner"), end(place, "low", "worker")]);
    expect(runOf(place, "low").row).toMatchObject({ state: "ended", outcome: "succeeded" });
    expect(await findRun(place.store, "low")).toMatchObject({ state: "ended", owner: LEAD });
  });
});

describe("adopting", () => {
  it("gives a run another parent: what it is cancelled with, what counts its use, and who is told", async () => {
    const place = await makePlace();
    const parts = await partsOf(place);
    expect(await adoptRun(parts, runOf(place, "free"), LEAD)).toBe(false);
    expect(await findRun(place.store, "free")).toMatchObject({ parent: LEAD, owner: LEAD });
    expect(await adoptRun(parts, runOf(place, "free"), LEAD)).toBe(true);
    expect(await adoptRun(parts, runOf(place, "low"), LEAD)).toBe(false);
    expect(place.book.ownedBy(LEAD).map(({ row }) => row.id)).toEqual(["middle", "free", "low"]);
    expect(await adoptRun(parts, runOf(place, "low"), undefined)).toBe(false);
    expect((await findRun(place.store, "low"))?.parent).toBeUndefined();
  });

  it("is refused in a circle, for what somebody else at work owns, and for what is over", async () => {
    const place = await makePlace();
    const parts = await partsOf(place);
    const refused = (run: string, by: { run: string; task: string } | undefined) =>
      expect(adoptRun(parts, runOf(place, run), by)).rejects;
    await refused("top", SPAWNER).toMatchObject({ code: "CANNOT_ADOPT", message: /started by it/ });
    await refused("middle", { run: "low", task: "worker" }).toMatchObject({ code: "CANNOT_ADOPT" });
    await refused("middle", { run: "middle", task: "spawner" }).toMatchObject({ code: "CANNOT_ADOPT" });
    await refused("low", { run: "free", task: "stray" }).toMatchObject({ code: "CANNOT_ADOPT", message: /at work/ });
    await end(place, "low", "worker");
    await refused("low", undefined).toMatchObject({ code: "CANNOT_ADOPT", message: /over/ });
  });

  it("goes neither deeper nor wider than is allowed", async () => {
    const place = await makePlace();
    const narrow = await partsOf(place, { depth: 5, most: 1 });
    await expect(adoptRun(narrow, runOf(place, "free"), LEAD)).rejects.toMatchObject({ code: "TOO_MANY_CHILDREN" });
    const flat = await partsOf(place, { depth: 2, most: 9 });
    await expect(adoptRun(flat, runOf(place, "free"), { run: "low", task: "worker" })).rejects.toMatchObject({
      code: "TOO_DEEP",
      data: { depth: 2, most: 2 },
    });
  });
});

describe("never more agents than the plan allows", () => {
  it("also where several are asked for at the same moment", async () => {
    const place = await makePlace();
    const children = new ChildLimits(place, { depth: 5, most: 4 });
    const asked = await Promise.allSettled(Array.from({ length: 9 }, () => children.admit(LEAD, 1)));
    const admitted = asked.filter((one) => one.status === "fulfilled");
    // It has one already.
    expect(admitted).toHaveLength(3);
    expect(asked.find((one) => one.status === "rejected")?.reason).toMatchObject({
      code: "TOO_MANY_CHILDREN",
      kind: "limit",
      hint: expect.stringContaining("anabranch wait --any middle"),
      data: { open: 4, asked: 1, most: 4 },
    });
    admitted[0]?.value();
    (await children.admit(LEAD, 1))();
    await expect(children.admit(LEAD, 2)).rejects.toMatchObject({ code: "TOO_MANY_CHILDREN" });
  });
});
