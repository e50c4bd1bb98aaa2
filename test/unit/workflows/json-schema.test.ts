import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { repositoryFileJsonSchema } from "../../../src/workflows/json-schema.ts";

const PROJECT = resolve(import.meta.dirname, "../../..");
const accepts = new Ajv({ strict: false }).compile(repositoryFileJsonSchema());

/** The examples of `anabranch.yaml` that a page shows. */
function examplesIn(page: string): unknown[] {
  const text = readFileSync(resolve(PROJECT, page), "utf8");
  return [...text.matchAll(/^```yaml\n(?!# config\.yaml)([\s\S]*?)^```$/gm)].map(
    (match) => parse(match[1] ?? "") as unknown,
  );
}

describe("the JSON Schema of anabranch.yaml", () => {
  it.each(["README.md", "docs/configuration.md", "docs/events.md"])("accepts every example in %s", (page) => {
    const examples = examplesIn(page);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(accepts(example), JSON.stringify(accepts.errors)).toBe(true);
  });

  it("accepts a task that an agent does", () => {
    const one = { agent: "a", prompt: "p", budget: { usd: 1 } };
    expect(accepts({ workflows: { check: { tasks: { one } } } })).toBe(true);
  });

  it.each([
    ["the file", { setpu: ["npm ci"] }],
    ["limits", { limits: { paralel: 3 } }],
    ["a workflow", { workflows: { check: { tasks: { one: { run: "true" } }, mod: "auto" } } }],
    ["a task", { workflows: { check: { tasks: { one: { run: "true", need: [] } } } } }],
    ["retries", { workflows: { check: { tasks: { one: { run: "true", retries: { times: 1, wait: "1s" } } } } } }],
  ])("refuses an unknown key in %s", (_, content) => {
    expect(accepts(content)).toBe(false);
  });

  it.each([
    ["a task without a command or an agent", { workflows: { check: { tasks: { one: {} } } } }],
    [
      "a task with a command and an agent",
      { workflows: { check: { tasks: { one: { run: "true", agent: "a", prompt: "p" } } } } },
    ],
    ["an agent without a prompt", { workflows: { check: { tasks: { one: { agent: "a" } } } } }],
    ["a prompt without an agent", { workflows: { check: { tasks: { one: { prompt: "p" } } } } }],
    ["a budget beside a command", { workflows: { check: { tasks: { one: { run: "true", budget: { usd: 1 } } } } } }],
    ["a duration without a unit", { workflows: { check: { tasks: { one: { run: "true", timeout: "10" } } } } }],
    ["a name with a slash", { workflows: { check: { tasks: { "a/b": { run: "true" } } } } }],
    ["a condition there is not", { workflows: { check: { tasks: { one: { run: "true", when: "never" } } } } }],
    ["a text in place of a number", { limits: { parallel: "4" } }],
  ])("refuses %s", (_, content) => {
    expect(accepts(content)).toBe(false);
  });
});
