import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Lease } from "../../../src/engine/leases.ts";
import { scopesMeet } from "../../../src/engine/scope.ts";
import { requireLease } from "../../../src/store/leases.ts";
import { LEASE_MS, leaseBookPlace, runOf, type LeaseBookPlace } from "../../fixtures/lease-books.ts";
import { refused } from "../../fixtures/refused.ts";
import { REPOSITORY } from "../../fixtures/store-rows.ts";
import { until } from "../../fixtures/until.ts";

interface Who {
  readonly run: string;
  readonly task: string;
}

const one: Who = { run: "run1", task: "one" };
const two: Who = { run: "run1", task: "two" };
const other: Who = { run: "run2", task: "other" };

const place = (): Promise<LeaseBookPlace> => leaseBookPlace({ run1: ["one", "two"], run2: ["other"] });

function claim({ leases }: LeaseBookPlace, who: Who, scope: readonly string[], ttlMs = 1000): Promise<Lease> {
  return leases.claim({ ...who, repositoryId: REPOSITORY, attempt: 0, scope, ttlMs });
}

/** Takes the lease of a task that begins, as the transaction does that begins it; `undefined` when it has to wait. */
async function begin(
  { leases, store }: LeaseBookPlace,
  who: Who,
  scope: readonly string[],
): Promise<Lease | undefined> {
  const verdict = leases.begin({ ...who, repositoryId: REPOSITORY, attempt: 0, scope });
  if (verdict.type === "refused") throw verdict.error;
  if (verdict.type === "wait") return undefined;
  await store.commit(verdict.statements());
  return verdict.confirm();
}

function end(place: LeaseBookPlace, { run, task }: Who): Promise<void> {
  const outcome = { state: "ended", outcome: "cancelled" } as const;
  return place.book.change(runOf(place, run), (draft) => draft.setTask(task, outcome, "task.ended"));
}

const states = async ({ store }: LeaseBookPlace): Promise<unknown[]> =>
  (await store.read("select task, state from leases order by token")).map(({ task, state }) => `${task} ${state}`);

const SCOPES = [["src/**"], ["src/a.ts"], ["src/b/**", "docs/**"], ["docs/a.md"], ["test/**"], ["**"]];
const TASKS = [one, two, other];

type Step =
  | { readonly what: "begin" | "claim"; readonly who: number; readonly scope: number }
  | { readonly what: "release"; readonly who: number }
  | { readonly what: "pass"; readonly ms: number }
  | { readonly what: "reopen" };

const who = fc.nat({ max: TASKS.length - 1 });
const scope = fc.nat({ max: SCOPES.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ what: fc.constantFrom("begin" as const, "claim" as const), who, scope }),
  fc.record({ what: fc.constant("release" as const), who }),
  fc.record({ what: fc.constant("pass" as const), ms: fc.constantFrom(400, 1200, LEASE_MS * 2) }),
  fc.record({ what: fc.constant("reopen" as const) }),
);

