import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { systemClock, type Clock } from "../../../src/base/clock.ts";
import { cutLine, outputSize, readEnd, readOutput, type ReadOptions } from "../../../src/process/output.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { runShim, shimSpec } from "../../fixtures/shims.ts";

const ENDED = { hasEnded: () => true, clock: systemClock };
const CAP_BYTES = 64 * 1024;
const TAIL_BYTES = 256 * 1024;

async function readAll(directory: string, options: ReadOptions = ENDED): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of readOutput(directory, "log", options)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A clock on which no time passes but by what `onWait` does whenever somebody waits. */
function clockThat(onWait: () => void): Clock {
  return {
    ...systemClock,
    bootId: "boot",
    after: (_, action) => {
      onWait();
      setImmediate(action);
      return () => undefined;
    },
  };
}

/** Lets a shim run a command that prints so many bytes, a counter in every line of 16. */
async function runPrinting(bytes: number): Promise<{ directory: string; printed: Buffer }> {
  const printed = Buffer.from(
    Array.from({ length: Math.ceil(bytes / 16) }, (_, line) => `${String(line).padStart(15, "0")}\n`).join(""),
  ).subarray(0, bytes);
  const file = join(temporaryFolder(), "printed");
  writeFileSync(file, printed);
  const spec = shimSpec(`cat ${file}`, { capBytes: CAP_BYTES });
  expect(await runShim(spec)).toBe("exited");
  return { directory: spec.directory, printed };
}

describe("the output of an attempt", () => {
  it("is read from any place on, byte for byte, however large", async () => {
    const directory = temporaryFolder();
    const contents = fc.uint8Array({ maxLength: 300_000, size: "max" });
    await fc.assert(
      fc.asyncProperty(contents, fc.nat(300_000), async (bytes, fromBytes) => {
        writeFileSync(join(directory, "log"), bytes);
        const read = await readAll(directory, { ...ENDED, fromBytes });
        expect(read.equals(Buffer.from(bytes).subarray(fromBytes))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it("is nothing while there is no file, and then what appears", async () => {
    const directory = join(temporaryFolder(), "attempt");
    expect((await readAll(directory)).length).toBe(0);
    const steps = [
      () => mkdirSync(directory),
      () => writeFileSync(join(directory, "log"), "one "),
      () => undefined,
      () => appendFileSync(join(directory, "log"), "two"),
    ];
    const clock = clockThat(() => steps.shift()?.());
    expect((await readAll(directory, { hasEnded: () => steps.length === 0, clock })).toString()).toBe("one two");
  });

  it("written between the last look and the end is not missed", async () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, "log"), "one ");
    let asked = 0;
    const hasEnded = (): boolean => {
      asked += 1;
      if (asked === 2) appendFileSync(join(directory, "log"), "last words");
      return asked === 2;
    };
    expect((await readAll(directory, { hasEnded, clock: clockThat(() => undefined) })).toString()).toBe(
      "one last words",
    );
  });

  it("is no longer read once nobody wants it", async () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, "log"), Buffer.alloc(500_000));
    const controller = new AbortController();
    let pieces = 0;
    for await (const piece of readOutput(directory, "log", {
      ...ENDED,
      hasEnded: () => false,
      signal: controller.signal,
    })) {
      pieces += 1;
      expect(piece.length).toBeGreaterThan(0);
      if (pieces === 2) controller.abort();
    }
    expect(pieces).toBe(2);
  });

  it.each([0, 1, 1000, CAP_BYTES - 1, CAP_BYTES])("of %i bytes is kept whole", async (bytes) => {
    const { directory, printed } = await runPrinting(bytes);
    expect(outputSize(directory, "log")).toEqual({ keptBytes: bytes, tailBytes: 0, cut: false });
    expect((await readAll(directory)).equals(printed)).toBe(true);
  });

  it.each([CAP_BYTES + 1, CAP_BYTES + 5000, CAP_BYTES + TAIL_BYTES, CAP_BYTES + TAIL_BYTES + 500_000])(
    "of %i bytes is kept from its start and its end, and says that it was cut",
    async (bytes) => {
      const { directory, printed } = await runPrinting(bytes);
      const size = outputSize(directory, "log");
      expect(size).toMatchObject({ keptBytes: CAP_BYTES, cut: true });
      expect(size.tailBytes).toBeLessThanOrEqual(TAIL_BYTES);
      const tail = printed.subarray(printed.length - size.tailBytes);
      const expected = Buffer.concat([printed.subarray(0, CAP_BYTES), Buffer.from(cutLine(size)), tail]);
      expect((await readAll(directory)).equals(expected)).toBe(true);
      if (bytes > CAP_BYTES + TAIL_BYTES + 200_000) expect(size.tailBytes).toBe(TAIL_BYTES);
    },
  );

  it("of a shim of an earlier version, which left no sign of the cut but the end, is cut all the same", async () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, "log"), "start\n");
    writeFileSync(join(directory, "log.tail"), "end\n");
    expect((await readAll(directory)).toString()).toBe(
      "start\n\n[anabranch: output was cut here: the first 6 bytes and the last 4 are kept]\nend\n",
    );
  });
});

describe("the end of an output", () => {
  it("is its last bytes, and where they end", () => {
    const directory = temporaryFolder();
    expect(readEnd(directory, "log", 10)).toEqual({ text: "", endBytes: 0 });
    writeFileSync(join(directory, "log"), "0123456789abc");
    expect(readEnd(directory, "log", 10)).toEqual({ text: "3456789abc", endBytes: 13 });
    expect(readEnd(directory, "log", 100)).toEqual({ text: "0123456789abc", endBytes: 13 });
    writeFileSync(join(directory, "log.tail"), "the end");
    expect(readEnd(directory, "log", 3)).toEqual({ text: "end", endBytes: 7 });
  });
});
