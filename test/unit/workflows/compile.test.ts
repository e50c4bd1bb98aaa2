import { describe, expect, it } from "vitest";

import { isAnabranchError, type AnabranchError } from "../../../src/base/errors.ts";
import { builtInAgent } from "../../../src/workflows/agent-definition.ts";
import { compileRun, type RunChoices } from "../../../src/workflows/compile.ts";
import {
  repositoryFile,
  workflowDefinition,
  type RepositoryFile,
  type TaskDefinition,
  type WorkflowDefinition,
} from "../../../src/workflows/schema.ts";
import type { RunSpec, TaskSpec } from "../../../src/workflows/spec.ts";

function compile(workflow: WorkflowDefinition, file: RepositoryFile = {}, choices: Partial<RunChoices> = {}): RunSpec {
  const settings = repositoryFile.parse(file);
  return compileRun(
    "check",
    workflowDefinition.parse(workflow),
    settings,
    { get: () => builtInAgent("claude") },
    {
      subdirectory: "",
      ...choices,
    },
  );
}

function compileTask(definition: Partial<TaskDefinition>, choices: Partial<RunChoices> = {}): TaskSpec {
  const [task] = compile({ tasks: { one: { run: "true", ...definition } } }, {}, choices).tasks;
  if (task === undefined) throw new Error("there is a task");
  return task;
}

describe("a workflow that says nothing but its tasks", () => {
  it("gets these defaults", () => {
    expect(compile({ tasks: { one: { run: "npm test" } } })).toEqual({
      name: "check",
      budget: {},
      mode: "auto",
      join: "all",
      land: "each",
      verifies: false,
      redBase: "stop",
      target: undefined,
      parallel: undefined,
      share: undefined,
      tasks: [
        {
          name: "one",
          kind: "shell",
          agent: undefined,
          exclusive: false,
          needs: [],
          after: [],
          when: "success",
          join: "all",
          detach: false,
          writes: [],
          resources: [],
          retry: { times: 0, delayMs: 1000, factor: 2, maxDelayMs: 60_000 },
          command: "npm test",
          environment: {},
          directory: "",
          timeoutMs: undefined,
          output: undefined,
          schema: undefined,
          effect: "reversible",
          approval: undefined,
          restart: undefined,
          reports: false,
        },
      ],
      setup: [],
      dependencies: ["node_modules", "vendor", "target"],
      copyDependencies: true,
      carry: [],
      ports: [],
      environment: {},
      repositoryParallel: undefined,
      resources: {},
      logCapBytes: 67_108_864,
    });
  });
});

describe("what a caller chooses", () => {
  it("stands above what the workflow says, and that above the default", () => {
    const workflow: WorkflowDefinition = {
      mode: "parallel",
      join: "first",
      land: "together",
      parallel: 3,
      share: true,
      tasks: { one: { run: "true" } },
    };
    const said = { mode: "parallel", join: "first", land: "together", parallel: 3, share: true, redBase: "forbid-new" };
    expect(compile(workflow, { redBase: "forbid-new" })).toMatchObject(said);
    const chosen = {
      mode: "sequential",
      join: "all",
      land: "each",
      parallel: 1,
      share: false,
      redBase: "stop",
    } as const;
    expect(compile(workflow, { redBase: "forbid-new" }, { ...chosen, target: "main" })).toMatchObject({
      ...chosen,
      target: "main",
    });
  });

  it("can forbid all tasks to write, also those that name what they write", () => {
    expect(compileTask({ writes: ["src/**"] }, { writesNone: true }).writes).toBe("none");
    expect(compileTask({}, { writesNone: false }).writes).toEqual([]);
  });
});

