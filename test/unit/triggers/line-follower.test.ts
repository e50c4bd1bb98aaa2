import {
  appendFileSync,
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import type { FilePlace } from "../../../src/triggers/file-place.ts";
import { LONGEST_LINE_BYTES } from "../../../src/triggers/line-bytes.ts";
import { LineFollower, type LineFollowerParts } from "../../../src/triggers/line-follower.ts";
import { handClock } from "../../fixtures/hand-clock.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";

let path: string;
let lines: string[];
let place: FilePlace | undefined;
let complaints: unknown[];

beforeEach(() => {
  path = join(temporaryFolder(), "app.log");
  lines = [];
  place = undefined;
  complaints = [];
});

function follow(
  from: LineFollowerParts["from"] = "end",
  take: LineFollowerParts["take"] = (more, at) => {
    lines.push(...more);
    place = at;
    return Promise.resolve();
  },
): LineFollower {
  const log = (_level: string, _message: string, data: unknown): unknown => complaints.push(data);
  const follower = new LineFollower({ clock: handClock(), log, path, from, take });
  onTestFinished(() => follower.close());
  return follower;
}

/** Looks often enough that a file that has been left is really left. */
async function lookOften(follower: LineFollower): Promise<void> {
  for (let count = 0; count < 4; count += 1) await follower.look();
}

describe("a file that is followed", () => {
  it("begins at its end when it is seen first, and gives what is added", async () => {
    writeFileSync(path, "old 1\nold 2\n");
    const follower = follow();
    await follower.look();
    appendFileSync(path, "new 1\nnew 2\n");
    await follower.look();
    await follower.look();
    expect(lines).toEqual(["new 1", "new 2"]);
  });

  it("gives a line once it is whole, also one that had been begun before", async () => {
    writeFileSync(path, "old\nhalf");
    const follower = follow();
    await follower.look();
    appendFileSync(path, " a line");
    await follower.look();
    expect(lines).toEqual([]);
    appendFileSync(path, "\nanother\r\n");
    await follower.look();
    expect(lines).toEqual(["half a line", "another"]);
  });

  it("is given from its start where it did not exist when it was seen first", async () => {
    const follower = follow();
    await follower.look();
    writeFileSync(path, "first\n");
    await follower.look();
    expect(lines).toEqual(["first"]);
  });

  it("of a gigabyte is not read when it is seen first", async () => {
    writeFileSync(path, "");
    truncateSync(path, 1024 ** 3);
    appendFileSync(path, "\nold\n");
    const follower = follow();
    await follower.look();
    appendFileSync(path, "new\n");
    await follower.look();
    expect(lines).toEqual(["new"]);
  });

  it("comes in pieces that fit into memory, however long its lines are", async () => {
    writeFileSync(path, "");
    const follower = follow();
    await follower.look();
    const file = openSync(path, "a");
    for (let count = 0; count < 64; count += 1) writeSync(file, "x".repeat(1024 * 1024));
    writeSync(file, "\nend\n");
    closeSync(file);
    await follower.look();
    expect(lines).toHaveLength(64 * 16 + 1);
    expect(Math.max(...lines.map((line) => line.length))).toBe(LONGEST_LINE_BYTES);
    expect(lines.at(-1)).toBe("end");
  });

  it("that was cut off is given from its start", async () => {
    writeFileSync(path, "old\n");
    const follower = follow();
    await follower.look();
    appendFileSync(path, "one\n");
    await follower.look();
    truncateSync(path, 0);
    await follower.look();
    appendFileSync(path, "two\n");
    await follower.look();
    expect(lines).toEqual(["one", "two"]);
  });

  it("that was cut off and has grown beyond where it was, before anybody looked, is given from its start", async () => {
    writeFileSync(path, "old\n");
    const follower = follow();
    await follower.look();
    copyFileSync(path, `${path}.1`);
    const file = openSync(path, "r+");
    ftruncateSync(file, 0);
    writeSync(file, "one\ntwo\nthree\n");
    closeSync(file);
    await follower.look();
    expect(lines).toEqual(["one", "two", "three"]);
  });

  it("that was renamed is read to its end, with a last line that has none, before its successor", async () => {
    writeFileSync(path, "");
    const follower = follow();
    await follower.look();
    const file = openSync(path, "a");
    writeSync(file, "one\n");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "four\n");
    await follower.look();
    writeSync(file, "two\nthr");
    await follower.look();
    writeSync(file, "ee");
    closeSync(file);
    await lookOften(follower);
    appendFileSync(path, "five\n");
    await follower.look();
    expect(lines).toEqual(["one", "two", "three", "four", "five"]);
  });

  it("that was removed and made again, perhaps with the same number, is given from its start", async () => {
    writeFileSync(path, "old\n");
    const follower = follow();
    await follower.look();
    rmSync(path);
    writeFileSync(path, "new one\n");
    await lookOften(follower);
    expect(lines).toEqual(["new one"]);
  });

  it("is followed through many rotations without a line lost or given twice", async () => {
    writeFileSync(path, "");
    const follower = follow();
    await follower.look();
    const expected: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < round; count += 1) {
        expected.push(`line ${round}.${count}`);
        appendFileSync(path, `line ${round}.${count}\n`);
        if (count % 3 === 0) await follower.look();
      }
      renameSync(path, `${path}.${round}`);
      if (round % 2 === 0) await follower.look();
      writeFileSync(path, "");
      await lookOften(follower);
    }
    expect(lines).toEqual(expected);
  });

  it("is something else, such as a folder: that is said once, and it is looked for again", async () => {
    mkdirSync(path);
    const follower = follow();
    await lookOften(follower);
    expect(complaints).toHaveLength(1);
    rmSync(path, { recursive: true });
    await follower.look();
    writeFileSync(path, "first\n");
    await follower.look();
    expect(lines).toEqual(["first"]);
  });
});

