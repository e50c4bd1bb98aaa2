import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { gatherFacts } from "../../../src/landing/audit-facts.ts";
import { judgeReceipt, waiversOf } from "../../../src/landing/audit.ts";
import { composeChangesets, type Candidate } from "../../../src/landing/compose-changesets.ts";
import { findLosses } from "../../../src/landing/losses.ts";
import { receiptRef, writeReceipt, type LandingRecord } from "../../../src/landing/receipt.ts";
import type { Waiver } from "../../../src/landing/tree-merge.ts";
import { makeVault, openTestVault, type TestVault, type TreeSpec } from "../../fixtures/vault.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";

const RUN = "run";
const LANDING = "landing1";
const LANE = `refs/lanes/${RUN}`;
const LINES = Array.from({ length: 9 }, (_, index) => `line ${index + 1}\n`).join("");

const withLine = (line: number, text: string): string => LINES.replace(`line ${line}\n`, `${text}\n`);

/** The work of tasks `t0`, `t1`, … on one base. */
function candidatesOf(base: string, snapshots: readonly string[]): Candidate[] {
  return snapshots.map((snapshot, index) => ({ run: RUN, task: `t${index}`, attempt: 1, base, snapshot, intent: "x" }));
}

/** What a landing of the work of tasks `t0`, `t1`, … comes to, before anybody touches it. */
async function landAll(made: TestVault, base: TreeSpec, snapshots: readonly TreeSpec[]): Promise<LandingRecord> {
  const { git, vault, commit } = made;
  const [before = "", ...oids] = commit(base, ...snapshots);
  const candidates = candidatesOf(before, oids);
  const composed = await composeChangesets(git, vault, before, candidates, { landing: LANDING, atSeconds: 1 });
  expect(composed.conflicting).toEqual([]);
  const tree = await vault.objects.treeOf(composed.tip);
  return {
    target: { kind: "lane", name: LANE },
    before,
    after: composed.tip,
    tree,
    changesets: composed.landed.map(({ changeset }) => changeset),
    verification: { status: "unverified", tree, rulesFrom: before, commands: [], notices: [] },
    notices: [],
    atMs: 1000,
  };
}

/** Writes a receipt and proves it, the lane standing where it says unless told otherwise. */
async function prove({ git, vault }: TestVault, record: LandingRecord, lane = record.after): Promise<string[]> {
  const oid = await writeReceipt(vault, RUN, LANDING, record);
  const name = receiptRef(LANDING);
  await vault.refs.update([
    { name, to: oid },
    { name: LANE, to: lane },
  ]);
  const target = { gitDirectory: vault.directory, ref: LANE };
  return judgeReceipt(await gatherFacts(git, vault, { name, oid }, () => target));
}

const TWO: readonly TreeSpec[] = [{ "a.txt": withLine(2, "two") }, { "a.txt": withLine(8, "eight"), "b.txt": "new\n" }];

async function landTwo(): Promise<{ made: TestVault; record: LandingRecord }> {
  const made = makeVault();
  return { made, record: await landAll(made, { "a.txt": LINES }, TWO) };
}

/** Makes a commit like another one, with something changed about it. */
async function forge(
  { vault, plain }: TestVault,
  like: string,
  change: { readonly tree?: string; readonly parent?: string; readonly message?: string },
): Promise<string> {
  const read = (format: string): string =>
    plain(["show", "-s", `--format=${format}`, like])
      .toString()
      .trimEnd();
  const { tree = read("%T"), parent = read("%P"), message = read("%B") } = change;
  return vault.commits.write({ tree, parents: [parent], message, atSeconds: 1 });
}

function changesetOf(record: LandingRecord, index: number): LandingRecord["changesets"][number] {
  const changeset = record.changesets[index];
  if (changeset === undefined) throw new Error(`no changeset ${index}`);
  return changeset;
}

/** A record whose last changeset has become another commit, as a forger would write it down in full. */
async function withLast(made: TestVault, record: LandingRecord, commit: string): Promise<LandingRecord> {
  const tree = await made.vault.objects.treeOf(commit);
  const changesets = record.changesets.with(1, { ...changesetOf(record, 1), commit });
  return { ...record, after: commit, tree, changesets, verification: { ...record.verification, tree } };
}

