import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";

import { DIST, makeHome } from "../fixtures/home.ts";
import { git, gitFails, makeRepository, temporaryFolder, writeFiles } from "../fixtures/repository.ts";

const CLI = join(DIST, "cli.js");

interface MergeAnswer {
  readonly id: unknown;
  readonly status?: string;
  readonly text?: string;
  readonly class?: string;
  readonly why?: string;
  readonly resolvers?: readonly string[];
  readonly error?: string;
}

/** Asks one engine several things, each when the one before is answered. */
async function ask(lines: readonly string[]): Promise<MergeAnswer[]> {
  const child = spawn(process.execPath, [CLI, "merge-files", "--jsonl"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const answers: MergeAnswer[] = [];
  const output = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (const line of lines) {
    child.stdin.write(`${line}\n`);
    const answer = (await output.next()) as { value: string };
    answers.push(JSON.parse(answer.value) as MergeAnswer);
  }
  child.stdin.end();
  expect(await ended).toBe(0);
  return answers;
}

const BASE = "export function one() {\n  return 1;\n}\n";
const OURS = `${BASE}\nexport function two() {\n  return 2;\n}\n`;
const THEIRS = `${BASE}\nexport function three() {\n  return 3;\n}\n`;

describe("merge-files", () => {
  it("answers each line with a merge, in order, until its input ends", async () => {
    const answers = await ask([
      JSON.stringify({ id: "first", path: "a.ts", base: BASE, ours: OURS, theirs: THEIRS }),
      JSON.stringify({ id: 2, path: "a.txt", base: "a\n", ours: "b\n", theirs: "c\n" }),
      JSON.stringify({ id: 3, path: "a.txt", base: "a\n", ours: "a\n", theirs: "c\n" }),
    ]);
    expect(answers.map(({ id, status }) => [id, status])).toEqual([
      ["first", "merged"],
      [2, "conflict"],
      [3, "merged"],
    ]);
    expect(answers[0]?.class).toBe("B");
    for (const name of ["one", "two", "three"]) expect(answers[0]?.text).toContain(`function ${name}(`);
    expect(answers[2]?.text).toBe("c\n");
  });

  it("says what is wrong with a line and goes on with the next", async () => {
    const answers = await ask([
      "{no json",
      JSON.stringify({ id: 7, path: "a.ts", ours: "x" }),
      "null",
      "[]",
      JSON.stringify({ id: 8, path: "a.ts", base: 1, ours: "x", theirs: "y" }),
      JSON.stringify({ id: 9, path: "a.txt", base: "x\n", ours: "y\n", theirs: "x\n" }),
    ]);
    expect(answers.slice(0, 5).map(({ error }) => typeof error)).toEqual(Array.from({ length: 5 }, () => "string"));
    expect(answers[1]?.id).toBe(7);
    expect(answers[5]).toMatchObject({ id: 9, status: "merged", text: "y\n" });
  });

  it("leaves lock files to the programs that own them", async () => {
    const [answer] = await ask([
      JSON.stringify({ id: 1, path: "web/package-lock.json", base: "{}\n", ours: '{"a":1}\n', theirs: '{"b":1}\n' }),
    ]);
    expect(answer).toMatchObject({ status: "conflict", why: "lock-file" });
  });
});

/** A repository in which two branches added a function each at one place. */
function makeFork(): string {
  const root = makeRepository({ "a.ts": BASE, "notes.txt": "a\n" });
  git(root, "checkout", "-q", "-b", "theirs");
  writeFiles(root, { "a.ts": THEIRS });
  git(root, "commit", "-qam", "three");
  git(root, "checkout", "-q", "main");
  writeFiles(root, { "a.ts": OURS });
  git(root, "commit", "-qam", "two");
  return root;
}

describe("setup git", () => {
  it("lets git merge what it could not, and undoes itself without a trace", async () => {
    const home = makeHome();
    const root = makeFork();
    const attributes = join(root, ".git", "info", "attributes");
    mkdirSync(join(root, ".git", "info"), { recursive: true });
    writeFileSync(attributes, "*.bin binary");
    const config = readFileSync(join(root, ".git", "config"), "utf8");
    gitFails(root, "merge", "theirs");
    git(root, "merge", "--abort");

    expect(await home.cli(root, ["setup", "git"])).toMatchObject({ status: 0 });
    const installed = readFileSync(attributes, "utf8");
    expect(installed).toMatch(/^\*\.bin binary\n/);
    expect((await home.cli(root, ["setup", "git", "--json"])).stdout).toContain('"changed":false');
    expect(readFileSync(attributes, "utf8")).toBe(installed);
    git(root, "merge", "-q", "theirs");
    const merged = readFileSync(join(root, "a.ts"), "utf8");
    for (const name of ["one", "two", "three"]) expect(merged).toContain(`function ${name}(`);

    expect(await home.cli(root, ["setup", "git", "--undo"])).toMatchObject({ status: 0 });
    expect(readFileSync(attributes, "utf8")).toBe("*.bin binary\n");
    expect(readFileSync(join(root, ".git", "config"), "utf8")).toBe(config);
    expect((await home.cli(root, ["setup", "git", "--undo", "--json"])).stdout).toContain('"changed":false');
  });

  it("sets up all repositories of a user, in the file that git reads", async () => {
    const home = makeHome();
    const user = home.environment["HOME"] ?? "";
    mkdirSync(user, { recursive: true });
    const root = makeFork();
    expect((await home.cli(root, ["setup", "git", "--global"])).status).toBe(0);
    expect(readFileSync(join(user, ".config/git/attributes"), "utf8")).toContain("*.rs merge=anabranch\n");
    expect((await home.cli(root, ["setup", "git", "--global", "--undo"])).status).toBe(0);
    expect(existsSync(join(user, ".config/git/attributes"))).toBe(false);
    expect(readFileSync(join(user, ".gitconfig"), "utf8").trim()).toBe("");
  });

  it("refuses what it does not know, and a folder without a repository", async () => {
    const home = makeHome();
    const folder = temporaryFolder();
    expect((await home.cli(folder, ["setup", "svn"])).status).toBe(2);
    expect((await home.cli(folder, ["setup", "git", "--classes", "AX"])).status).toBe(2);
    expect((await home.cli(folder, ["setup", "git"])).stderr).toContain("NOT_A_REPOSITORY");
  });
});

describe("merge-driver", () => {
  it("leaves what it cannot merge between markers, keeps the file's rights, and says so by its status", async () => {
    const home = makeHome();
    const folder = temporaryFolder();
    writeFiles(folder, { base: "let a = 1;\n", ours: "let b = 2;\n", theirs: "let c = 3;\n" });
    chmodSync(join(folder, "ours"), 0o755);
    const end = await home.cli(folder, ["merge-driver", "base", "ours", "theirs", "a.ts"]);
    expect(end.status).toBe(1);
    const text = readFileSync(join(folder, "ours"), "utf8");
    expect(text).toMatch(/^<<<<<<< ours\nlet b = 2;\n\|{7} base\nlet a = 1;\n=======\nlet c = 3;\n>>>>>>> theirs\n$/);
    expect(statSync(join(folder, "ours")).mode & 0o777).toBe(0o755);
  });

  it("takes a merge of tokens only where its class was named", async () => {
    const home = makeHome();
    const folder = temporaryFolder();
    const write = (): void =>
      writeFiles(folder, {
        base: "const total = add(first, second);\n",
        ours: "const sum = add(first, second);\n",
        theirs: "const total = add(first, second, third);\n",
      });
    write();
    expect((await home.cli(folder, ["merge-driver", "base", "ours", "theirs", "a.ts"])).status).toBe(1);
    write();
    const end = await home.cli(folder, ["merge-driver", "--classes", "ABC", "base", "ours", "theirs", "a.ts"]);
    expect(end.status).toBe(0);
    expect(readFileSync(join(folder, "ours"), "utf8")).toBe("const sum = add(first, second, third);\n");
  });

  it("keeps every byte of a text in another encoding, and leaves a binary file as it is", async () => {
    const home = makeHome();
    const folder = temporaryFolder();
    const latin = (text: string): Buffer => Buffer.from(text, "latin1");
    writeFileSync(join(folder, "base"), latin("// caf\u00e9\nlet a;\n\nlet z;\n"));
    writeFileSync(join(folder, "ours"), latin("// caf\u00e9\nlet b;\n\nlet z;\n"));
    writeFileSync(join(folder, "theirs"), latin("// caf\u00e9\nlet a;\n\nlet y;\n"));
    expect((await home.cli(folder, ["merge-driver", "base", "ours", "theirs", "a.ts"])).status).toBe(0);
    expect(readFileSync(join(folder, "ours")).equals(latin("// caf\u00e9\nlet b;\n\nlet y;\n"))).toBe(true);

    writeFiles(folder, { base: "a\0", ours: "b\0", theirs: "c\0" });
    expect((await home.cli(folder, ["merge-driver", "base", "ours", "theirs", "a.ts"])).status).toBe(1);
    expect(readFileSync(join(folder, "ours"), "utf8")).toBe("b\0");
  });

  it("says which file it could not read", async () => {
    const home = makeHome();
    const end = await home.cli(temporaryFolder(), ["merge-driver", "base", "ours", "theirs", "a.ts"]);
    expect(end.status).toBe(2);
    expect(end.stderr).toContain("base cannot be read: ENOENT");
  });
});
