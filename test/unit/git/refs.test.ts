import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";

import { formatPackedRefs, listRefs, openRefWriter, updateRefs } from "../../../src/git/refs.ts";
import { makeVault } from "../../fixtures/vault.ts";

describe("a packed-refs file", () => {
  it("is read by git with every ref in its place, whatever they are called and in whatever order", async () => {
    const { git, vault, commit, plain } = makeVault();
    const oids = commit({ a: "1" }, { a: "2" }, { a: "3" });
    const own = plain(["for-each-ref", "--format=%(refname)"]).toString().trim().split("\n");
    for (const ref of own) plain(["update-ref", "-d", ref]);
    const tag = plain(["mktag"], `object ${oids[0]}\ntype commit\ntag t\ntagger A <a@example.org> 1 +0000\n\nm\n`);
    const tagOid = tag.toString().trim();
    const part = fc.stringMatching(/^[a-z0-9é😀+!#%=-]{1,4}$/u).filter((name) => !name.startsWith("-"));
    const name = fc
      .tuple(fc.constantFrom("heads", "tags", "snapshots"), fc.array(part, { minLength: 1, maxLength: 3 }))
      .map(([kind, parts]) => `refs/${kind}/${parts.join("/")}`);
    const refs = fc.uniqueArray(fc.tuple(name, fc.nat(3)), { selector: ([one]) => one, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(refs, async (chosen) => {
        const list = chosen.map(([one, at]) =>
          at === 3 ? { name: one, oid: tagOid, peeledOid: oids[0] } : { name: one, oid: oids[at] ?? "" },
        );
        writeFileSync(join(vault.directory, "packed-refs"), formatPackedRefs(list));
        const listed = await listRefs(git, vault.directory, "refs/");
        expect(listed.toSorted(byName)).toEqual(list.map(({ name, oid }) => ({ name, oid })).toSorted(byName));
        const peeled = list.map(({ name: one, oid, peeledOid }) => `${peeledOid ?? oid} ${one}`);
        for (const line of peeled) {
          const [oid = "", one = ""] = line.split(" ");
          expect(await git.text(vault.place, ["rev-parse", "--verify", `${one}^{}`]), one).toBe(oid);
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe("refs", () => {
  it("move only from where they must stand, all of a call or none", async () => {
    const { git, vault, commit } = makeVault();
    const [one = "", two = ""] = commit({ a: "1" }, { a: "2" });
    const at = async (): Promise<Record<string, string>> =>
      Object.fromEntries((await listRefs(git, vault.directory, "refs/t/")).map((ref) => [ref.name, ref.oid]));
    const writer = openRefWriter(git, vault.directory);
    onTestFinished(() => writer.close());
    for (const update of [
      (updates: Parameters<typeof writer.update>[0]) => writer.update(updates),
      (updates: Parameters<typeof writer.update>[0]) => updateRefs(git, vault.directory, updates),
    ]) {
      await update([]);
      await update([{ name: "refs/t/a", to: one, from: null }]);
      await expect(update([{ name: "refs/t/a", to: two, from: null }])).rejects.toMatchObject({ code: "GIT_FAILED" });
      await expect(update([{ name: "refs/t/a", to: two, from: two }])).rejects.toMatchObject({ code: "GIT_FAILED" });
      await expect(
        update([
          { name: "refs/t/b", to: one },
          { name: "refs/t/a", to: two, from: two },
          { name: "refs/t/c", to: one },
        ]),
      ).rejects.toMatchObject({ code: "GIT_FAILED" });
      expect(await at()).toEqual({ "refs/t/a": one });
      await update([
        { name: "refs/t/a", to: two, from: one },
        { name: "refs/t/b", to: one },
      ]);
      expect(await at()).toEqual({ "refs/t/a": two, "refs/t/b": one });
      await expect(update([{ name: "refs/t/a", to: null, from: one }])).rejects.toMatchObject({ code: "GIT_FAILED" });
      await update([
        { name: "refs/t/a", to: null, from: two },
        { name: "refs/t/b", to: null },
      ]);
      expect(await at()).toEqual({});
    }
  });

  it("that many move at once end where exactly one of them wanted", async () => {
    const { git, vault, commit } = makeVault();
    const [start = "", ...ends] = commit(...Array.from({ length: 9 }, (_, index) => ({ a: String(index) })));
    const writer = openRefWriter(git, vault.directory);
    onTestFinished(() => writer.close());
    await writer.update([{ name: "refs/t/a", to: start }]);
    const results = await Promise.allSettled(ends.map((to) => writer.update([{ name: "refs/t/a", to, from: start }])));
    const winners = ends.filter((_, index) => results[index]?.status === "fulfilled");
    expect(winners).toHaveLength(1);
    expect(await listRefs(git, vault.directory, "refs/t/")).toEqual([{ name: "refs/t/a", oid: winners[0] }]);
  });
});

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
