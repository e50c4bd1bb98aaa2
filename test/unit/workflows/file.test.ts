import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { loadRepositoryFile } from "../../../src/workflows/file.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";

describe("the file of a repository", () => {
  it("is empty where there is none", async () => {
    expect(await loadRepositoryFile(temporaryFolder())).toEqual({});
  });

  it("is read from the root, also through a link", async () => {
    const [root, elsewhere] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(elsewhere, "shared.yaml"), "setup: [npm ci]\n");
    symlinkSync(join(elsewhere, "shared.yaml"), join(root, "anabranch.yaml"));
    expect(await loadRepositoryFile(root)).toEqual({ setup: ["npm ci"] });
  });

  it("names itself by its whole path where something is wrong", async () => {
    const root = temporaryFolder();
    writeFileSync(join(root, "anabranch.yaml"), "setup: [npm ci]\nport: [A]\n");
    await expect(loadRepositoryFile(root)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/^\/.*\/anabranch\.yaml:2:1: /),
      hint: `write "ports" instead of "port"`,
    });
  });

  it("that is a folder, or leads round in a circle, says so", async () => {
    const [folder, circle] = [temporaryFolder(), temporaryFolder()];
    mkdirSync(join(folder, "anabranch.yaml"));
    symlinkSync("anabranch.yaml", join(circle, "anabranch.yaml"));
    await expect(loadRepositoryFile(folder)).rejects.toMatchObject({
      code: "CONFIG_SYNTAX",
      message: expect.stringMatching(/EISDIR/),
    });
    await expect(loadRepositoryFile(circle)).rejects.toMatchObject({
      code: "CONFIG_SYNTAX",
      message: expect.stringMatching(/ELOOP/),
    });
  });

  it.skipIf(process.getuid?.() === 0)("that cannot be read says so", async () => {
    const root = temporaryFolder();
    writeFileSync(join(root, "anabranch.yaml"), "setup: [npm ci]\n");
    chmodSync(join(root, "anabranch.yaml"), 0);
    await expect(loadRepositoryFile(root)).rejects.toMatchObject({
      code: "CONFIG_SYNTAX",
      message: expect.stringMatching(/EACCES/),
    });
  });
});
