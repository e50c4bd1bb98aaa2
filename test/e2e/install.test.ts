import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

import { makeHome } from "../fixtures/home.ts";
import { git, makeRepository, temporaryFolder } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";

const PROJECT = resolve(import.meta.dirname, "../..");

/** Installs the package globally below a folder of the test's own, and returns its folder of programs. */
function installGlobally(what: string): string {
  const prefix = temporaryFolder();
  // Without install scripts, as npm does it by default from version 12 on.
  execFileSync(
    "npm",
    ["install", "--global", "--prefix", prefix, "--ignore-scripts", "--no-audit", "--no-fund", what],
    {
      cwd: PROJECT,
      stdio: "pipe",
    },
  );
  return join(prefix, "bin");
}

function runAnywhere(bin: string): void {
  const home = makeHome();
  const root = makeRepository({ "a.txt": "a\n" });
  const environment = { ...home.environment, PATH: `${bin}:${home.environment["PATH"]}` };
  const anabranch = (...args: string[]): string =>
    execFileSync("anabranch", args, { cwd: root, env: environment, encoding: "utf8" });
  const answer = JSON.parse(anabranch("run", "-t", "one=echo made > b.txt", "-t", "two=cat a.txt", "--json")) as {
    data: { outcome: string; vault: string };
  };
  expect(answer.data.outcome).toBe("succeeded");
  expect(anabranch("diff", "@last/one", "--names")).toBe("A\tb.txt\n");
  expect(existsSync(join(root, "b.txt"))).toBe(false);
  expect(git(root, "status", "--porcelain")).toBe("");
}

describe("npm install -g", () => {
  it("of a checkout puts anabranch on the PATH, and it works from any repository", () => {
    runAnywhere(installGlobally("."));
  }, 120_000);

  it("of the packed package works too: nothing of the checkout is needed", async () => {
    const folder = temporaryFolder();
    execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: PROJECT, stdio: "pipe" });
    const [tarball = ""] = execFileSync("ls", [folder], { encoding: "utf8" }).trim().split("\n");
    await until(() => existsSync(join(folder, tarball)), "the package is packed");
    runAnywhere(installGlobally(join(folder, tarball)));
  }, 180_000);
});
