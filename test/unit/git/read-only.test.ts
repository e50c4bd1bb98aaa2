import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { requireReading } from "../../../src/git/read-only.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { makeVault } from "../../fixtures/vault.ts";

const READING = [
  "blame",
  "cat-file",
  "describe",
  "diff",
  "diff-tree",
  "for-each-ref",
  "grep",
  "log",
  "ls-tree",
  "merge-base",
  "name-rev",
  "rev-list",
  "rev-parse",
  "shortlog",
  "show",
  "show-ref",
];
const REFUSED = [
  "--output",
  "--ext-diff",
  "--textconv",
  "--filters",
  "--open-files-in-pager",
  "--no-index",
  "--contents",
  "--ignore-revs-file",
  "--git-path",
  "--resolve-git-dir",
  "--show-toplevel",
  "--parseopt",
  "--sq-quote",
];
const refusal = expect.objectContaining({ code: "USAGE" });

describe("a git command that is to read only", () => {
  it.each([
    [
      ["log", "--oneline", "-3", "main"],
      ["log", "--no-ext-diff", "--no-textconv", "--oneline", "-3", "main"],
    ],
    [
      ["show", "HEAD:a.txt"],
      ["show", "--no-ext-diff", "--no-textconv", "HEAD:a.txt"],
    ],
    [
      ["diff", "a", "b"],
      ["diff", "--no-ext-diff", "--no-textconv", "a", "b", "--"],
    ],
    [
      ["diff", "--stat", "a..b", "--", "x", "y"],
      ["diff", "--no-ext-diff", "--no-textconv", "--stat", "a..b", "--", "x", "y"],
    ],
    [
      ["blame", "-L", "1,3", "HEAD", "--", "a"],
      ["blame", "--no-ext-diff", "--no-textconv", "-L", "1,3", "HEAD", "--", "a"],
    ],
    [
      ["grep", "-nie", "FOO", "HEAD", "--", "--output"],
      ["grep", "-nie", "FOO", "HEAD", "--", "--output"],
    ],
    [
      ["grep", "-eOf", "HEAD"],
      ["grep", "-eOf", "HEAD"],
    ],
    [
      ["ls-tree", "-r", "HEAD"],
      ["ls-tree", "-r", "HEAD"],
    ],
    [
      ["cat-file", "-p", "HEAD"],
      ["cat-file", "-p", "HEAD"],
    ],
  ])("passes: %j", (args, expected) => {
    expect(requireReading(args)).toEqual(expected);
  });

  it("is none of the other commands that git has, and no option of git's own", () => {
    const all = execFileSync("git", ["--list-cmds=builtins,main"], { encoding: "utf8" }).trim().split("\n");
    expect(all).toEqual(expect.arrayContaining(READING));
    const others = all.filter((command) => !READING.includes(command));
    expect(others.length).toBeGreaterThan(100);
    const never = ["-c", "--exec-path=/tmp", "-C", "--git-dir=/x", "-p", "", "LOG", "log ", "./log", "constructor"];
    for (const command of [...others, ...never]) {
      expect(() => requireReading([command, "HEAD"]), command).toThrow(refusal);
    }
    expect(() => requireReading([])).toThrow(refusal);
  });

  it("has none of the options that do more, written out or cut short, with a value or without, wherever it stands", () => {
    const option = fc.constantFrom(...REFUSED);
    fc.assert(
      fc.property(
        fc.constantFrom(...READING),
        option,
        fc.nat(),
        fc.boolean(),
        fc.nat(3),
        (command, full, cut, value, at) => {
          const name = full.slice(0, 3 + (cut % (full.length - 2)));
          const args = ["HEAD", "-p", "HEAD~1"];
          args.splice(at, 0, value ? `${name}=/tmp/x` : name);
          expect(() => requireReading([command, ...args])).toThrow(refusal);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["grep", "-O"],
    ["grep", "-Oless"],
    ["grep", "-niO"],
    ["grep", "-f"],
    ["grep", "-f/etc/passwd"],
    ["grep", "-nf"],
    ["blame", "-S"],
    ["blame", "-S/etc/passwd"],
    ["blame", "-wS"],
    ["diff", "-O/etc/passwd"],
    ["log", "-pO/etc/passwd"],
    ["show", "-O"],
    ["diff-tree", "-O/etc/passwd"],
  ])("has none of the letters that do more: git %s %s", (command, letter) => {
    expect(() => requireReading([command, letter, "x", "HEAD"])).toThrow(refusal);
    expect(() => requireReading([command, "HEAD", letter, "x"])).toThrow(refusal);
  });

  it("that was passed shows nothing from outside, writes nothing and runs nothing, whatever is configured", async () => {
    const { git, vault, commit } = makeVault();
    const [one = "", two = ""] = commit({ "a.txt": "one\n" }, { "a.txt": "two\n" });
    const folder = temporaryFolder();
    const [secret, made, ran] = ["secret", "made", "ran"].map((name) => join(folder, name)) as [string, string, string];
    writeFileSync(secret, "hidden(\n");
    const program = `touch '${ran}'; cat`;
    appendFileSync(
      join(vault.directory, "config"),
      `[diff]\nexternal = "${program}"\norderFile = ${secret}\n[diff "x"]\ntextconv = "${program}"\ncommand = "${program}"\n` +
        `[core]\npager = "${program}"\nfsmonitor = "${program}"\neditor = "${program}"\n[pager]\nlog = "${program}"\n` +
        `[alias]\nlog = "!${program}"\n`,
    );
    mkdirSync(join(vault.directory, "info"), { recursive: true });
    writeFileSync(join(vault.directory, "info/attributes"), "* diff=x\n");
    const before = readdirSync(vault.directory).toSorted();
    const attempts = [
      ["diff", one, two],
      ["diff", one, two, "--", "a.txt"],
      ["diff", "/dev/null", secret],
      ["diff", "--", "/dev/null", secret],
      ["diff", "-p", "--", "/dev/null", secret],
      ["diff", secret, "/dev/null", "--"],
      ["diff", one, "--", secret],
      ["diff", "../config", secret],
      ["diff", secret],
      ["diff", one, secret],
      ["diff", `--outp=${made}`, one, two],
      ["log", "-p", two],
      ["log", "-p", "--output", made, two],
      ["log", "-p", "--ext-diff", two],
      ["log", "--textconv", "-p", two],
      ["log", "-1", "--format=%G?", two],
      ["show", two],
      ["show", `${two}:a.txt`],
      ["diff-tree", "-p", one, two],
      ["diff-tree", "-p", "/dev/null", secret],
      ["blame", two, "--", "a.txt"],
      ["blame", "-S", secret, two, "--", "a.txt"],
      ["blame", "--contents", secret, two, "--", "a.txt"],
      ["blame", two, "--", secret],
      ["grep", "-f", secret, two],
      ["grep", "-e", "hidden", "--", secret],
      ["grep", "--untracked", "hidden"],
      ["grep", `-O${program}`, "two", two],
      ["grep", "--no-exclude-standard", "hidden", "--", secret],
      ["cat-file", "--textconv", `${two}:a.txt`],
      ["cat-file", "--filters", `${two}:a.txt`],
      ["rev-parse", "--git-path", "objects"],
      ["rev-list", "--all", "--", secret],
      ["shortlog", "-s", two],
    ];
    let passed = 0;
    for (const attempt of attempts) {
      const args = await Promise.resolve()
        .then(() => requireReading(attempt))
        .catch(() => undefined);
      if (args === undefined) continue;
      passed += 1;
      const end = await git.run(vault.place, args, { allow: [1, 2, 128, 129] });
      expect(`${end.stdout.toString()}${end.stderr}`, attempt.join(" ")).not.toContain("hidden(");
      expect(existsSync(made), attempt.join(" ")).toBe(false);
      expect(existsSync(ran), attempt.join(" ")).toBe(false);
    }
    expect(passed).toBeGreaterThan(10);
    expect(readdirSync(vault.directory).toSorted()).toEqual(before);
    const shown = await git.text(vault.place, requireReading(["diff", one, two]));
    expect(shown).toContain("-one\n+two");
  });
});
