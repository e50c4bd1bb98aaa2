import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";

import { systemClock } from "../../../src/base/clock.ts";
import { ByteQueue } from "../../../src/process/byte-queue.ts";
import { openConversation, type Conversation, type Measure } from "../../../src/process/conversation.ts";

/** A conversation with a small program that gets each line as `line`. */
function converse(body: string): Conversation {
  const program = `require("readline").createInterface({ input: process.stdin }).on("line", (line) => { ${body} });`;
  const conversation = openConversation({
    program: process.execPath,
    args: ["-e", program],
    environment: { PATH: process.env["PATH"] },
    clock: systemClock,
  });
  onTestFinished(() => conversation.close());
  return conversation;
}

/** An answer that begins with its size in eight digits. */
const measure: Measure = (received) => {
  if (received.length < 8) return undefined;
  const size = Number(received.toString("latin1", 0, 8));
  if (Number.isNaN(size)) throw new Error("no size");
  return 8 + size;
};

const ECHO = `const bytes = Buffer.alloc(Number(line), Number(line) % 251);
  process.stdout.write(String(bytes.length).padStart(8, "0")); process.stdout.write(bytes);`;

describe("a conversation", () => {
  it("gives each question its answer, byte for byte, however many are asked at once", async () => {
    const conversation = converse(ECHO);
    const sizes = [0, 1, 7, 70_000, 2, 3_000_000, 65_536, 5, 0, 1];
    const answers = await Promise.all(sizes.map((size) => conversation.exchange(`${size}\n`, measure)));
    for (const [index, size] of sizes.entries()) {
      expect(answers[index]?.length).toBe(8 + size);
      expect(answers[index]?.subarray(8).every((byte) => byte === size % 251)).toBe(true);
    }
  });

  it("ends a program that says what is no answer, tells why, and starts anew", async () => {
    const conversation = converse(`process.stdout.write(line === "bad" ? "not a size at all" : "00000002ok");`);
    const answers = await Promise.allSettled([
      conversation.exchange("good\n", measure),
      conversation.exchange("bad\n", measure),
      conversation.exchange("good\n", measure),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(answers[1]).toMatchObject({
      reason: { code: "GIT_FAILED", message: expect.stringContaining("no size") as string },
    });
    expect(String(await conversation.exchange("good\n", measure))).toBe("00000002ok");
  });

  it("does not take an answer into memory that is larger than any can be", async () => {
    const conversation = converse(`process.stdout.write("99999999999 and so on");`);
    const endless: Measure = (received) => Number(received.toString("latin1", 0, 11));
    await expect(conversation.exchange("x\n", endless)).rejects.toMatchObject({ code: "GIT_FAILED" });
  });

  it("refuses what is open when the program ends, with its last words", async () => {
    const conversation = converse(`process.stderr.write("no more"); process.exitCode = 3; process.stdin.destroy();`);
    await expect(conversation.exchange("x\n", measure)).rejects.toMatchObject({ data: { words: "no more" } });
    await expect(conversation.ask("x\n", 1)).rejects.toMatchObject({ data: { words: "no more" } });
  });

  it("still answers in lines", async () => {
    const conversation = converse(`console.log("one é"); console.log(line);`);
    expect(await Promise.all([conversation.ask("a\n", 2), conversation.ask("b\n", 2)])).toEqual([
      ["one é", "a"],
      ["one é", "b"],
    ]);
  });
});

describe("a queue of bytes", () => {
  it("gives back what was put into it, in whatever pieces", () => {
    const pieces = fc.array(fc.tuple(fc.nat({ max: 200_000 }), fc.nat({ max: 200_000 })), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, (steps) => {
        const queue = new ByteQueue();
        let [put, taken] = [0, 0];
        for (const [more, less] of steps) {
          queue.push(Uint8Array.from({ length: more }, (_, index) => (put + index) % 251));
          put += more;
          const first = queue.take(Math.min(less, put - taken));
          expect(first.every((byte, index) => byte === (taken + index) % 251)).toBe(true);
          taken += first.length;
          expect(queue.sizeBytes).toBe(put - taken);
        }
        expect(queue.bytes().every((byte, index) => byte === (taken + index) % 251)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
