import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { readEnd } from "../../src/process/output.ts";
import { readExit, readStart } from "../../src/process/shim.ts";
import { temporaryFolder } from "../fixtures/repository.ts";
import { runShim, shimSpec } from "../fixtures/shims.ts";

/** A shim that outlives an update is read by a daemon of another version: what it leaves never changes its meaning. */
const FILES = {
  joined: ["exit", "log", "log.tail", "started"],
  split: ["exit", "log", "log.tail", "output", "output.tail", "started"],
};
const EXIT = /^status 3\n(\d+m[\d.]+s \d+m[\d.]+s\n){2} *$/;
const STARTED = /^\d+ (\(.*\) [A-Z] .*|ps .*)\ncgroup \n$/;

describe("the records of a shim are pinned", () => {
  it.each(["joined", "split"] as const)("by their files and what is in them, output %s", async (streams) => {
    const spec = shimSpec("echo out; echo err >&2; exit 3", { splitOutput: streams === "split" });
    await runShim(spec);
    const read = (name: string): string => readFileSync(join(spec.directory, name), "utf8");
    expect(readdirSync(spec.directory).toSorted()).toEqual(FILES[streams]);
    expect(read("exit")).toMatch(EXIT);
    expect(read("started")).toMatch(STARTED);
    expect(read("log").split("\n").toSorted()).toEqual(streams === "joined" ? ["", "err", "out"] : ["", "err"]);
    if (streams === "split") expect(read("output")).toBe("out\n");
    expect(read("log.tail")).toBe("");
  });

  it("by the sign that something was left out", async () => {
    const spec = shimSpec("head -c 1000 /dev/zero; head -c 600 /dev/zero >&2", { splitOutput: true, capBytes: 512 });
    await runShim(spec);
    expect(readdirSync(spec.directory).toSorted()).toEqual([...FILES.split, "log.cut", "output.cut"].toSorted());
  });

  it("by what today's daemon reads in records that were left behind", () => {
    const directory = join(temporaryFolder(), "attempt");
    mkdirSync(directory);
    const stat =
      "4711 (a (b) c) S 1 4711 4711 0 -1 4194304 1 0 0 0 7 8 0 0 20 0 1 0 987654 2580480 200 18446744073709551615";
    writeFileSync(join(directory, "started"), `${stat}\ncgroup /sys/fs/cgroup/anabranch/one\n`);
    writeFileSync(join(directory, "exit"), `status 143\n0m0.01s 0m0.02s\n1m2.50s 0m0.25s\n${" ".repeat(40)}`);
    writeFileSync(join(directory, "log"), "the start\n");
    writeFileSync(join(directory, "log.tail"), "the end\n");
    expect(readStart(directory, "a boot")).toEqual({
      identity: { pid: 4711, startTime: "987654", bootId: "a boot" },
      controlGroup: "/sys/fs/cgroup/anabranch/one",
    });
    expect(readExit(directory)).toEqual({ status: 143, cpuMs: 62_780 });
    expect(readEnd(directory, "log", 100).text).toBe("the end\n");
  });

  it("by the record of a system without /proc", () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, "started"), "4711 ps Thu Nov 26 10:00:00 2026\ncgroup \n");
    expect(readStart(directory, "a boot")).toEqual({
      identity: { pid: 4711, startTime: "Thu Nov 26 10:00:00 2026", bootId: "a boot" },
      controlGroup: undefined,
    });
  });
});
