import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { desktopCall, showOnDesktop } from "../../../src/notify/desktop.ts";
import type { Notification } from "../../../src/notify/target.ts";
import { readRetryAfter } from "../../../src/notify/webhook.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { refused } from "../../fixtures/refused.ts";

const of = (title: string): Notification => ({ id: "n1", kind: "failed", title, atMs: 1 });
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

describe("a notification of the desktop", () => {
  it("is never an option, a markup, a second line or an escape, whatever its title says", () => {
    const nasty = fc.constantFrom(
      "-u critical",
      "--help",
      "<b>x</b>",
      "a\nb",
      "\u001b]0;x\u0007",
      "\u202egnp.exe",
      "&lt;",
      "'\"`$(x)",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(nasty, fc.string())), (pieces) => {
        const [program, app, end, head, body, ...rest] = desktopCall(of(pieces.join("")), "linux");
        expect([program, app, end, head, rest]).toEqual([
          "notify-send",
          "--app-name=Anabranch",
          "--",
          "Anabranch: failed",
          [],
        ]);
        expect(body).not.toMatch(/[<>]/);
        expect(body).not.toMatch(/&(?!(amp|lt|gt);)/);
        expect(body).not.toMatch(FORBIDDEN);
      }),
    );
  });

  it("gives a Mac's script its words as arguments only", () => {
    const [program, flag, script, end, head, body] = desktopCall(of('-e "do shell script \\"x\\""\n'), "darwin");
    expect([program, flag, end, head]).toEqual(["osascript", "-e", "--", "Anabranch: failed"]);
    expect(script).not.toContain("shell");
    expect(body).toBe('-e "do shell script \\"x\\""');
  });

  it("is shown by the program that is on the PATH then", async () => {
    const folder = temporaryFolder();
    const signal = new AbortController().signal;
    const missing = await refused(showOnDesktop(of("t"), { PATH: folder }, signal, "linux"), "NOTIFY_FAILED");
    expect(missing.message).toContain("notify-send");
    writeFileSync(join(folder, "notify-send"), `#!/bin/sh\nprintf '%s\\n' "$@" > '${folder}/args'\n`);
    chmodSync(join(folder, "notify-send"), 0o755);
    await showOnDesktop(of("- 100 % <done>"), { PATH: folder }, signal, "linux");
    const shown = ["--app-name=Anabranch", "--", "Anabranch: failed", "- 100 % &lt;done&gt;", ""].join("\n");
    expect(readFileSync(join(folder, "args"), "utf8")).toBe(shown);
  });
});

describe("Retry-After", () => {
  it("is read in seconds and as a date, and never as more than an hour", () => {
    expect(readRetryAfter("7", 0)).toBe(7000);
    expect(readRetryAfter("Thu, 01 Jan 1970 00:00:09 GMT", 4000)).toBe(5000);
    expect(readRetryAfter("999999", 0)).toBe(3_600_000);
    expect(readRetryAfter("-5", 0)).toBeUndefined();
    expect(readRetryAfter("soon", 0)).toBeUndefined();
  });
});
