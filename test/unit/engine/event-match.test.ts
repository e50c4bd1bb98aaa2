import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fieldText, hasField } from "../../../src/engine/event-fields.ts";
import { matchEvent } from "../../../src/engine/event-match.ts";
import { TriggerIndex } from "../../../src/engine/trigger-index.ts";
import type { EventSource, TriggerEvent, TriggerSpec } from "../../../src/engine/trigger.ts";
import { expectProportionate } from "../../fixtures/work.ts";

function trigger(source: EventSource, where: TriggerSpec["where"] = {}): TriggerSpec {
  return {
    name: "t",
    source,
    where,
    workflow: "w",
    notify: [],
    approval: undefined,
    target: undefined,
    flow: { rateLimit: undefined, debounce: undefined, batch: undefined, throttle: undefined },
    group: undefined,
    idempotencyKey: undefined,
    priority: 0,
    again: false,
  };
}

function event(type: string, data: TriggerEvent["data"], task?: string): TriggerEvent {
  return { seq: 1, atMs: 0, type, repositoryId: "r", run: "run1", task, data };
}

const files = (globs: readonly string[], changes: readonly ("created" | "changed" | "deleted")[]): EventSource => ({
  type: "files",
  globs,
  changes,
});
const ALL = ["created", "changed", "deleted"] as const;
const changed = (...paths: readonly string[]): TriggerEvent =>
  event("files.changed", { paths: paths.map((path) => ({ path, change: "changed" })), count: paths.length });
const ref = (data: TriggerEvent["data"]): TriggerEvent => event("ref.changed", data);
const commits = (more: Partial<EventSource & { type: "ref" }> = {}): EventSource => ({
  type: "ref",
  kind: "commit",
  names: ["main", "release/*"],
  authors: [],
  paths: [],
  ...more,
});
const moved = { kind: "branch", name: "main", change: "moved", author: "Ada <ada@example.org>", paths: ["src/a.ts"] };

