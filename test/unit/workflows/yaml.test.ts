import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { isAnabranchError, type AnabranchError } from "../../../src/base/errors.ts";
import { repositoryFile, taskDefinition, workflowDefinition } from "../../../src/workflows/schema.ts";
import { readYaml } from "../../../src/workflows/yaml.ts";

const read = (text: string): Promise<unknown> => readYaml(text, "anabranch.yaml", repositoryFile);

async function problemIn(text: string): Promise<AnabranchError> {
  const error = await read(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isAnabranchError(error)) throw new Error(`expected an error, not ${String(error)}`);
  return error;
}

/** A file of one task with these lines in it, each from column 9. */
const task = (...lines: string[]): string =>
  ["workflows:", "  check:", "    tasks:", "      tests:", ...lines.map((line) => `        ${line}`)].join("\n");

describe("anabranch.yaml", () => {
  it("that is empty, or only comments, says nothing", async () => {
    for (const text of ["", "\n\n", "# nothing yet\n", "---\n", "null\n"]) expect(await read(text)).toEqual({});
  });

  it("may use anchors and merge keys", async () => {
    const text =
      task("<<: &quiet { writes: none }", "run: npm test") + "\n      lint: { <<: *quiet, run: npm run lint }\n";
    expect(await read(text)).toMatchObject({
      workflows: { check: { tasks: { tests: { writes: "none" }, lint: { run: "npm run lint", writes: "none" } } } },
    });
  });

  it.each([
    ["a bracket that is not closed", "setup: [npm ci\nenv: {}\n", 2],
    ["a tab as indentation", "limits:\n\tparallel: 2\n", 2],
    ["a key given twice", "setup: npm ci\nports: [A]\nsetup: make\n", 3],
    ["a second document", "setup: npm ci\n---\nsetup: make\n", 2],
    ["an alias of nothing", "setup: *nowhere\n", 1],
    ["quotes that are not closed", 'ports: [A]\nsetup: "npm ci\n', 3],
  ])("with %s is told by line and column", async (_, text, line) => {
    const error = await problemIn(text);
    expect(error.code).toBe("CONFIG_SYNTAX");
    expect(error.data).toMatchObject({ file: "anabranch.yaml", line });
    expect(error.message).toMatch(new RegExp(`^anabranch\\.yaml:${line}:\\d+: [^\\n]+$`));
  });

  it("that grows without bound through aliases is refused", async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const items = Array.from({ length: 10 }, () => (level === 0 ? "x" : `*a${level - 1}`));
      return `a${level}: &a${level} [${items.join(", ")}]`;
    });
    expect((await problemIn(levels.join("\n"))).code).toBe("CONFIG_SYNTAX");
  });

  it.each([
    ["the file", "ports: [A]\nsetpu: npm ci\n", 2, 1, `no key "setpu"; did you mean "setup"?`],
    ["limits", "limits:\n  paralel: 3\n", 2, 3, `no key "paralel" in limits; did you mean "parallel"?`],
    ["a workflow", "workflows:\n  check:\n    taks: {}\n", 3, 5, `"taks" in workflows.check; did you mean "tasks"?`],
    [
      "a task",
      task("run: npm test", "need: [lint]"),
      6,
      9,
      `"need" in workflows.check.tasks.tests; did you mean "needs"?`,
    ],
    [
      "a task, of the key it must have",
      task("rnu: npm test"),
      5,
      9,
      `"rnu" in workflows.check.tasks.tests; did you mean "run"?`,
    ],
    ["retries, of the key they must have", task("run: x", "retries: { tims: 2 }"), 6, 20, `did you mean "times"?`],
    [
      "a task in one line",
      "workflows: { check: { tasks: { a: { run: x, whne: always } } } }",
      1,
      45,
      `did you mean "when"?`,
    ],
    ["retries", task("run: x", "retries: { times: 2, dealy: 1s }"), 6, 30, `did you mean "delay"?`],
  ])("with an unknown key in %s is told which one was meant", async (_, text, line, column, why) => {
    const error = await problemIn(text);
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.message).toContain(why);
    expect(error.data).toEqual({ file: "anabranch.yaml", line, column });
  });

  it("with a key that resembles none is told all there are", async () => {
    const error = await problemIn("zzzzzz: 1\n");
    expect(error.message).not.toContain("did you mean");
    expect(error.hint).toBe(`the keys here are: ${Object.keys(repositoryFile.shape).join(", ")}`);
  });

  it("with any key mistyped by one letter is told the right one", async () => {
    const shapes = { file: repositoryFile, workflow: workflowDefinition, task: taskDefinition };
    const slip = fc.record({
      shape: fc.constantFrom(...Object.values(shapes)),
      key: fc.nat(),
      at: fc.nat(),
      kind: fc.constantFrom("drop", "double", "swap", "replace"),
    });
    await fc.assert(
      fc.asyncProperty(slip, async ({ shape, key, at, kind }) => {
        const keys = Object.keys(shape.shape).filter((one) => one.length > 3);
        const word = keys[key % keys.length] ?? "";
        const typo = mistype(word, at % (word.length - 1), kind);
        fc.pre(!Object.hasOwn(shape.shape, typo));
        const error = await readYaml(`${typo}: x\n`, "f", z.strictObject(shape.shape).partial()).catch(
          (thrown: unknown) => thrown,
        );
        expect(error).toMatchObject({ hint: `write "${word}" instead of "${typo}"` });
      }),
    );
  });

  it.each([
    ["a number in words", "limits:\n  parallel: four\n", 2, 3, "limits.parallel: "],
    ["a number out of range", "limits: { parallel: 0 }\n", 1, 11, "limits.parallel: "],
    [
      "a task without a command or an agent",
      task("writes: none"),
      4,
      7,
      "workflows.check.tasks.tests: expected a command (run:), or an agent (agent:) with a prompt",
    ],
    ["a task with a command and an agent", task("run: x", "agent: a", "prompt: p"), 6, 9, "not both"],
    ["an agent without a prompt", task("writes: none", "agent: a"), 4, 7, "tasks.tests: an agent needs a prompt"],
    ["a prompt without an agent", task("prompt: p"), 5, 9, "tests.prompt: a prompt is for an agent"],
    ["a prompt beside a command", task("run: x", "prompt: p"), 6, 9, "tests.prompt: a prompt is for an agent"],
    ["a budget beside a command", task("run: x", "budget: { usd: 1 }"), 6, 9, "tests.budget: a budget is for an agent"],
    ["an empty command", task(`run: "  "`), 5, 9, "expected a command"],
    ["a duration without a unit", task("run: x", "timeout: 10"), 6, 9, "tasks.tests.timeout: "],
    ["a duration of another unit", task("run: x", "timeout: 10 minutes"), 6, 9, "expected a duration such as 500ms"],
    ["a size of another unit", "limits: { log: 3 pages }\n", 1, 11, "expected a size such as 512kb"],
    ["a condition there is not", task("run: x", "when: sometimes"), 6, 9, "tasks.tests.when: "],
    ["a folder outside", task("run: x", "directory: ../other"), 6, 9, "expected a path inside the repository"],
    ["an absolute folder", "carry:\n  - .env\n  - /etc/passwd\n", 3, 5, "expected a path inside the repository"],
    [
      "a task's name with a slash",
      "workflows: { check: { tasks: { a/b: { run: x } } } }",
      1,
      32,
      "expected letters, digits",
    ],
    [
      "a task's name of digits alone",
      "workflows: { check: { tasks: { b: { run: x }, 7: { run: x } } } }",
      1,
      47,
      "not digits alone",
    ],
    ["a variable's name with a dash", "env: { A-B: 1 }\n", 1, 8, "expected the name of an environment variable"],
    ["no task", "workflows:\n  check: { tasks: {} }\n", 2, 12, "expected a task"],
    [
      "a retry of many kinds",
      task("run: x", "retries: { times: 2, factor: 0 }"),
      6,
      30,
      "tasks.tests.retries.factor: ",
    ],
    ["a list in place of the file", "- run: npm test\n", 1, 1, "the file: "],
    ["a text in place of the file", "npm test\n", 1, 1, "the file: "],
  ])("with %s is told where and what", async (_, text, line, column, why) => {
    const error = await problemIn(text);
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.message).toContain(why);
    expect(error.data).toEqual({ file: "anabranch.yaml", line, column });
    expect(error.message).toMatch(/^[^\n]+$/);
  });

  it("tells of the first problem only, by its own place", async () => {
    const error = await problemIn("setup: npm ci\nports: 3\nlimits: 4\n");
    expect(error.data).toMatchObject({ line: 2, column: 1 });
  });
});

describe("any YAML", () => {
  it("gives a value or an error with a place in the file, whatever it is", async () => {
    const piece = fc.constantFrom(
      "a",
      "- ",
      ": ",
      "\n",
      "  ",
      "[",
      "]",
      "{",
      "}",
      "&x",
      "*x",
      "|",
      '"',
      "#",
      "\t",
      "é",
      "\r",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 25 }), async (pieces) => {
        const text = pieces.join("");
        const error = await readYaml(text, "f", z.strictObject({ a: z.string() })).catch((thrown: unknown) => thrown);
        if (!(error instanceof Error)) return;
        if (!isAnabranchError(error)) throw error;
        expect(error.code).toMatch(/^CONFIG_(SYNTAX|INVALID)$/);
        const { line, column } = error.data as { line: number; column: number };
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(text.split("\n").length);
        expect(column).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });
});

function mistype(word: string, at: number, kind: string): string {
  const [start, here, next, rest] = [word.slice(0, at), word[at] ?? "", word[at + 1] ?? "", word.slice(at + 2)];
  if (kind === "drop") return start + next + rest;
  if (kind === "double") return start + here + here + next + rest;
  if (kind === "swap") return start + next + here + rest;
  return `${start}q${next}${rest}`;
}
