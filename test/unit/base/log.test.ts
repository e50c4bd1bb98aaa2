import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { fileLog } from "../../../src/base/log.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";

const linesOf = (path: string): Record<string, unknown>[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("the log", () => {
  it("writes one line of JSON per fact, whatever is in it, for this user only", () => {
    const path = join(temporaryFolder(), "log");
    const log = fileLog(path, systemClock);
    log("info", "two\nlines \u001b[31m", { code: 7 });
    log("error", "second");
    expect(linesOf(path)).toMatchObject([
      { level: "info", message: "two\nlines \u001b[31m", code: 7 },
      { level: "error", message: "second" },
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("keeps at most twice its cap, the newest lines, and goes on in an existing file", () => {
    const path = join(temporaryFolder(), "log");
    for (let part = 0; part < 2; part += 1) {
      const log = fileLog(path, systemClock, 1000);
      for (let index = 0; index < 50; index += 1) log("info", `line ${part}/${index}`);
    }
    expect(statSync(`${path}.1`).size).toBeLessThan(1200);
    expect(existsSync(path) ? statSync(path).size : 0).toBeLessThan(1000);
    const lines = [...linesOf(`${path}.1`), ...(existsSync(path) ? linesOf(path) : [])];
    expect(lines.at(-1)).toMatchObject({ message: "line 1/49" });
    expect(lines.length).toBeGreaterThan(10);
  });

  it("comes back when its folder does, and never stops work", () => {
    const folder = join(temporaryFolder(), "folder");
    const log = fileLog(join(folder, "log"), systemClock);
    log("info", "nowhere");
    mkdirSync(folder);
    log("info", "somewhere");
    expect(linesOf(join(folder, "log"))).toHaveLength(1);
    rmSync(folder, { recursive: true });
    log("info", "into the removed file");
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    log("warn", "what cannot be JSON", circle);
    log("warn", "nor this", { big: 1n });
  });

  it.runIf(process.platform === "linux")("holds no file open for each line it could not write", () => {
    const log = fileLog("/dev/full", systemClock);
    const before = readdirSync("/proc/self/fd").length;
    for (let index = 0; index < 50; index += 1) log("info", "no space left");
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before + 1);
  });
});
