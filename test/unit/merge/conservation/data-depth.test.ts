import { describe, expect, it } from "vitest";

import { readData } from "../../../../src/merge/conservation/data-value.ts";

describe("a data file that nests more deeply than a person would", () => {
  it("is not read, also where brackets in its texts hide that", () => {
    const deep = `${"[".repeat(8000)}1${"]".repeat(8000)}`;
    expect(readData("a.json", `{"a":"${"]".repeat(9000)}","b":${deep}}`)).toBeUndefined();
    expect(readData("a.yaml", `# ${"]".repeat(9000)}\na: ${deep}\n`)).toBeUndefined();
    expect(readData("a.yaml", `${"- ".repeat(2000)}a\n`)).toBeUndefined();
    expect(readData("a.yaml", `# ${"]".repeat(9000)}\na: [[1]]\n`)).toBeDefined();
  });
});