describe("a receipt", () => {
  it("of an honest landing is proved, also when the lane has gone on", async () => {
    const { made, record } = await landTwo();
    expect(await prove(made, record)).toEqual([]);
    const later = await forge(made, record.after, { parent: record.after });
    expect(await prove(made, record, later)).toEqual([]);
  });

  it("is not proved when an edit was dropped from the commit, however the rest was adjusted", async () => {
    const { made, record } = await landTwo();
    const [tree = ""] = made.commit({ "a.txt": withLine(2, "two"), "b.txt": "new\n" });
    const forged = await forge(made, record.after, { tree: await made.vault.objects.treeOf(tree) });
    const problems = await prove(made, await withLast(made, record, forged));
    expect(problems.join("\n")).toMatch(/t1: a\.txt: a (line|change) is gone/);
    expect(problems.join("\n")).not.toContain("tree");
  });

  it("is not proved when what an earlier one had landed is gone", async () => {
    const { made, record } = await landTwo();
    const [tree = ""] = made.commit({ "a.txt": withLine(8, "eight"), "b.txt": "new\n" });
    const forged = await forge(made, record.after, { tree: await made.vault.objects.treeOf(tree) });
    expect((await prove(made, await withLast(made, record, forged))).join("\n")).toMatch(
      /t1: a\.txt: .* is (gone|back)/,
    );
  });

  it("is not proved when something landed that nobody made, or a file was left out", async () => {
    const { made, record } = await landTwo();
    const [more = "", less = ""] = made.commit(
      { ...made.files(record.after), "evil.txt": "evil\n" },
      { "a.txt": made.files(record.after)["a.txt"] ?? "" },
    );
    for (const [tree, words] of [
      [more, /t1: evil\.txt: a change is from neither side/],
      [less, /t1: b\.txt: a change is gone/],
    ] as const) {
      const forged = await forge(made, record.after, { tree: await made.vault.objects.treeOf(tree) });
      expect((await prove(made, await withLast(made, record, forged))).join("\n")).toMatch(words);
    }
  });

  it("is not proved when its tree, or the one that was verified, is another one", async () => {
    const { made, record } = await landTwo();
    const other = await made.vault.objects.treeOf(record.before);
    expect(await prove(made, { ...record, tree: other })).toHaveLength(2);
    const { verification } = record;
    expect(await prove(made, { ...record, verification: { ...verification, tree: other } })).toEqual([
      expect.stringContaining("what was verified is"),
    ]);
    expect(await prove(made, { ...record, verification: { ...verification, status: "failed" } })).toEqual([
      "it failed verification",
    ]);
  });

  it("is not proved when a commit does not name the landing, or the task", async () => {
    const { made, record } = await landTwo();
    const message = made.plain(["show", "-s", "--format=%B", record.after]).toString();
    for (const [from, to, words] of [
      [`Anabranch-Landing: ${LANDING}`, "Anabranch-Landing: other", `does not name landing ${LANDING}`],
      [`Anabranch-Landing: ${LANDING}\n`, "", `does not name landing ${LANDING}`],
      ["Anabranch-Task: run/t1/1", "Anabranch-Task: run/t0/1", "does not name task run/t1/1"],
    ] as const) {
      const forged = await forge(made, record.after, { message: message.replace(from, to) });
      expect(await prove(made, await withLast(made, record, forged))).toEqual([expect.stringContaining(words)]);
    }
  });

  it("is not proved when its commits are in another order, one is missing, or one too many", async () => {
    const { made, record } = await landTwo();
    const { changesets } = record;
    expect((await prove(made, { ...record, changesets: changesets.toReversed() })).length).toBeGreaterThan(0);
    expect((await prove(made, { ...record, changesets: changesets.slice(1) })).join("\n")).toContain(
      "does not stand on",
    );
    expect((await prove(made, { ...record, changesets: changesets.slice(0, 1) })).join("\n")).toContain(
      "commits end at",
    );
    const extra = await forge(made, record.after, { parent: record.after });
    expect((await prove(made, { ...record, after: extra }, extra)).join("\n")).toContain("commits end at");
    const squashed = await forge(made, record.after, { parent: record.before });
    expect((await prove(made, await withLast(made, record, squashed), squashed)).length).toBeGreaterThan(0);
  });

  it("is not proved when its target was moved to where its work is not", async () => {
    const { made, record } = await landTwo();
    expect(await prove(made, record, record.before)).toEqual([expect.stringContaining("does not hold")]);
    const oid = await writeReceipt(made.vault, RUN, LANDING, record);
    const gone = await gatherFacts(made.git, made.vault, { name: receiptRef(LANDING), oid }, () => undefined);
    expect(judgeReceipt(gone)).toEqual([]);
  });

  it("is not proved when it stands under another name, lets go of what it needs, or names what is not there", async () => {
    const { made, record } = await landTwo();
    const { git, vault, plain } = made;
    const oid = await writeReceipt(vault, RUN, LANDING, record);
    const under = async (name: string, commit: string): Promise<string[]> =>
      judgeReceipt(await gatherFacts(git, vault, { name, oid: commit }, () => undefined));
    expect(await under("refs/receipts/other", oid)).toEqual([expect.stringContaining("stands under other")]);
    const tree = plain(["rev-parse", `${oid}^{tree}`])
      .toString()
      .trim();
    const bare = await vault.commits.write({ tree, parents: [record.after], message: "x", atSeconds: 1 });
    expect(await under(receiptRef(LANDING), bare)).toEqual([expect.stringContaining("does not hold on to")]);
    const absent = "1".repeat(40);
    expect(
      await prove(made, { ...record, changesets: [{ ...changesetOf(record, 0), snapshot: record.before }] }),
    ).not.toEqual([]);
    const blob = await vault.objects.writeBlob(
      Buffer.from(JSON.stringify({ version: 1, landing: LANDING, run: RUN, ...record, before: absent })),
    );
    const named = await vault.objects.writeTree([{ mode: "100644", type: "blob", oid: blob, name: "receipt.json" }]);
    const lost = await vault.commits.write({ tree: named, parents: [record.after], message: "x", atSeconds: 1 });
    expect(await under(receiptRef(LANDING), lost)).toEqual([expect.stringContaining("objects are gone")]);
  });

  it("is proved where a waiver names the path of what is gone, and not where it names another", async () => {
    const { made, record } = await landTwo();
    const [tree = ""] = made.commit({ "a.txt": withLine(2, "two"), "b.txt": "new\n" });
    const forged = await forge(made, record.after, { tree: await made.vault.objects.treeOf(tree) });
    const dropped = await withLast(made, record, forged);
    const waived = (waiver: Waiver): LandingRecord => ({
      ...dropped,
      changesets: dropped.changesets.with(1, { ...changesetOf(dropped, 1), waivers: [waiver] }),
    });
    expect(await prove(made, waived({ path: "a.txt", what: "ours was taken", by: "person" }))).toEqual([]);
    expect(await prove(made, waived({ path: "b.txt", what: "ours was taken", by: "person" }))).not.toEqual([]);
  });

  it("is not proved when conflict markers landed that were not there before", async () => {
    const { made, record } = await landTwo();
    const marked = "<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n";
    const [snapshot = ""] = made.commit({ "a.txt": LINES, "m.txt": marked });
    const { vault } = made;
    const tree = await vault.objects.treeOf(snapshot);
    const message = "t0: x\n\nAnabranch-Landing: landing1\nAnabranch-Task: run/t0/1";
    const commit = await vault.commits.write({ tree, parents: [record.before], message, atSeconds: 1 });
    const changesets = [{ ...changesetOf(record, 0), snapshot, commit }];
    const verification = { ...record.verification, tree };
    expect(await prove(made, { ...record, after: commit, tree, changesets, verification }, commit)).toEqual([
      "t0: m.txt got conflict markers",
    ]);
  });
});