describe("a trigger", () => {
  it("is told the files that match, by path and by what became of them", () => {
    const told = event("files.changed", {
      paths: [
        { path: "src/a.ts", change: "changed" },
        { path: "src/b.ts", change: "deleted" },
        { path: "docs/a.md", change: "changed" },
      ],
      count: 3,
      bulk: false,
    });
    expect(matchEvent(trigger(files(["src/**/*.ts"], ["changed"])), "t1", told)).toEqual({
      matches: true,
      paths: ["src/a.ts"],
    });
    expect(matchEvent(trigger(files(["test"], ALL)), "t1", told)).toEqual({
      matches: false,
      why: "no file that was created or changed or deleted is in test",
    });
  });

  it("fires on a bulk change that tells only its first files", () => {
    const bulk = event("files.changed", { paths: [{ path: "a", change: "changed" }], count: 40_000, bulk: true });
    expect(matchEvent(trigger(files(["src/**"], ALL)), "t1", bulk)).toEqual({ matches: true, paths: [] });
  });

  it.each<[string, EventSource, TriggerEvent, boolean]>([
    ["a branch that moved", commits(), ref(moved), true],
    ["a branch below a folder", commits(), ref({ ...moved, name: "release/1" }), true],
    ["a branch deeper than its glob", commits(), ref({ ...moved, name: "release/1/2" }), false],
    ["a new branch, for a commit", commits(), ref({ ...moved, change: "created" }), false],
    ["a tag, for a commit", commits(), ref({ ...moved, kind: "tag" }), false],
    ["its author", commits({ authors: ["*@example.org>"] }), ref(moved), true],
    ["another author", commits({ authors: ["Bob *"] }), ref(moved), false],
    ["its paths", commits({ paths: ["src"] }), ref(moved), true],
    ["other paths", commits({ paths: ["docs"] }), ref(moved), false],
    ["a tag", { ...commits(), kind: "tag", names: ["v*"] } as EventSource, ref({ kind: "tag", name: "v1" }), true],
    [
      "its timer",
      { type: "timer", when: { everyMs: 1000 }, missed: "once" },
      event("timer.due", { trigger: "t1" }),
      true,
    ],
    [
      "another timer",
      { type: "timer", when: { everyMs: 1000 }, missed: "once" },
      event("timer.due", { trigger: "x" }),
      false,
    ],
    ["its log", { type: "log", file: "a.log", match: "x" }, event("log.matched", { trigger: "t1" }), true],
    ["its hook", { type: "webhook", hook: "h", signature: "token" }, event("webhook.received", { hook: "h" }), true],
    [
      "another hook",
      { type: "webhook", hook: "h", signature: "token" },
      event("webhook.received", { hook: "i" }),
      false,
    ],
    ["its landing", { type: "landing", workflow: "w" }, event("run.accepted", { workflow: "w" }), true],
    ["a custom event", { type: "custom", names: ["build.*"] }, event("custom.build.done", {}), true],
    ["another name", { type: "custom", names: ["build.*"] }, event("custom.deploy", {}), false],
    ["a newer kind of event", { type: "custom", names: ["**"] }, event("moon.risen", { paths: 7 }), false],
    ["files told in a new way", files(["src"], ALL), event("files.changed", { paths: "src/a.ts" }), false],
    ["files told as nothing", files(["src"], ALL), event("files.changed", { paths: [null, 3, { path: 4 }] }), false],
  ])("knows %s", (_, source, told, expected) => {
    expect(matchEvent(trigger(source), "t1", told).matches).toBe(expected);
  });

  it("says why it does not fire", () => {
    const source: EventSource = { type: "task", workflow: "check", task: "tests", outcomes: ["succeeded"] };
    const ended = (workflow: string, outcome: string): TriggerEvent =>
      event("task.ended", { workflow, outcome }, "tests");
    expect(matchEvent(trigger(source), "t1", ended("check", "succeeded")).matches).toBe(true);
    expect(matchEvent(trigger(source), "t1", ended("check", "failed"))).toEqual({
      matches: false,
      why: "the outcome is not succeeded",
    });
    expect(matchEvent(trigger(source), "t1", ended("other", "failed"))).toMatchObject({
      why: "it waits for check.tests, and another task has ended",
    });
    expect(matchEvent(trigger(source), "t1", event("run.ended", {}))).toMatchObject({
      why: "it waits for task.ended, and this is run.ended",
    });
  });

  const hook: EventSource = { type: "webhook", hook: "h", signature: "token" };
  const body = {
    action: "opened",
    number: 7,
    draft: false,
    labels: [{ name: "bug" }, { name: "ui" }],
    user: { login: "ada" },
  };
  it.each<[TriggerSpec["where"], boolean]>([
    [{ "body.action": ["opened", "reopened"] }, true],
    [{ "data.body.action": ["op*"] }, true],
    [{ "body.number": ["7"] }, true],
    [{ "body.draft": ["false"] }, true],
    [{ "body.labels.name": ["ui"] }, true],
    [{ "body.labels.1.name": ["ui"] }, true],
    [{ "body.labels.0.name": ["ui"] }, false],
    [{ "body.action": ["closed"] }, false],
    [{ "body.user": ["*"] }, false],
    [{ "body.missing": ["*"] }, false],
    [{ "body.constructor.name": ["*"] }, false],
    [{ "body.__proto__": ["*"] }, false],
    [{ run: ["run1"] }, true],
    [{ "body.action": ["opened"], "body.number": ["8"] }, false],
  ])("asked for %o of an event's fields, says %s", (where, expected) => {
    expect(matchEvent(trigger(hook, where), "t1", event("webhook.received", { hook: "h", body })).matches).toBe(
      expected,
    );
  });

  it("looks at hostile fields in time that grows with their length", () => {
    const where = { "body.text": [`${"*a".repeat(40)}b`] };
    expectProportionate([500, 5000], (count) => {
      const told = event("webhook.received", { hook: "h", body: { text: "a".repeat(count) } });
      return () => matchEvent(trigger(hook, where), "t1", told);
    });
    const long = event("webhook.received", { hook: "h", body: { text: "a".repeat(70_000) } });
    expect(matchEvent(trigger(hook, { "body.text": ["*"] }), "t1", long).matches).toBe(false);
  });

  it("tells events apart by a field", () => {
    const told = event("webhook.received", { hook: "h", delivery: "d1", body });
    expect(fieldText(told, "delivery")).toBe("d1");
    expect(fieldText(told, "body.number")).toBe("7");
    expect(fieldText(told, "body.labels.name")).toBe('["bug","ui"]');
    expect(fieldText(told, "body.user")).toBe('{"login":"ada"}');
    expect(fieldText(told, "body.nothing")).toBeUndefined();
  });

  it.each<[EventSource["type"], string, boolean]>([
    ["task", "outcome", true],
    ["task", "data.outcome", true],
    ["task", "reason.code", true],
    ["task", "reason", true],
    ["task", "outcom", false],
    ["task", "outcome.more", false],
    ["files", "paths.path", true],
    ["files", "paths.0.path", true],
    ["files", "paths.name", false],
    ["webhook", "body.a.b.c", true],
    ["webhook", "header", false],
    ["custom", "anything.at.all", true],
  ])("of %s events knows whether there is a field %j", (source, path, expected) => {
    expect(hasField(source, path)).toBe(expected);
  });
});

