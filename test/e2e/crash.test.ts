import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { makeHome, until, type Home } from "../fixtures/home.ts";
import { git, makeRepository, temporaryFolder } from "../fixtures/repository.ts";

/** A run whose tasks leave a line outside of their workspaces each time they really run. */
const definition = {
  mode: "parallel" as const,
  tasks: {
    write: { run: 'echo write >> "$EFFECTS"; echo made > made.txt' },
    check: {
      run: 'echo check >> "$EFFECTS"; echo \'{"fine":true}\'',
      writes: "none" as const,
      output: "json" as const,
    },
    extend: { run: 'echo extend >> "$EFFECTS"; cat made.txt made.txt > more.txt', needs: ["write", "check"] },
  },
};

/** Kills the daemon at one pass of a fault point, lets the run finish with the next daemon, and checks everything. */
async function runWithFault(home: Home, root: string, fault: string): Promise<boolean> {
  const effects = join(temporaryFolder(), "effects");
  const daemon = await home.startDaemon({ ANABRANCH_FAULT: fault });
  const client = home.client({ EFFECTS: effects });
  const run = await client.start({ directory: root, definition });
  const view = await run.wait();
  const killed = daemon.signalCode === "SIGKILL";
  expect(view.outcome, fault).toBe("succeeded");
  expect(readFileSync(effects, "utf8").trim().split("\n").toSorted(), fault).toEqual(["check", "extend", "write"]);
  const task = (name: string) => view.taskList.find((one) => one.name === name);
  expect(task("check")?.output).toEqual({ fine: true });
  const changeset = task("extend")?.attempts.at(-1)?.changeset;
  expect(changeset?.changes.map((change) => change.path)).toEqual(["more.txt"]);
  expect(git(view.vault, "show", `${changeset?.snapshot}:more.txt`)).toBe("made\nmade");
  expect(git(view.vault, "fsck", "--connectivity-only", "--no-dangling")).toBe("");
  await until(
    async () => (await client.ask("doctor", {})).every((check) => !/[1-9]\d* in use/.test(check.evidence)),
    "workspaces are free",
  );
  await client.ask("stop", {});
  client.close();
  await until(() => home.daemonPid() === undefined, "the daemon ends");
  return killed;
}

describe("the daemon killed exactly", () => {
  for (const point of ["store.commit.before", "store.commit.after"]) {
    it(`${point === "store.commit.before" ? "before" : "after"} each of its store writes loses nothing and repeats nothing`, async () => {
      const home = makeHome();
      const root = makeRepository({ "a.txt": "a\n" });
      let kills = 0;
      for (let pass = 1; ; pass += 1) {
        if (!(await runWithFault(home, root, `${point}@${pass}`))) break;
        kills += 1;
      }
      expect(kills).toBeGreaterThan(8);
      expect(git(root, "status", "--porcelain")).toBe("");
    }, 300_000);
  }

  for (const point of [
    "attempt.launch.before",
    "attempt.launch.after",
    "snapshot.keep",
    "attempt.captured",
    "base.keep",
  ]) {
    it(`at ${point} loses nothing and repeats nothing`, async () => {
      const home = makeHome();
      const root = makeRepository({ "a.txt": "a\n" });
      expect(await runWithFault(home, root, `${point}@1`)).toBe(true);
      expect(existsSync(join(root, "made.txt"))).toBe(false);
    }, 60_000);
  }
});