describe("a file that was followed before", () => {
  async function readSome(): Promise<FilePlace> {
    writeFileSync(path, "");
    const follower = follow();
    await follower.look();
    appendFileSync(path, "one\ntwo\n");
    await follower.look();
    await follower.close();
    if (place === undefined) throw new Error("there is no place");
    return place;
  }

  it("goes on where it was", async () => {
    const from = await readSome();
    appendFileSync(path, "three\n");
    await follow(from).look();
    expect(lines).toEqual(["one", "two", "three"]);
  });

  it("and was renamed meanwhile is found again, and read to its end before its successor", async () => {
    const from = await readSome();
    appendFileSync(path, "three\n");
    renameSync(path, `${path}-20270131`);
    writeFileSync(path, "four\n");
    await lookOften(follow(from));
    expect(lines).toEqual(["one", "two", "three", "four"]);
  });

  it("and was written anew meanwhile is given from its start", async () => {
    const from = await readSome();
    writeFileSync(path, "three\nfour\nfive\n");
    await lookOften(follow(from));
    expect(lines).toEqual(["one", "two", "three", "four", "five"]);
  });

  it("and is gone: its successor is given from its start", async () => {
    const from = await readSome();
    rmSync(path);
    const follower = follow(from);
    await follower.look();
    writeFileSync(path, "three\n");
    await lookOften(follower);
    expect(lines).toEqual(["one", "two", "three"]);
  });

  it("and did not exist then is given from its start", async () => {
    await follow().look();
    const from = place;
    writeFileSync(path, "one\n");
    await follow(from).look();
    expect(lines).toEqual(["one"]);
  });
});

describe("lines that could not be taken", () => {
  it("come again, in order, and none twice", async () => {
    writeFileSync(path, "");
    let calls = 0;
    const follower = follow("end", async (more) => {
      calls += 1;
      if (calls % 2 === 0) throw new Error("the disk is full");
      lines.push(...more);
    });
    await follower.look();
    appendFileSync(path, "one\n");
    await lookOften(follower);
    appendFileSync(path, "two\n");
    await lookOften(follower);
    expect(lines).toEqual(["one", "two"]);
  });
});
