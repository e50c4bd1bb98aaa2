import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

import { ERROR_CODES } from "../../src/base/error-codes.ts";
import { agentDefinition, repositoryFile, taskDefinition, workflowDefinition } from "../../src/workflows/schema.ts";
import { triggerDefinition } from "../../src/workflows/trigger-schema.ts";

const docs = (name: string): string => readFileSync(resolve(import.meta.dirname, "../../docs", name), "utf8");

describe("the documentation", () => {
  it("describes every error code, and no other", () => {
    const described = [...docs("errors.md").matchAll(/^### (\w+)$/gm)].map((match) => match[1] ?? "");
    expect(described.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  it("describes every key of anabranch.yaml, and no other", () => {
    const text = docs("configuration.md") + docs("events.md");
    const tables = {
      file: repositoryFile,
      workflow: workflowDefinition,
      task: taskDefinition,
      agent: agentDefinition,
      trigger: triggerDefinition,
    };
    for (const [name, schema] of Object.entries(tables)) {
      const section = text.slice(text.indexOf(`<!-- keys: ${name} -->`), text.indexOf(`<!-- end: ${name} -->`));
      const described = [...section.matchAll(/^\| (`[\w-]+`(?:, `[\w-]+`)*)\s*\|/gm)].flatMap((match) =>
        (match[1] ?? "").replaceAll("`", "").split(", "),
      );
      expect(described.toSorted(), name).toEqual(Object.keys(schema.shape).toSorted());
    }
  });
});