describe("a changeset of which all had landed before", () => {
  it("is proved, and is not where one of its edits had not", async () => {
    const made = makeVault();
    const both = { "a.txt": withLine(2, "two").replace("line 8", "eight") };
    const record = await landAll(made, { "a.txt": LINES }, [both, { "a.txt": withLine(2, "two") }]);
    expect(changesetOf(record, 1)).toMatchObject({ paths: 0 });
    expect(await prove(made, record)).toEqual([]);
    const [snapshot = ""] = made.commit({ "a.txt": withLine(3, "three") });
    const changesets = [changesetOf(record, 0), { ...changesetOf(record, 1), snapshot }];
    expect(await prove(made, { ...record, changesets })).toEqual([
      "t1: a.txt: a change is gone: both sides changed it, and it was not merged, and no waiver",
    ]);
  });
});

describe("what policies dropped", () => {
  const manifest = (version: string, name = "a") =>
    `{\n  "name": "${name}",\n  "dependencies": {\n    "b": "${version}"\n  }\n}\n`;
  const versions = [{ "package.json": manifest("^1.2.0") }, { "package.json": manifest("^1.1.0") }];

  async function landVersions(): Promise<{ made: TestVault; record: LandingRecord }> {
    const made = makeVault();
    return { made, record: await landAll(made, { "package.json": manifest("^1.0.0") }, versions) };
  }

  it("is proved by waivers that name each edit", async () => {
    const { made, record } = await landVersions();
    expect(changesetOf(record, 1).waivers).toMatchObject([{ by: "policy:semver-max" }]);
    expect(await prove(made, record)).toEqual([]);
  });

  it("is a loss without the waiver, and without what was dropped", async () => {
    const { made, record } = await landVersions();
    const withSecond = (patch: object) => ({
      ...record,
      changesets: [changesetOf(record, 0), { ...changesetOf(record, 1), ...patch }],
    });
    expect(await prove(made, withSecond({ waivers: [] }))).toEqual([
      expect.stringMatching(/^t1: package.json: .*\^1\.1\.0.* and no waiver$/),
    ]);
    const resolved = changesetOf(record, 1).resolved.map(({ drops: _drops, ...one }) => one);
    expect(await prove(made, withSecond({ resolved }))).toEqual([
      expect.stringMatching(/^t1: package.json: .*, and no waiver$/),
    ]);
  });
});

