import { describe, expect, it } from "vitest";

import { openLosses } from "../../../src/landing/conservation.ts";
import { byPath } from "../../../src/landing/sides.ts";
import { makeVault, type TreeSpec } from "../../fixtures/vault.ts";

/** What is opened when a merge of these trees comes to `result`. */
async function lossesOf(base: TreeSpec, ours: TreeSpec, theirs: TreeSpec, result: TreeSpec, waived: string[] = []) {
  const { vault, commit } = makeVault();
  const [b = "", o = "", t = "", tree = ""] = commit(base, ours, theirs, result);
  const { objects } = vault;
  const [own, other] = [await objects.compare(b, o), await objects.compare(b, t)];
  const sides = { base: b, ours: o, theirs: t, oursChanges: byPath(own), theirsChanges: byPath(other) };
  const composed = { tree, resolved: [], waivers: [], waived: new Set(waived), conflicts: [] };
  const open = await openLosses(vault, sides, { edits: [], decisions: [], renames: [] }, composed);
  return open.map(({ conflict }) => `${conflict.kind} ${conflict.path}`);
}

describe("a composed tree that lacks something", () => {
  const [base, ours, theirs] = [
    { a: "1\n", b: "2\n", c: "3\n" },
    { a: "ours\n", b: "2\n", c: "3\n" },
    { a: "1\n", b: "theirs\n", d: "4\n" },
  ];

  it("is opened at every path where it does", async () => {
    expect(await lossesOf(base, ours, theirs, { a: "ours\n", b: "theirs\n", d: "4\n" })).toEqual([]);
    expect(await lossesOf(base, ours, theirs, { a: "1\n", b: "theirs\n", d: "4\n" })).toEqual(["loss a"]);
    expect(await lossesOf(base, ours, theirs, { a: "ours\n", b: "2\n", c: "3\n" })).toEqual([
      "loss b",
      "loss c",
      "loss d",
    ]);
    expect(await lossesOf(base, ours, theirs, { a: "x\n", b: "theirs\n", d: "4\n" })).toEqual(["loss a"]);
    expect(await lossesOf(base, ours, theirs, { a: "ours\n", b: "theirs\n", d: "4\n", e: "5\n" })).toEqual(["loss e"]);
  });

  it("is not where the drop was a choice", async () => {
    expect(await lossesOf(base, ours, theirs, { a: "1\n", b: "theirs\n", d: "4\n" }, ["a"])).toEqual([]);
  });
});
