import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isAnabranchError } from "../../../src/base/errors.ts";
import type { TriggerSetSpec, TriggerSpec } from "../../../src/engine/trigger.ts";
import { parseRepositoryFile } from "../../../src/workflows/file.ts";
import { repositoryFile, type RepositoryFile } from "../../../src/workflows/schema.ts";
import { compileTriggers } from "../../../src/workflows/triggers.ts";
import { expectProportionate } from "../../fixtures/work.ts";

const WORKFLOWS = `workflows:
  check: { tasks: { tests: { run: npm test }, fix: { run: ./fix, needs: tests, when: failure } } }
  deploy: { tasks: { push: { run: ./deploy } } }
`;

async function compile(...triggers: readonly string[]): Promise<readonly TriggerSpec[]> {
  const text = `${WORKFLOWS}triggers:\n${triggers.map((one) => `  - { ${one} }`).join("\n")}\n`;
  return compileTriggers(await parseRepositoryFile(text, "anabranch.yaml"), "anabranch.yaml").triggers;
}

async function problemWith(...triggers: readonly string[]): Promise<{ message: string; hint: string | undefined }> {
  const error: unknown = await compile(...triggers).catch((cause: unknown) => cause);
  if (!isAnabranchError(error) || error.code !== "TRIGGER_INVALID") throw new Error(`not refused: ${String(error)}`);
  return { message: error.message, hint: error.hint };
}

const FILES = `on: { files: "src/**" }`;