describe("a receipt of before contents were looked at by their language", () => {
  const [one, two] = ["function one() {\n  return 1;\n}\n", "function two() {\n  return 2;\n}\n"];
  const texts = [one, `${one}\n${two}`, `${two.replace("return 2", "return 3")}\n${one}`] as const;

  it("is proved line by line, as it was then", async () => {
    const made = makeVault();
    const { vault, git, commit } = made;
    const [before = "", ...oids] = commit(...texts.map((text) => ({ "a.ts": text })));
    const ours = await landAll(made, { "a.ts": texts[0] }, [{ "a.ts": texts[1] }]);
    const [result = ""] = commit({ "a.ts": `${two.replace("return 2", "return 3")}\n${one}\n${two}` });
    const tree = await vault.objects.treeOf(result);
    const message = `t1: x\n\nAnabranch-Landing: ${LANDING}\nAnabranch-Task: ${RUN}/t1/1`;
    const landed = await vault.commits.write({ tree, parents: [ours.after], message, atSeconds: 1 });
    const changeset = { ...changesetOf(ours, 0), task: "t1", base: before, snapshot: oids[1] ?? "", commit: landed };
    const record: LandingRecord = {
      ...ours,
      after: landed,
      tree,
      changesets: [changesetOf(ours, 0), changeset],
      verification: { ...ours.verification, tree },
    };
    expect(await prove(made, record)).toEqual([expect.stringMatching(/^t1: a.ts: a definition is there twice/)]);

    const now = await writeReceipt(vault, RUN, LANDING, record);
    const [file] = await vault.objects.readTree(now);
    const text = (await vault.objects.readBlob(file?.oid ?? "")).toString().replace('"version": 2', '"version": 1');
    const blob = await vault.objects.writeBlob(Buffer.from(text));
    const old = await vault.objects.writeTree([{ mode: "100644", type: "blob", oid: blob, name: "receipt.json" }]);
    const parents = made.plain(["show", "-s", "--format=%P", now]).toString().trim().split(" ");
    const oid = await vault.commits.write({ tree: old, parents, message: "old", atSeconds: 1 });
    const facts = await gatherFacts(git, vault, { name: receiptRef(LANDING), oid }, () => undefined);
    expect(judgeReceipt(facts)).toEqual([]);
  });
});

