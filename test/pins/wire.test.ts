import { describe, it } from "vitest";
import { z } from "zod";

import { ERROR_CODES } from "../../src/base/error-codes.ts";
import { commands, streams } from "../../src/protocol/commands.ts";
import * as views from "../../src/protocol/views.ts";
import * as wire from "../../src/protocol/wire.ts";
import { taskDefinition, workflowDefinition } from "../../src/workflows/schema.ts";
import { expectPinned } from "../fixtures/pinned.ts";
import { schemaLines } from "../fixtures/schema-lines.ts";

const NAMED = { ...views, taskDefinition, workflowDefinition };

/** Everything that goes over the wire, as lines; what is named is described once, and meant by its name elsewhere. */
function wireLines(): string[] {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  for (const [name, { request, response }] of Object.entries(commands)) {
    registry.add(z.object({ request, response }), { id: `command ${name}` });
  }
  for (const [name, { request, messages }] of Object.entries(streams)) {
    registry.add(z.object({ request, ...messages }), { id: `stream ${name}` });
  }
  const { schemas } = z.toJSONSchema(registry, { io: "input", uri: (id) => id, override: nameErrorCodes });
  return Object.entries(schemas).flatMap(([id, schema]) =>
    schemaLines(id, schema as Parameters<typeof schemaLines>[1]),
  );
}

// Error codes have a pin of their own: a new one is no change of the wire.
function nameErrorCodes({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.enum?.length !== Object.keys(ERROR_CODES).length) return;
  delete jsonSchema.enum;
  jsonSchema.$ref = "error code";
}

describe("the wire is pinned", () => {
  it("by its version, its names, and every field of every request and answer", () => {
    const constants = Object.entries(wire).map(([name, value]) => `${name} = ${value}`);
    const authority = Object.entries(commands).map(([name, { inTask }]) => `command ${name}: ${inTask} in a task`);
    expectPinned("wire.txt", [...constants, ...authority, ...wireLines()]);
  });
});