describe("an index of triggers", () => {
  const glob = fc.constantFrom(
    "src/**",
    "src/a/*.ts",
    "**/*.ts",
    "docs",
    "src/a/b.ts",
    "{src,docs}/x",
    "src/fo*",
    "./src//a",
  );
  const source: fc.Arbitrary<EventSource> = fc.oneof(
    fc.array(glob, { minLength: 1, maxLength: 2 }).map((globs) => files(globs, ALL)),
    fc.constantFrom<EventSource>(
      commits(),
      { type: "timer", when: { everyMs: 1000 }, missed: "once" },
      { type: "webhook", hook: "h", signature: "token" },
      { type: "task", workflow: "w", task: "t", outcomes: ["failed"] },
      { type: "run", workflow: "w", outcomes: ["failed"] },
      { type: "landing", workflow: "w" },
      { type: "custom", names: ["a*"] },
      { type: "custom", names: ["a.b", "c"] },
    ),
  );
  const path = fc.constantFrom("src/a/b.ts", "src/foo/x", "docs/y", "x.ts", "src/x", "docs/x", "src/a/c.ts");
  const anyEvent: fc.Arbitrary<TriggerEvent> = fc.oneof(
    fc.array(path, { maxLength: 3 }).map((paths) => changed(...paths)),
    fc.constantFrom(
      ref(moved),
      event("timer.due", { trigger: "t0" }),
      event("webhook.received", { hook: "h" }),
      event("task.ended", { workflow: "w", outcome: "failed" }, "t"),
      event("run.ended", { workflow: "w", outcome: "failed" }),
      event("task.landed", { workflow: "w" }),
      event("custom.a.b", {}),
      event("custom.c", {}),
      event("files.changed", { paths: [], count: 5000, bulk: true }),
    ),
  );

  it("finds every trigger that an event is for, in their order", () => {
    fc.assert(
      fc.property(fc.array(source, { maxLength: 12 }), anyEvent, (sources, told) => {
        const triggers = sources.map((one, index) => ({ id: `t${index}`, spec: trigger(one) }));
        const index = new TriggerIndex();
        index.set("r", triggers);
        const found = index.candidates(told).map(({ id }) => id);
        const matching = triggers.filter(({ id, spec }) => matchEvent(spec, id, told).matches).map(({ id }) => id);
        expect(found.filter((id) => matching.includes(id))).toEqual(matching);
        expect(index.candidates({ ...told, repositoryId: "other" })).toEqual([]);
        index.set("r", []);
        expect(index.candidates(told)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("does not try an event with every trigger there is", () => {
    const bulk = changed(...Array.from({ length: 300 }, (_, place) => `packages/p${place}/src/a.ts`));
    expectProportionate([1000, 10_000], (count) => {
      const triggers = Array.from({ length: count }, (_, place) => ({
        id: `t${place}`,
        spec: trigger(files([`packages/p${place}/src/**/*.ts`], ALL)),
      }));
      const index = new TriggerIndex<(typeof triggers)[number]>();
      index.set("r", triggers);
      return () => {
        expect(index.candidates(changed("packages/p7/src/a.ts", "packages/p8/test/a.ts"))).toEqual([triggers[7]]);
        const found = index.candidates(bulk);
        expect(found.filter(({ id, spec }) => matchEvent(spec, id, bulk).matches)).toHaveLength(300);
      };
    });
  });
});