describe("a merge by hand on a receipt", () => {
  /** Ours and theirs meet in line 5; the person keeps ours and adds a line. */
  async function landByHand(): Promise<{ made: TestVault; record: LandingRecord }> {
    const made = makeVault();
    const { git, vault, commit } = made;
    const [base = "", ours = "", theirs = "", result = ""] = commit(
      { "a.txt": LINES },
      { "a.txt": withLine(5, "ours") },
      { "a.txt": withLine(5, "theirs"), "b.txt": "new\n" },
      { "a.txt": withLine(5, "ours\nby hand"), "b.txt": "new\n" },
    );
    const step = { base, ours, theirs, result };
    const waivers = waiversOf(await findLosses(git, vault, step));
    const candidate = { run: RUN, task: "t0", attempt: 1, base: ours, snapshot: result, intent: "x", waivers };
    const composition = { landing: LANDING, atSeconds: 1 };
    const composed = await composeChangesets(git, vault, ours, [{ ...candidate, byHand: [step] }], composition);
    const tree = await vault.objects.treeOf(composed.tip);
    const record: LandingRecord = {
      target: { kind: "lane", name: LANE },
      before: ours,
      after: composed.tip,
      tree,
      changesets: composed.landed.map(({ changeset }) => changeset),
      verification: { status: "unverified", tree, rulesFrom: ours, commands: [], notices: [] },
      notices: [],
      atMs: 1000,
    };
    return { made, record };
  }

  it("is proved with everything given up by its name", async () => {
    const { made, record } = await landByHand();
    expect(changesetOf(record, 0).waivers).toEqual([
      { path: "a.txt", what: "a line is gone: theirs", by: "person" },
      { path: "a.txt", what: "a change is from neither side: by hand", by: "person" },
    ]);
    expect(await prove(made, record)).toEqual([]);
  });

  it("is not proved when a waiver was taken away, or names something else", async () => {
    const { made, record } = await landByHand();
    const changeset = changesetOf(record, 0);
    for (const waivers of [
      changeset.waivers.slice(1),
      changeset.waivers.map((waiver) => ({ ...waiver, what: "a line is gone: another" })),
    ]) {
      expect((await prove(made, { ...record, changesets: [{ ...changeset, waivers }] })).length).toBeGreaterThan(0);
    }
  });

  it("is not proved when it is not what landed, or its steps do not follow from each other", async () => {
    const { made, record } = await landByHand();
    const changeset = changesetOf(record, 0);
    const [step] = changeset.byHand ?? [];
    if (step === undefined) throw new Error("nothing was merged by hand");
    for (const byHand of [[{ ...step, ours: step.base }], [{ ...step, result: step.theirs }], [step, step]]) {
      const problems = await prove(made, { ...record, changesets: [{ ...changeset, byHand }] });
      expect(problems).toContain("t0: what was merged by hand is not what landed");
    }
  });
});

describe("whatever merges", () => {
  const file = fc
    .array(fc.constantFrom("a", "b", "c", "d", ""), { maxLength: 12 })
    .map((lines) => lines.map((line) => `${line}\n`).join(""));
  const tree = fc.dictionary(fc.constantFrom("x", "y", "d/z", "e"), file, { maxKeys: 4 });

  it("is proved, and is not once any path of it is changed", async () => {
    const made = openTestVault(temporaryFolder());
    await fc.assert(
      fc.asyncProperty(tree, tree, tree, async (base, one, two) => {
        const { git, vault, commit } = made;
        const [before = "", ...oids] = commit(
          { keep: "k\n", ...base },
          { keep: "k\n", ...one },
          { keep: "k\n", ...two },
        );
        const candidates = candidatesOf(before, oids);
        const composed = await composeChangesets(git, vault, before, candidates, { landing: LANDING, atSeconds: 1 });
        const verified = await vault.objects.treeOf(composed.tip);
        const record: LandingRecord = {
          target: { kind: "lane", name: LANE },
          before,
          after: composed.tip,
          tree: verified,
          changesets: composed.landed.map(({ changeset }) => changeset),
          verification: { status: "unverified", tree: verified, rulesFrom: before, commands: [], notices: [] },
          notices: [],
          atMs: 1000,
        };
        expect(await prove(made, record)).toEqual([]);
        if (composed.tip === before) return;
        const [other = ""] = commit({ ...made.files(composed.tip), keep: "tampered\n" });
        const forged = await forge(made, composed.tip, { tree: await vault.objects.treeOf(other) });
        const index = record.changesets.findLastIndex(
          (changeset) => changeset.commit === composed.tip && changeset.paths > 0,
        );
        const forgedTree = await vault.objects.treeOf(forged);
        const tampered: LandingRecord = {
          ...record,
          after: forged,
          tree: forgedTree,
          changesets: record.changesets.map((changeset, at) =>
            at >= index ? { ...changeset, commit: forged } : changeset,
          ),
          verification: { ...record.verification, tree: forgedTree },
        };
        expect((await prove(made, tampered)).join("\n")).toContain("keep: a change is from neither side");
      }),
      { numRuns: 20 },
    );
    await made.vault.close();
  }, 120_000);
});