describe("the lease book", () => {
  it("never has two leases held that meet, gives tokens that only grow, and tells of each what the database does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        let at = await place();
        let newest = 0;
        const note = (lease: Lease | undefined): void => {
          if (lease === undefined || lease.token === newest) return;
          expect(lease.token).toBeGreaterThan(newest);
          newest = lease.token;
        };
        const known = new Set<string>();
        for (const step of steps) {
          if (step.what === "pass") at.clock.advance(step.ms);
          else if (step.what === "reopen") at = await at.reopen();
          else {
            const who = TASKS[step.who] ?? one;
            const scope = step.what === "release" ? [] : (SCOPES[step.scope] ?? []);
            const mine = at.leases.held(REPOSITORY).filter(({ task }) => task === who.task);
            if (step.what === "begin" && mine.length === 0) note(await begin(at, who, scope));
            if (step.what === "claim") {
              const lease = await claim(at, who, scope).catch(() => undefined);
              if (lease !== undefined && !known.has(lease.id)) note(lease);
              if (lease !== undefined) known.add(lease.id);
            }
            if (step.what === "release" && mine[0] !== undefined) await at.leases.release(mine[0]);
          }
          const held = at.leases.held(REPOSITORY);
          for (const [index, a] of held.entries()) {
            for (const b of held.slice(index + 1)) {
              expect(a.task !== b.task && scopesMeet(a.scope, b.scope), `${a.scope.join()} and ${b.scope.join()}`).toBe(
                false,
              );
            }
            await at.store.commit([requireLease(a, at.clock.wallMs())]);
          }
        }
        await at.store.close();
      }),
      { numRuns: 60 },
    );
  });

  it("refuses a claim on what another holds, and says who and until when", async () => {
    const at = await place();
    await claim(at, one, ["src/**"]);
    const error = await refused(claim(at, other, ["src/a.ts"]), "LEASE_HELD");
    expect(error).toMatchObject({
      message: expect.stringContaining("lease of run1/one (since 08:00:00 UTC, until 08:00:01 UTC at the latest)"),
      data: { run: "run1", task: "one", scope: ["src/**"] },
    });
    expect(await claim(at, other, ["docs/**"])).toMatchObject({ token: 2 });
  });

  it("renews a claim that is made again, and lets one expire that is not", async () => {
    const at = await place();
    const first = await claim(at, one, ["src/**"]);
    at.clock.advance(900);
    expect(await claim(at, one, ["src/**"])).toMatchObject({ id: first.id, token: 1 });
    at.clock.advance(900);
    expect(at.leases.held(REPOSITORY)).toHaveLength(1);
    at.clock.advance(200);
    expect(at.leases.held(REPOSITORY)).toEqual([]);
    await until(async () => (await states(at))[0] === "one expired", "the lease is noted as expired");
    expect(await claim(at, other, ["src/**"])).toMatchObject({ token: 2 });
  });

  it("tells that a task has lost what it wrote under, and fails the transaction that has its lane move", async () => {
    const at = await place();
    const lease = await claim(at, one, ["src/**"]);
    expect(at.leases.fence(one, ["src/a.ts"])).toBeUndefined();
    const fencing = at.leases.fencing(one, ["src/a.ts"]);
    expect(fencing).toHaveLength(1);
    await at.store.commit(fencing);
    at.clock.advance(1000);
    expect(at.leases.fence(one, ["src/a.ts"])).toMatchObject({ id: lease.id });
    expect(at.leases.fence(one, ["docs/a.md"])).toBeUndefined();
    expect(at.leases.fence(two, ["src/a.ts"])).toBeUndefined();
    await expect(at.store.commit(at.leases.fencing(one, ["src/a.ts"]))).rejects.toMatchObject({
      code: "STORE_CONFLICT",
    });
    // Nor is it forgotten by a daemon that comes later.
    await until(async () => (await states(at))[0] === "one expired", "the lease is noted as expired");
    const later = await at.reopen();
    expect(later.leases.fence(one, ["src/a.ts"])).toMatchObject({ id: lease.id, state: "expired" });
  });

  it("keeps the lease of a task for as long as it is at work, and gives it up in the transaction that ends it", async () => {
    const at = await place();
    await begin(at, one, ["src/**"]);
    for (let passed = 0; passed < 3 * LEASE_MS; passed += LEASE_MS / 4) {
      at.clock.advance(LEASE_MS / 4);
      await until(() => (at.leases.held(REPOSITORY)[0]?.expiresMs ?? 0) > at.clock.wallMs() + LEASE_MS / 2, "renewed");
    }
    let freed = 0;
    at.leases.onFree(() => (freed += 1));
    await end(at, one);
    expect(await states(at)).toEqual(["one released"]);
    expect(at.leases.held(REPOSITORY)).toEqual([]);
    expect(freed).toBe(1);
  });

  it("does not renew what was left behind longer ago than it is held", async () => {
    const at = await place();
    await begin(at, one, ["src/**"]);
    at.clock.advance(LEASE_MS - 1);
    const soon = await at.reopen();
    expect(soon.leases.held(REPOSITORY)).toHaveLength(1);
    soon.clock.advance(LEASE_MS + 1);
    const late = await at.reopen();
    expect(late.leases.held(REPOSITORY)).toEqual([]);
    expect(late.leases.fence(one, ["src/a.ts"])).toBeDefined();
  });

  it("lets tasks begin in the order they came, so that a large scope is not passed over", async () => {
    const at = await leaseBookPlace({ run1: ["a", "b"], run2: ["large"], run3: ["small"] });
    const [a, b] = [
      { run: "run1", task: "a" },
      { run: "run1", task: "b" },
    ];
    const [large, small] = [
      { run: "run2", task: "large" },
      { run: "run3", task: "small" },
    ];
    await begin(at, a, ["src/**"]);
    await begin(at, b, ["docs/**"]);
    expect(await begin(at, large, ["src/**", "docs/**"])).toBeUndefined();
    await end(at, a);
    expect(await begin(at, small, ["src/a.ts"])).toBeUndefined();
    expect(await begin(at, large, ["src/**", "docs/**"])).toBeUndefined();
    await end(at, b);
    expect(await begin(at, small, ["src/a.ts"])).toBeUndefined();
    expect(await begin(at, large, ["src/**", "docs/**"])).toBeDefined();
    await end(at, large);
    expect(await begin(at, small, ["src/a.ts"])).toBeDefined();
  });

  it("forgets a waiting task that was cancelled, and says that something is free", async () => {
    const at = await place();
    await begin(at, one, ["src/**"]);
    expect(await begin(at, two, ["**"])).toBeUndefined();
    let freed = 0;
    at.leases.onFree(() => (freed += 1));
    await end(at, two);
    expect(freed).toBe(1);
    expect(await begin(at, other, ["docs/**"])).toBeDefined();
  });

  it("counts what a task has started as the task's own family", async () => {
    const at = await leaseBookPlace(
      { run1: ["starter"], run2: ["child"], run3: ["stranger"] },
      {
        run2: { run: "run1", task: "starter" },
      },
    );
    const starter = { run: "run1", task: "starter" };
    const child = { run: "run2", task: "child" };
    const stranger = { run: "run3", task: "stranger" };
    await begin(at, starter, ["src/**"]);
    expect(at.leases.over(REPOSITORY, child, ["src/a.ts"])).toBeUndefined();
    expect(await begin(at, child, ["src/a/**"])).toBeDefined();
    expect(at.leases.over(REPOSITORY, stranger, ["src/b.ts"])).toMatchObject({ mayWait: true });
    // Who was started by a holder does not wait for what came after: that might wait for the holder.
    await begin(at, stranger, ["docs/**"]);
    await refused(begin(at, child, ["docs/**"]), "LEASE_HELD");
  });

  it("lets a writer wait until the scope is free, or until it is given up", async () => {
    const at = await place();
    const { signal } = new AbortController();
    const lease = await claim(at, one, ["src/**"]);
    const ask = (until: AbortSignal): Promise<unknown> => at.leases.judge(REPOSITORY, other, "src/a.ts", "wait", until);
    const waiting = ask(signal);
    await at.leases.release(lease);
    expect(await waiting).toEqual({ allow: true });

    await claim(at, one, ["src/**"]);
    const expiring = ask(signal);
    at.clock.advance(1000);
    expect(await expiring).toEqual({ allow: true });

    await claim(at, one, ["src/**"]);
    const controller = new AbortController();
    const stopped = ask(controller.signal);
    controller.abort();
    expect(await stopped).toMatchObject({ allow: false, reason: expect.stringContaining("lease of run1/one") });
  });

  it("holds an attempt to a number of leases", async () => {
    const at = await place();
    for (let index = 0; index < 50; index += 1) await claim(at, one, [`src/${index}.ts`]);
    await refused(claim(at, one, ["src/50.ts"]), "USAGE");
  });
});
