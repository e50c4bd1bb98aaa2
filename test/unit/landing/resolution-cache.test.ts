import { describe, expect, it } from "vitest";

import { mergeTrees } from "../../../src/landing/merge-trees.ts";
import { rememberResolutions } from "../../../src/landing/resolution-cache.ts";
import { makeVault, type TestVault, type TreeSpec } from "../../fixtures/vault.ts";

const text = (line: string, more = "") => `first\n${line}\nlast\n${more}`;

async function merge({ git, vault, commit, files }: TestVault, base: TreeSpec, ours: TreeSpec, theirs: TreeSpec) {
  const [b = "", o = "", t = ""] = commit(base, ours, theirs);
  const merged = await mergeTrees(git, vault, { base: b, ours: o, theirs: t });
  return merged.status === "merged" ? { ...merged, files: files(merged.tree) } : merged;
}

/** Somebody has merged `x` and `y` of `a.txt` into a line of both. */
async function rememberBoth(made: TestVault, result = text("x\ny")): Promise<void> {
  const [base = "", ours = "", theirs = "", merged = ""] = made.commit(
    { "a.txt": text("old") },
    { "a.txt": text("x") },
    { "a.txt": text("y") },
    { "a.txt": result },
  );
  await rememberResolutions(made.git, made.vault, { base, ours, theirs, result: merged });
}

describe("a place that somebody has merged before", () => {
  it("is merged the same way again, whichever side is which, also beside other edits and after collecting", async () => {
    const made = makeVault();
    const base = { "a.txt": text("old") };
    expect(await merge(made, base, { "a.txt": text("x") }, { "a.txt": text("y") })).toMatchObject({
      status: "conflict",
    });
    await rememberBoth(made);
    made.plain(["gc", "--quiet", "--prune=now"]);
    const again = await merge(made, base, { "a.txt": text("y") }, { "a.txt": text("x", "more\n") });
    expect(again).toMatchObject({
      status: "merged",
      files: { "a.txt": text("x\ny", "more\n") },
      resolved: [{ path: "a.txt", resolver: "cache", class: "C" }],
    });
  });

  it("is a conflict in another file, and where one of the three is different", async () => {
    const made = makeVault();
    await rememberBoth(made);
    for (const [path, base, ours, theirs] of [
      ["b.txt", "old", "x", "y"],
      ["a.txt", "older", "x", "y"],
      ["a.txt", "old", "x", "z"],
    ] as const) {
      expect(await merge(made, { [path]: text(base) }, { [path]: text(ours) }, { [path]: text(theirs) })).toMatchObject(
        { status: "conflict" },
      );
    }
  });

  it("is asked about again where what was made of it lost an edit", async () => {
    const made = makeVault();
    await rememberBoth(made, text("x"));
    const asked = await merge(made, { "a.txt": text("old") }, { "a.txt": text("x") }, { "a.txt": text("y") });
    expect(asked).toMatchObject({ status: "conflict", conflicts: [{ kind: "contents" }] });
  });

  it("stays known with others, the newest thousand of all", async () => {
    const made = makeVault();
    const filler = Array.from({ length: 1000 }, (_, index) => [`key ${index}`, ["line"]] as const);
    const oid = await made.vault.objects.writeBlob(Buffer.from(JSON.stringify(filler)));
    await made.vault.refs.update([{ name: "refs/resolutions/known", to: oid }]);
    await rememberBoth(made);
    const list = JSON.parse(made.plain(["cat-file", "blob", "refs/resolutions/known"]).toString()) as typeof filler;
    expect(list).toHaveLength(1000);
    expect(list[0]?.[0]).toBe("key 1");
    expect(list.at(-1)?.[1]).toEqual(["x", "y"]);
    expect(made.plain(["fsck", "--strict", "--no-dangling"]).toString()).toBe("");
  });
});
