import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";

import { repositoryFileJsonSchema } from "../../src/workflows/json-schema.ts";

describe("the built package", () => {
  it("hands out the JSON Schema of anabranch.yaml as anabranch/schema.json", () => {
    const path = createRequire(import.meta.url).resolve("anabranch/schema.json");
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(repositoryFileJsonSchema());
  });
});
