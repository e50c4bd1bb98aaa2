import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { makeHome, type Home } from "../fixtures/home.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";
import { Screen } from "../fixtures/screen.ts";
import { hasTerminals, startCli, startOnTerminal } from "../fixtures/terminal.ts";
import { until } from "../fixtures/until.ts";

/** A home whose kill ladder waits longer than any test: what ends before that was ended by something else. */
function makePatientHome(): Home {
  const home = makeHome();
  writeFiles(home.folder, { "config/config.yaml": "kill: { interrupt: 10m, terminate: 10m }\n" });
  return home;
}

/** A command that says when it is up, and goes on until a file is there. */
function untilFile(path: string, more = ""): string {
  return `echo begun > begun.txt; ${more} echo up; while [ ! -e "${path}" ]; do sleep 0.02; done`;
}

async function outcomeOf(home: Home): Promise<{ outcome: string | undefined; begun: string }> {
  const view = await home.client().ask("show", { id: "@last" });
  await home.client().wait(view.id);
  const ended = await home.client().ask("show", { id: view.id });
  const snapshot = ended.taskList[0]?.attempts.at(-1)?.changeset?.snapshot ?? "";
  return { outcome: ended.outcome, begun: git(ended.vault, "show", `${snapshot}:begun.txt`) };
}

describe.skipIf(!hasTerminals)("a run that is followed on a terminal", () => {
  it("is stopped in order by the first Ctrl-C, which lets it clean up, and its work is kept", async () => {
    const home = makePatientHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const task = untilFile("/nowhere", "trap 'echo cleaned; exit 0' INT;");
    const cli = startOnTerminal(home, root, ["run", "-t", `task=${task}`]);
    await cli.shows(/task .*working.*up/);
    cli.type("\u0003");
    const { status, stdout } = await cli.ended;
    expect(status).toBe(130);
    expect(stdout).toMatch(/run \w+.* .*cancelled/);
    expect(await outcomeOf(home)).toEqual({ outcome: "cancelled", begun: "begun" });
    expect((await home.cli(root, ["logs", "@last"])).stdout).toBe("up\ncleaned\n");
  });

  it("is ended at once by the second, also when it ignores everything", async () => {
    const home = makePatientHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const cli = startOnTerminal(home, root, ["run", "-t", `task=${untilFile("/nowhere", "trap '' INT TERM;")}`]);
    await cli.shows(/task .*working.*up/);
    cli.type("\u0003");
    await cli.shows(/Ctrl-C again/);
    cli.type("\u0003");
    expect((await cli.ended).status).toBe(130);
    expect(await outcomeOf(home)).toEqual({ outcome: "cancelled", begun: "begun" });
  });

  it("goes on when d is pressed, and its id is printed", async () => {
    const home = makePatientHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const go = join(temporaryFolder(), "go");
    const cli = startOnTerminal(home, root, ["run", "-t", `task=${untilFile(go)}`]);
    await cli.shows(/task .*working.*up/);
    cli.type("d");
    const { status, stdout } = await cli.ended;
    expect(status).toBe(0);
    expect(stdout).toMatch(/run (\w+) goes on; anabranch wait \1, anabranch cancel \1\r\n\1\r\n$/);
    writeFileSync(go, "");
    expect(await outcomeOf(home)).toEqual({ outcome: "succeeded", begun: "begun" });
  });

  it("leaves the screen with its report, and nothing of the tree it drew meanwhile", async () => {
    const home = makePatientHome();
    const root = makeRepository({ "a.txt": "a\n" });
    const cli = startOnTerminal(home, root, ["run", "-t", "one=echo x > b.txt", "-t", "two=sleep 0.3", "--no-color"]);
    const { status, stdout } = await cli.ended;
    expect(status).toBe(0);
    const screen = new Screen(120, 40);
    screen.write(stdout);
    const visible = screen.visible().join("\n");
    expect(visible).toMatch(/^run \w+ succeeded in /);
    expect(visible).toMatch(/✓ +one +succeeded .*1 file \+1 -0/);
    expect(visible).toContain("Your files are untouched.");
    expect(visible).not.toMatch(/● |to go ·/);
  });
});

describe("a run that is followed without a terminal", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`is stopped in order by ${signal}`, async () => {
      const home = makePatientHome();
      const root = makeRepository({ "a.txt": "a\n" });
      const task = untilFile("/nowhere", "trap 'exit 0' INT;");
      const cli = startCli(home, root, ["run", "--json", "--progress", "plain", "-t", `task=${task}`]);
      await cli.shows(/task \| up/);
      cli.child.kill(signal);
      const { status, stdout } = await cli.ended;
      expect(status).toBe(130);
      expect(JSON.parse(stdout)).toMatchObject({ v: 1, ok: true, data: { state: "ended", outcome: "cancelled" } });
      expect(await outcomeOf(home)).toEqual({ outcome: "cancelled", begun: "begun" });
    });
  }

  for (const signal of ["SIGHUP", "SIGKILL"] as const) {
    it(`goes on when its client is gone by ${signal}, as when a terminal is closed`, async () => {
      const home = makePatientHome();
      const root = makeRepository({ "a.txt": "a\n" });
      const go = join(temporaryFolder(), "go");
      const cli = startCli(home, root, ["run", "-t", `task=${untilFile(go)}`]);
      await cli.shows(/task \| up/);
      cli.child.kill(signal);
      expect((await cli.ended).signal).toBe(signal);
      writeFileSync(go, "");
      expect(await outcomeOf(home)).toEqual({ outcome: "succeeded", begun: "begun" });
    });
  }

  it("is stopped as soon as it has started when Ctrl-C comes before that, and none of its tasks runs to its end", async () => {
    const home = makePatientHome();
    const root = makeRepository({ "a.txt": "a\n", ".gitattributes": "*.slow filter=slow\n" });
    const folder = temporaryFolder();
    // What makes the base take long is a filter of the user's own.
    mkdirSync(home.environment["HOME"] ?? "", { recursive: true });
    const filter = join(folder, "filter.sh");
    writeFileSync(filter, `touch ${folder}/begun; while [ ! -e ${folder}/go ]; do sleep 0.02; done; exec cat\n`);
    writeFiles(home.environment["HOME"] ?? "", { ".gitconfig": `[filter "slow"]\n  clean = sh ${filter}\n` });
    writeFiles(root, { "b.slow": "b\n" });
    const cli = startCli(home, root, ["run", "-t", `task=sleep 600; touch ${folder}/done`]);
    await until(() => existsSync(join(folder, "begun")), "the base is being taken");
    cli.child.kill("SIGINT");
    await cli.shows(/stopping the run in order/);
    writeFileSync(join(folder, "go"), "");
    expect((await cli.ended).status).toBe(130);
    const view = await home.client().ask("show", { id: "@last" });
    expect(view).toMatchObject({ state: "ended", outcome: "cancelled" });
    expect(existsSync(join(folder, "done"))).toBe(false);
  });
});
