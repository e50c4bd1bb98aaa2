import { describe, expect, it } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { readOutput } from "../../../src/process/output.ts";
import { OutputWriter } from "../../../src/process/output-writer.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";

async function read(folder: string): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of readOutput(folder, "log", { hasEnded: () => true, clock: systemClock })) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}

describe("an attempt's stream that is written by us", () => {
  it("reads as it was written, and goes on where an earlier writer stopped", async () => {
    const folder = temporaryFolder();
    const first = new OutputWriter(folder, "log", 1000);
    first.write("one\n");
    first.close();
    const second = new OutputWriter(folder, "log", 1000);
    second.write("two\n");
    expect(await read(folder)).toBe("one\ntwo\n");
    second.close();
  });

  it("keeps its start up to the cap, and its end, and says that something is missing between", async () => {
    const folder = temporaryFolder();
    const writer = new OutputWriter(folder, "log", 10);
    writer.write("0123456789abc");
    for (let index = 0; index < 40; index += 1) writer.write("x".repeat(10_000));
    writer.write("the end");
    writer.close();
    const text = await read(folder);
    expect(text.startsWith("0123456789\n[anabranch: output was cut here")).toBe(true);
    expect(text.endsWith("xthe end")).toBe(true);
    expect(text.length).toBeLessThan(263_000);
  });
});