describe("tasks", () => {
  it("keep the order they were written in", () => {
    const names = ["zeta", "alpha", "b10", "b9", "x1", "constructor", "toString"];
    const tasks = Object.fromEntries(names.map((name) => [name, { run: "true" }]));
    expect(compile({ tasks }).tasks.map((task) => task.name)).toEqual(names);
  });

  it("come one after another in sequential mode, without a second tie to the one they need already", () => {
    const tasks = {
      a: { run: "true" },
      b: { run: "true" },
      c: { run: "true", needs: "b" },
      d: { run: "true", needs: "a" },
    };
    const after = compile({ mode: "sequential", tasks }).tasks.map((task) => task.after);
    expect(after).toEqual([[], ["a"], [], ["c"]]);
    expect(compile({ mode: "parallel", tasks }).tasks.flatMap((task) => task.after)).toEqual([]);
  });

  it.each<[string, Partial<TaskDefinition>, Partial<TaskSpec>]>([
    ["one need as a word", { needs: "b" }, { needs: ["b"] }],
    ["a need named twice", { needs: ["b", "c", "b"] }, { needs: ["b", "c"] }],
    ["one glob as a word", { writes: "src/**" }, { writes: ["src/**"] }],
    ["writes: none", { writes: "none" }, { writes: "none" }],
    ["a resource named twice", { resources: ["db", "db"] }, { resources: ["db"] }],
    ["a time limit", { timeout: "1.5m" }, { timeoutMs: 90_000 }],
    ["a number of retries", { retries: 3 }, { retry: { times: 3, delayMs: 1000, factor: 2, maxDelayMs: 60_000 } }],
    [
      "retries in detail",
      { retries: { times: 2, delay: "10s", factor: 1.5, max: "1h" } },
      { retry: { times: 2, delayMs: 10_000, factor: 1.5, maxDelayMs: 3_600_000 } },
    ],
    ["a schema, which means JSON", { schema: { type: "object" } }, { output: "json", schema: { type: "object" } }],
    ["output: text", { output: "text" }, { output: "text" }],
    ["variables that are no texts", { env: { A: 1, B: true, C: "c" } }, { environment: { A: "1", B: "true", C: "c" } }],
    ["a folder with a slash at its end", { directory: "packages/web/" }, { directory: "packages/web" }],
    ["detach", { detach: true }, { detach: true }],
  ])("understand %s", (_, definition, expected) => {
    expect(compileTask(definition)).toMatchObject(expected);
  });

  it("start where the caller stands, unless they name a folder", () => {
    expect(compileTask({}, { subdirectory: "packages/api" }).directory).toBe("packages/api");
    expect(compileTask({ directory: "packages/web" }, { subdirectory: "packages/api" }).directory).toBe("packages/web");
  });

  it("have the workflow's variables under their own", () => {
    const { tasks, environment } = compile(
      { env: { A: "workflow", B: "workflow" }, tasks: { one: { run: "true", env: { B: "task" } } } },
      { env: { A: "file", C: 3 } },
    );
    expect(tasks[0]?.environment).toEqual({ A: "workflow", B: "task" });
    expect(environment).toEqual({ A: "file", C: "3" });
  });

  it.each<[string, Partial<TaskDefinition>]>([
    [`has "when: failure" but needs nothing`, { when: "failure" }],
    [`has "join: first" but needs nothing`, { join: "first" }],
    ["has a schema, but its output is text", { schema: {}, output: "text" }],
    ["needs itself", { needs: ["other", "one"] }],
  ])("are refused where one %s", (problem, definition) => {
    expect(() => compileTask(definition)).toThrow(
      expect.objectContaining({ code: "GRAPH_INVALID", message: `task one ${problem}`, data: { task: "one" } }),
    );
  });
});

describe("what the file says of all runs", () => {
  it("is taken over, sizes in bytes", () => {
    const file: RepositoryFile = {
      verify: ["npm test", { run: "npm run lint", timeout: "1m" }],
      carry: [".env"],
      ports: ["PORT"],
      limits: { parallel: 4, resources: { db: 1 }, log: "1kb" },
    };
    expect(compile({ tasks: { one: { run: "true" } } }, file)).toMatchObject({
      verifies: true,
      carry: [".env"],
      ports: ["PORT"],
      repositoryParallel: 4,
      resources: { db: 1 },
      logCapBytes: 1024,
    });
  });

  it.each<[string, RepositoryFile, Partial<RunSpec>]>([
    ["neither setup nor dependencies", {}, { setup: [], copyDependencies: true }],
    ["setup alone", { setup: "npm ci" }, { setup: ["npm ci"], copyDependencies: false }],
    [
      "both",
      { setup: ["npm ci"], dependencies: ["node_modules"] },
      { setup: ["npm ci"], copyDependencies: true, dependencies: ["node_modules"] },
    ],
    ["no dependencies at all", { dependencies: [] }, { copyDependencies: true, dependencies: [] }],
  ])("decides what comes along: %s", (_, file, expected) => {
    expect(compile({ tasks: { one: { run: "true" } } }, file)).toMatchObject(expected);
  });
});

