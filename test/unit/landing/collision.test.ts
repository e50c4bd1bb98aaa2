import { describe, expect, it } from "vitest";

import { collide, type Side } from "../../../src/landing/collision.ts";
import { makeVault, type TestVault, type TreeSpec } from "../../fixtures/vault.ts";

const LINES = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);

/** A text of twenty lines of which some are others. */
function text(changes: Readonly<Record<number, string>> = {}): string {
  return LINES.map((line, index) => `${changes[index + 1] ?? line}\n`).join("");
}

async function side(vault: TestVault, base: string, tree: TreeSpec): Promise<Side> {
  const [commit = ""] = vault.commit(tree);
  return { base, tree: commit, changes: await vault.vault.objects.compare(base, commit) };
}

const collision = (vault: TestVault, ours: Side, theirs: Side) => collide(vault.git, vault.vault, ours, theirs);

describe("the work of two sides", () => {
  it("does not meet where they changed other paths, or the same paths alike", async () => {
    const vault = makeVault();
    const [base = ""] = vault.commit({ a: text(), b: text() });
    const [ours, theirs, same] = await Promise.all([
      side(vault, base, { a: text({ 3: "ours" }), b: text() }),
      side(vault, base, { a: text(), b: text({ 3: "theirs" }) }),
      side(vault, base, { a: text({ 3: "ours" }), b: text() }),
    ]);
    expect(await collision(vault, ours, theirs)).toBeUndefined();
    expect(await collision(vault, ours, same)).toBeUndefined();
  });

  it("merges in different places of one file, and conflicts in one place", async () => {
    const vault = makeVault();
    const [base = ""] = vault.commit({ a: text(), b: text() });
    const ours = await side(vault, base, { a: text({ 3: "ours" }), b: text({ 3: "ours" }) });
    const apart = await side(vault, base, { a: text({ 17: "theirs" }), b: text() });
    const close = await side(vault, base, { a: text({ 17: "theirs" }), b: text({ 3: "theirs" }) });
    expect(await collision(vault, ours, apart)).toEqual({ status: "merges", paths: [{ path: "a" }] });
    expect(await collision(vault, ours, close)).toEqual({
      status: "conflict",
      paths: [{ path: "b", kind: "contents" }],
    });
  });

  it("conflicts where one side deletes what the other changes", async () => {
    const vault = makeVault();
    const [base = ""] = vault.commit({ a: text(), b: "b\n" });
    const ours = await side(vault, base, { b: "b\n" });
    const theirs = await side(vault, base, { a: text({ 3: "theirs" }), b: "b\n" });
    for (const [one, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      expect(await collision(vault, one, other)).toEqual({
        status: "conflict",
        paths: [{ path: "a", kind: "modified-deleted" }],
      });
    }
  });

  it("that started from different bases is brought to one, and what stands between them is nobody's", async () => {
    const vault = makeVault();
    const [older = "", newer = ""] = vault.commit({ a: text() }, { a: text({ 10: "between" }) });
    const ours = await side(vault, older, { a: text({ 3: "ours" }) });
    const apart = await side(vault, newer, { a: text({ 10: "between", 17: "theirs" }) });
    const close = await side(vault, newer, { a: text({ 3: "theirs", 10: "between" }) });
    for (const turn of [(pair: [Side, Side]) => pair, (pair: [Side, Side]) => pair.toReversed() as [Side, Side]]) {
      expect(await collision(vault, ...turn([ours, apart]))).toEqual({ status: "merges", paths: [{ path: "a" }] });
      expect(await collision(vault, ...turn([ours, close]))).toMatchObject({
        status: "conflict",
        paths: [{ path: "a" }],
      });
    }
  });

  it("is put on the newer base, where that alone can be done", async () => {
    const vault = makeVault();
    const [older = "", newer = ""] = vault.commit({ a: text() }, { a: text({ 10: "between" }) });
    const ours = await side(vault, older, { a: text({ 3: "ours" }) });
    const theirs = await side(vault, newer, { a: text({ 3: "theirs", 10: "between, and more" }) });
    for (const [one, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      expect(await collision(vault, one, other)).toMatchObject({ status: "conflict", paths: [{ path: "a" }] });
    }
  });

  it("does not meet where one side began with the other's work and went on from it", async () => {
    const vault = makeVault();
    const [base = "", landed = ""] = vault.commit({ a: text() }, { a: text({ 3: "first" }) });
    const first = await side(vault, base, { a: text({ 3: "first" }) });
    const second = await side(vault, landed, { a: text({ 3: "second" }) });
    expect(await collision(vault, first, second)).toBeUndefined();
    expect(await collision(vault, second, first)).toBeUndefined();
  });

  it("is not judged where one side conflicts with what stands between the bases", async () => {
    const vault = makeVault();
    const [older = "", newer = ""] = vault.commit({ a: text() }, { a: text({ 3: "between" }) });
    const ours = await side(vault, older, { a: text({ 3: "ours" }) });
    const theirs = await side(vault, newer, { a: text({ 3: "theirs" }) });
    expect(await collision(vault, ours, theirs)).toBeUndefined();
  });
});
