import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { createProgramSearch, isOlder } from "../../../src/agents/program-search.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";

const WANTED = {
  product: "Tool",
  command: "tool",
  oldest: "1.10.0",
  newest: "2.0.0",
  install: "install it",
  update: "update it",
};

/** A PATH with a program that says this of its version. */
function pathWith(says: string): { readonly folder: string; readonly PATH: string } {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "tool"), `#!/bin/sh\n${says}\n`);
  chmodSync(join(folder, "tool"), 0o755);
  return { folder, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
}

const find = (PATH: string): Promise<unknown> =>
  createProgramSearch(WANTED, systemClock).find({ environment: { PATH } });

describe("an agent's program", () => {
  it.each([
    ["1.10.0", undefined],
    ["2.0.0", undefined],
    ["2.0.1", "Tool 2.0.1 is newer than 2.0.0, the newest that was tried"],
  ])("of version %s is found", async (version, warning) => {
    const { folder, PATH } = pathWith(`echo "tool ${version} (build 7)"`);
    expect(await find(PATH)).toEqual({
      found: true,
      path: join(folder, "tool"),
      version,
      ...(warning === undefined ? {} : { warning }),
    });
  });

  it("that is too old is told with both versions and how to mend it", async () => {
    const { PATH } = pathWith("echo 1.9.9");
    const message = expect.stringMatching(/1\.9\.9 is too old: 1\.10\.0 or later/) as string;
    expect(await find(PATH)).toMatchObject({
      found: false,
      error: { code: "AGENT_TOO_OLD", message, hint: "update it" },
    });
  });

  it.each([
    ["that is not there", "", "AGENT_MISSING"],
    ["that tells no version", "echo hello", "AGENT_FAILED"],
    ["that fails", "echo 2.0.0; exit 3", "AGENT_FAILED"],
  ])("%s is told plainly", async (_, says, code) => {
    const PATH = says === "" ? temporaryFolder() : pathWith(says).PATH;
    expect(await find(PATH)).toMatchObject({ found: false, error: { code } });
  });

  it("is asked for its version once, as long as it lies there unchanged", async () => {
    const { folder, PATH } = pathWith(`echo x >> "$(dirname "$0")/asked"; echo 2.0.0`);
    const search = createProgramSearch(WANTED, systemClock);
    await search.find({ environment: { PATH } });
    await search.find({ environment: { PATH } });
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe("x\n");
  });
});

describe("a version", () => {
  it.each([
    ["1.9.0", "1.10.0", true],
    ["1.10.0", "1.9.0", false],
    ["1.0.0", "1.0.0", false],
    ["1.0.0-beta.1", "1.0.1", true],
    ["2.0.0", "1.99.99", false],
  ])("%s is older than %s: %s", (one, other, older) => {
    expect(isOlder(one, other)).toBe(older);
  });
});