describe("an irreversible task", () => {
  it("writes nothing, is not tried again, and comes after every writer that does not come after it", () => {
    const { tasks } = compile({
      tasks: {
        fix: { run: "true" },
        lint: { run: "true", writes: "none" },
        deploy: { run: "true", effect: "irreversible", approval: "required" },
        tag: { run: "true", needs: "deploy" },
      },
    });
    const deploy = tasks.find(({ name }) => name === "deploy");
    expect(deploy).toMatchObject({
      writes: "none",
      after: ["fix"],
      effect: "irreversible",
      approval: { expiresMs: 7 * 86_400_000 },
      retry: { times: 0 },
    });
    expect(deploy?.retry.repairs).toBeUndefined();
    expect(tasks.find(({ name }) => name === "tag")?.after).toEqual([]);
  });

  it("of an agent is not mended either", () => {
    const { tasks } = compile({
      tasks: { tell: { agent: "claude", prompt: "tell them", effect: "irreversible" } },
    });
    expect(tasks[0]?.retry).toEqual({ times: 0, delayMs: 1000, factor: 2, maxDelayMs: 60_000 });
  });

  it.each([
    [{ tasks: { deploy: { run: "true", effect: "irreversible", writes: "dist/**" } } }, /cannot write/],
    [
      { land: "together", tasks: { fix: { run: "true" }, deploy: { run: "true", effect: "irreversible" } } },
      /nothing has landed before/,
    ],
    [
      { join: "first", tasks: { fix: { run: "true" }, deploy: { run: "true", effect: "irreversible" } } },
      /stopped half way/,
    ],
    [
      { join: "best-of-n", tasks: { fix: { run: "true" }, deploy: { run: "true", effect: "irreversible" } } },
      /stopped half way/,
    ],
    [
      {
        tasks: {
          a: { run: "true", writes: "none", effect: "irreversible" },
          b: { run: "true", writes: "none", needs: "a" },
          c: { run: "true", writes: "none" },
          d: { run: "true", needs: ["b", "c"], join: "first" },
        },
      },
      /d joins with "first"/,
    ],
  ] as const)("is refused where it could never start rightly: %j", (workflow, words) => {
    const problem = refusedBy(() => compile(workflow as unknown as WorkflowDefinition));
    expect(problem).toMatchObject({ code: "GRAPH_INVALID", hint: expect.stringMatching(/./) });
    expect(problem.message).toMatch(words);
  });
});

describe("a monitor", () => {
  it("does not hold its run open, writes nothing, reports, and comes before nothing in a sequence", () => {
    const { tasks } = compile(
      { tasks: { watch: { run: "true", restart: "always" }, next: { run: "true" } } },
      {},
      { mode: "sequential" },
    );
    expect(tasks[0]).toMatchObject({
      detach: true,
      writes: "none",
      reports: true,
      restart: { when: "always", limit: 3, withinMs: 60_000, delayMs: 1000 },
    });
    expect(tasks[1]?.after).toEqual([]);
  });

  it.each([
    [{ run: "true", restart: "always", writes: "a.txt" }, /cannot write/],
    [{ run: "true", restart: "always", detach: false }, /cannot hold its run open/],
    [{ run: "true", restart: "always", retries: 1 }, /has retries/],
    [{ run: "true", restart: "always", effect: "irreversible" }, /done again/],
    [{ agent: "claude", prompt: "p", restart: "always" }, /only a command/],
    [{ agent: "claude", prompt: "p", reports: true }, /a command prints/],
  ] as const)("that cannot be is refused: %j", (definition, words) => {
    const problem = refusedBy(() => compile({ tasks: { watch: definition } }));
    expect(problem).toMatchObject({ code: "GRAPH_INVALID" });
    expect(problem.message).toMatch(words);
  });

  it("that is always restarted is needed by nothing, because it never ends", () => {
    const tasks = { watch: { run: "true", restart: "always" }, next: { run: "true", needs: "watch" } } as const;
    expect(refusedBy(() => compile({ tasks })).message).toMatch(/never ends by itself/);
  });
});

function refusedBy(action: () => unknown): AnabranchError {
  try {
    action();
  } catch (cause) {
    if (isAnabranchError(cause)) return cause;
    throw cause;
  }
  throw new Error("it was not refused");
}