describe("triggers of a file", () => {
  it("are settled with their defaults", async () => {
    const [trigger] = await compile(`${FILES}, run: check`);
    expect(trigger).toEqual({
      name: "check",
      source: { type: "files", globs: ["src/**"], changes: ["created", "changed", "deleted"] },
      where: {},
      workflow: "check",
      notify: [],
      approval: undefined,
      target: undefined,
      flow: { rateLimit: undefined, debounce: undefined, batch: undefined, throttle: undefined },
      group: undefined,
      idempotencyKey: undefined,
      priority: 0,
      again: false,
    });
  });

  it("are settled with what they say", async () => {
    const [trigger] = await compile(
      `name: ship, on: { task: check.tests, outcome: succeeded }, run: deploy, notify: [desktop, ops, ops], approval: required,
       target: main, where: { run: "r*" }, debounce: { quiet: 500ms, max: 1m, edge: both }, throttle: { limit: 3, per: 1h },
       rateLimit: { limit: 9, per: 1d }, idempotencyKey: run, concurrency: { group: ships, limit: 2 }, priority: 7, again: true`,
    );
    expect(trigger).toMatchObject({
      name: "ship",
      source: { type: "task", workflow: "check", task: "tests", outcomes: ["succeeded"] },
      notify: ["desktop", "ops"],
      approval: { expiresMs: 7 * 86_400_000 },
      target: "main",
      where: { run: ["r*"] },
      flow: {
        debounce: { quietMs: 500, maxMs: 60_000, edge: "both" },
        throttle: { limit: 3, perMs: 3_600_000 },
        rateLimit: { limit: 9, perMs: 86_400_000 },
      },
      group: { name: "ships", limit: 2, policy: "queue" },
      idempotencyKey: "run",
      priority: 7,
      again: true,
    });
  });

  it.each<[string, TriggerSpec["source"]]>([
    [
      "commit: [main, 'release/*'], author: '*@example.org'",
      { type: "ref", kind: "commit", names: ["main", "release/*"], authors: ["*@example.org"], paths: [] },
    ],
    ["tag: 'v*'", { type: "ref", kind: "tag", names: ["v*"], authors: [], paths: [] }],
    [
      "cron: '0 9 * * 1-5', timeZone: Europe/Berlin",
      { type: "timer", when: { cron: "0 9 * * 1-5", timeZone: "Europe/Berlin" }, missed: "once" },
    ],
    ["every: 5m, missed: skip", { type: "timer", when: { everyMs: 300_000 }, missed: "skip" }],
    ["at: '2027-01-31T09:00:00+01:00'", { type: "timer", when: { atMs: Date.UTC(2027, 0, 31, 8) }, missed: "once" }],
    ["webhook: ci, signature: github", { type: "webhook", hook: "ci", signature: "github" }],
    ["log: app.log, match: 'ERROR (?<what>.*)'", { type: "log", file: "app.log", match: "ERROR (?<what>.*)" }],
    ["run: check, outcome: failed", { type: "run", workflow: "check", outcomes: ["failed"] }],
    ["landing: check", { type: "landing", workflow: "check" }],
    ["event: 'build.*'", { type: "custom", names: ["build.*"] }],
  ])("wait for { %s }", async (on, source) => {
    const [trigger] = await compile(`on: { ${on} }, run: deploy`);
    expect(trigger?.source).toEqual(source);
  });

  it("are called what they say, else what they lead to, with a number where that is taken", async () => {
    const names = await compile(
      `${FILES}, run: check`,
      `${FILES}, run: check`,
      `name: check-2, ${FILES}, run: check`,
      `${FILES}, notify: desktop`,
      `${FILES}, run: check`,
    );
    expect(names.map(({ name }) => name)).toEqual(["check", "check-3", "check-2", "desktop", "check-4"]);
  });

  it("share what is said of their group in one place", async () => {
    const settled = await compile(
      `${FILES}, run: check, concurrency: { group: g }`,
      `${FILES}, run: deploy, concurrency: { group: g, limit: 3, policy: replace-pending }`,
      `${FILES}, run: deploy, concurrency: { policy: cancel-in-progress }`,
      `${FILES}, run: deploy, singleton: true`,
    );
    const shared = { name: "g", limit: 3, policy: "replace-pending" };
    expect(settled.map(({ group }) => group)).toEqual([
      shared,
      shared,
      { name: "trigger:deploy-2", limit: 1, policy: "cancel-in-progress" },
      { name: "trigger:deploy-3", limit: 1, policy: "skip" },
    ]);
  });

  it("lead as far as the file says, else eight deep", () => {
    const chainsOf = (chains: RepositoryFile["chains"]): TriggerSetSpec["chains"] =>
      compileTriggers({ chains }, "anabranch.yaml").chains;
    expect(chainsOf(undefined)).toEqual({ depth: 8, budget: {} });
    expect(chainsOf({ depth: 3, budget: { usd: 2, minutes: 1 } })).toEqual({
      depth: 3,
      budget: { usd: 2, ms: 60_000 },
    });
  });

  it.each([
    [FILES, "leads to nothing", "run:"],
    [`${FILES}, run: chekc`, "no such workflow", "did you mean check?"],
    [`${FILES}, run: constructor`, "no such workflow", "check, deploy"],
    ["on: { run: chek }, run: deploy", "no such workflow", "did you mean check?"],
    ["on: { landing: nope }, run: deploy", "no such workflow", "check, deploy"],
    ["on: { task: check.test }, run: deploy", "check has no such task", "did you mean tests?"],
    ["on: { task: nothing }, run: deploy", "names no workflow", "WORKFLOW.TASK"],
    ["on: { task: check.constructor }, run: deploy", "no such task", "tests, fix"],
    ["on: { task: check.tests, outcome: skipped }, run: deploy", "it never is", "another outcome"],
    ["on: { run: check, outcome: [lost, skipped] }, run: deploy", "no run ends so", "succeeded"],
    ["on: { run: check }, run: check", "what it has led to itself", "again: true"],
    ["on: { task: check.tests }, run: check", "what it has led to itself", "again: true"],
    ["on: { landing: check }, run: check", "what it has led to itself", "again: true"],
    [`${FILES}, run: check, debounce: 1s, batch: { size: 2, within: 1s }`, "one way only", "one of them"],
    [`${FILES}, run: check, debounce: { quiet: 2s, max: 1s }`, "shorter than quiet", "longer max"],
    [`${FILES}, run: check, debounce: { quiet: 1s, max: 2s, edge: leading }`, "nothing waits", "edge: both"],
    [`${FILES}, run: check, debounce: 0ms`, "no time at all", "debounce: quiet"],
    [`${FILES}, run: check, batch: { size: 2, within: 0.1ms }`, "no time at all", "batch: within"],
    [`${FILES}, run: check, throttle: { limit: 1, per: 0s }`, "no time at all", "throttle: per"],
    [`${FILES}, run: check, rateLimit: { limit: 1, per: 9999d }`, "longer than a year", "366d"],
    [`${FILES}, run: check, approval: { expires: 0s }`, "no time at all", "expires"],
    [`${FILES}, run: check, singleton: true, concurrency: {}`, "different things", "one of them"],
    [`${FILES}, notify: desktop, approval: required`, "starts none", "approval"],
    [`${FILES}, notify: desktop, singleton: true`, "starts none", "singleton"],
    [`${FILES}, notify: desktop, target: main`, "starts none", "target"],
    ["on: { every: 0s }, run: check", "no time at all", "how long"],
    ["on: { every: 10ms }, run: check", "every: 10ms", "1s"],
    ["on: { cron: '0 0 30 2 *' }, run: check", "never fires", "cron:"],
    ["on: { cron: 'now and then' }, run: check", "cron pattern", "cron:"],
    ["on: { cron: '0 9 * * *', timeZone: Europe/Bärlin }, run: check", "time zone", "timeZone:"],
    ["on: { at: tomorrow }, run: check", "not a moment", "2027-01-31T09:00:00Z"],
    ["on: { at: '2027-01-31T09:00:00' }, run: check", "not a moment", "zone"],
    ["on: { at: '2027-02-30T09:00:00Z' }, run: check", "no such day", "2027"],
    ["on: { at: '2027-01-31T29:00:00Z' }, run: check", "no such day", "2027"],
    ["on: { log: a.log, match: '[' }, run: check", "cannot be read", "mend"],
    ["on: { log: a.log, match: '(a+)+$' }, run: check", "in several ways", "simpler"],
    ["on: { files: '**' }, run: check", "matches every file", "src/**"],
    ["on: { files: '*' }, run: check", "matches every file", "src/**"],
    ["on: { files: . }, run: check", "matches every file", "src/**"],
    ["on: { files: '**/*' }, run: check, again: true", "matches every file", "src/**"],
    ["on: { files: ['{*,x}', 'src/**'] }, run: check", "matches every file", "src/**"],
    ["on: { files: ['[!.]*', '.*'] }, run: check", "matches every file", "src/**"],
    ["on: { files: '../x/**' }, run: check", "not inside", "root"],
    ["on: { files: '/etc/**' }, run: check", "not inside", "root"],
    ["on: { files: '.git/HEAD' }, run: check", "not watched", "commit"],
    ["on: { files: '!(src)/**' }, run: check", "parentheses", "{a,b}"],
    ["on: { files: ['src/**', '!src/a'] }, run: check", "excluded", "instead"],
    ["on: { commit: main, paths: '**' }, run: check", "matches every file", "src/**"],
    ["on: { commit: refs/heads/main }, run: check", "without refs/", "main"],
    [`${FILES}, run: check, where: { outcome: failed }`, "no such field", "paths.path"],
    ["on: { run: check }, run: deploy, where: { outcom: failed }", "no such field", "did you mean outcome?"],
    ["on: { run: check }, run: deploy, where: { outcome: faild }", "it never is", "failed"],
    ["on: { run: check, outcome: failed }, run: deploy, where: { outcome: succeeded }", "it never is", "failed"],
    ["on: { commit: main }, run: deploy, where: { change: created }", "it never is", "moved"],
    ["on: { every: 5m }, run: check, idempotencyKey: body.id", "no such field", "dueMs"],
  ])("are refused when they say %s", async (trigger, why, hint) => {
    const problem = await problemWith(trigger);
    expect(problem.message).toMatch(/^anabranch\.yaml: trigger \S+ /);
    expect(problem.message).toContain(why);
    expect(problem.hint).toContain(hint);
  });

  it.each([
    ["two of one name", [`name: a, ${FILES}, run: check`, `name: a, ${FILES}, run: deploy`], "is there twice"],
    [
      "two limits of one group",
      [
        `${FILES}, run: check, concurrency: { group: g, limit: 1 }`,
        `${FILES}, run: check, concurrency: { group: g, limit: 2 }`,
      ],
      "for group g",
    ],
    [
      "two signatures of one webhook",
      ["on: { webhook: h }, run: check", "on: { webhook: h, signature: hmac }, run: deploy"],
      "for webhook h",
    ],
  ])("are refused where they contradict each other: %s", async (_, triggers, why) => {
    expect((await problemWith(...triggers)).message).toContain(why);
  });

  it("may go round through others, and on their own work where they say so", async () => {
    await expect(compile("on: { run: check }, run: deploy", "on: { run: deploy }, run: check")).resolves.toHaveLength(
      2,
    );
    await expect(compile("on: { run: check }, run: check, again: true")).resolves.toHaveLength(1);
  });

  it("never end in anything but a settled trigger or a refusal", () => {
    const short = fc.constantFrom("0s", "1ms", "500ms", "1s", "1m", "400d");
    const glob = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom("**", "src/**", "!(a)", "[", "{", "..", ".git"));
    const on = fc.oneof(
      glob.map((files) => ({ files })),
      glob.map((commit) => ({ commit })),
      glob.map((event) => ({ event })),
      fc.string({ minLength: 1 }).map((match) => ({ log: "a", match })),
      fc.string({ minLength: 1 }).map((cron) => ({ cron })),
      fc.string({ minLength: 1 }).map((at) => ({ at })),
      fc.string({ minLength: 1 }).map((task) => ({ task })),
      short.map((every) => ({ every })),
    );
    const per = fc.record({ limit: fc.integer({ min: 1, max: 9 }), per: short });
    const trigger = fc.record(
      {
        on,
        run: fc.constantFrom("w", "constructor", "x"),
        notify: fc.constantFrom("desktop"),
        where: fc.dictionary(fc.string({ minLength: 1 }), glob),
        debounce: fc.oneof(short, fc.record({ quiet: short, max: short })),
        throttle: per,
        rateLimit: per,
        batch: fc.record({ size: fc.integer({ min: 2, max: 9 }), within: short }),
        idempotencyKey: fc.string({ minLength: 1 }),
        singleton: fc.boolean(),
        again: fc.boolean(),
      },
      { requiredKeys: ["on"] },
    );
    fc.assert(
      fc.property(fc.array(trigger, { maxLength: 3 }), (triggers) => {
        const parsed = repositoryFile.safeParse({ workflows: { w: { tasks: { t: { run: "true" } } } }, triggers });
        fc.pre(parsed.success);
        try {
          const settled = compileTriggers(parsed.data ?? {}, "f").triggers;
          expect(new Set(settled.map(({ name }) => name)).size).toBe(triggers.length);
          expect(JSON.parse(JSON.stringify(settled))).toHaveLength(triggers.length);
        } catch (error) {
          if (!isAnabranchError(error) || error.code !== "TRIGGER_INVALID") throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("are settled in time in proportion to their number, also where there are ten thousand", () => {
    const kinds = [
      (index: number) => ({ on: { files: [`packages/p${index}/**/*.ts`, "docs/*.md"] }, debounce: "500ms" }),
      () => ({ on: { log: "app.log", match: "^ERROR (?<what>.*) after \\d+ms" }, idempotencyKey: "groups.what" }),
      () => ({ on: { cron: "*/5 9-17 * * 1-5", timeZone: "Europe/Berlin" } }),
      () => ({ on: { webhook: "ci" }, where: { "body.action": ["opened"] }, concurrency: { group: "g" } }),
    ];
    expectProportionate([1000, 10_000], (count) => {
      const triggers = Array.from({ length: count }, (_, index) => ({ ...kinds[index % 4]?.(index), run: "w" }));
      const file = { workflows: { w: { tasks: { t: { run: "true" } } } }, triggers } as unknown as RepositoryFile;
      return () => expect(new Set(compileTriggers(file, "f").triggers.map(({ name }) => name)).size).toBe(count);
    });
  });
});
