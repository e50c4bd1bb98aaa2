import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { CommandResponse } from "../../src/protocol/commands.ts";
import type { ConflictView, RunView } from "../../src/protocol/views.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { expectSoundLane, onLane } from "../fixtures/landings.ts";
import { git, makeRepository } from "../fixtures/repository.ts";

/** What one file is at first, and what each of two tasks makes of it. */
interface Versions {
  readonly path: string;
  readonly base: string | Buffer;
  readonly first: string | Buffer;
  readonly second: string | Buffer;
}

interface Landed {
  readonly home: Home;
  readonly root: string;
  readonly run: RunView;
}

/** Two tasks that change one file at once, each without knowing of the other. */
async function changeTwice(
  { path, base, first, second }: Versions,
  files: Readonly<Record<string, string>> = {},
): Promise<Landed> {
  const home = makeHome();
  const root = makeRepository({ [path]: "", ...files });
  for (const [name, content] of Object.entries({ [path]: base, "first.new": first, "second.new": second })) {
    writeFileSync(join(root, name), content);
  }
  const client = home.client();
  const take = (name: string): string => `cp ${name}.new ${path}`;
  const tasks = { first: take("first"), second: take("second") };
  const run = await (await client.start({ directory: root, mode: "parallel", tasks })).wait();
  return { home, root, run };
}

async function give<Data>(home: Home, root: string, ...args: string[]): Promise<Data> {
  const end = await home.cli(root, [...args, "--json"]);
  expect(end.status, `${args.join(" ")}: ${end.stdout}${end.stderr}`).toBe(0);
  return (JSON.parse(end.stdout) as { data: Data }).data;
}

async function expectProved({ home, root }: Landed): Promise<void> {
  const audit = await give<CommandResponse<"audit">>(home, root, "audit");
  expect(audit.receipts.flatMap(({ problems }) => problems)).toEqual([]);
  expect(audit.proved).toBeGreaterThan(0);
}

const changesetsOf = (run: RunView) => run.landings.flatMap(({ changesets }) => changesets);
const resolvedIn = (run: RunView) => changesetsOf(run).flatMap(({ resolved }) => resolved);

/** Both tasks have landed, what they did is merged with this class, and the receipts are proved. */
async function expectMerged(landed: Landed, path: string, resolved: object): Promise<string> {
  const { run } = landed;
  expect(run.conflicts.map((one) => one.paths)).toEqual([]);
  expect(run.outcome).toBe("succeeded");
  expect(resolvedIn(run)).toMatchObject([{ path, ...resolved }]);
  expectSoundLane(run);
  await expectProved(landed);
  return onLane(run, path);
}

const GREETING = `import { a, b } from "./letters.js";

export function greet(name: string): string {
  return a + b + name;
}
`;
const functionOf = (name: string): string => `\nexport function ${name}(): string {\n  return "${name}";\n}\n`;

describe("two tasks that change one file", () => {
  it("both land where each adds a function at one place", async () => {
    const landed = await changeTwice({
      path: "greet.ts",
      base: GREETING,
      first: GREETING + functionOf("welcome"),
      second: GREETING + functionOf("goodbye"),
    });
    const text = await expectMerged(landed, "greet.ts", { class: "B" });
    expect(text.match(/export function \w+/g)?.toSorted()).toEqual([
      "export function goodbye",
      "export function greet",
      "export function welcome",
    ]);
  });

  it("both land where each imports something more", async () => {
    const landed = await changeTwice(
      {
        path: "greet.ts",
        base: GREETING,
        first: GREETING.replace("{ a, b }", "{ a, b, c }") + functionOf("one").replace('"one"', "c"),
        second: GREETING.replace("{ a, b }", "{ a, b, d }").replace("a + b + name", "a + b + d + name"),
      },
      { "letters.ts": "export const [a, b, c, d] = 'abcd';\n" },
    );
    const text = await expectMerged(landed, "greet.ts", { class: expect.stringMatching(/^[AB]$/) as string });
    expect(/import \{ (.*) \}/.exec(text)?.[1]?.split(", ").toSorted()).toEqual(["a", "b", "c", "d"]);
    expect(text).toContain("return a + b + d + name;");
    expect(text).toContain("return c;");
  });

  it("both land where one moves a function that the other edits", async () => {
    const [one, two, three] = ["one", "two", "three"].map(functionOf);
    const landed = await changeTwice({
      path: "order.ts",
      base: `// Functions.\n${one}${two}${three}`,
      first: `// Functions.\n${three}${one}${two}`,
      second: `// Functions.\n${one}${two}${three?.replace('return "three"', 'return "drei"')}`,
    });
    const text = await expectMerged(landed, "order.ts", { class: expect.stringMatching(/^[AB]$/) as string });
    expect(text).toBe(`// Functions.\n${three?.replace('return "three"', 'return "drei"')}${one}${two}`.trimEnd());
  });

  it("are a conflict where one changes what the other deletes, and nothing is lost", async () => {
    const landed = await changeTwice({
      path: "greet.ts",
      base: GREETING + functionOf("old"),
      first: GREETING,
      second: GREETING + functionOf("old").replace('return "old"', 'return "new"'),
    });
    expect(landed.run.conflicts).toMatchObject([{ paths: [{ path: "greet.ts" }] }]);
    expectSoundLane(landed.run);
    await expectProved(landed);
  });

  it("both land with line ends and byte order mark kept", async () => {
    const form = (text: string): string => `\ufeff${text.replaceAll("\n", "\r\n")}`;
    const landed = await changeTwice({
      path: "greet.ts",
      base: form(GREETING),
      first: form(GREETING + functionOf("grüße")),
      second: form(GREETING + functionOf("adiós")),
    });
    const text = await expectMerged(landed, "greet.ts", { class: "B" });
    expect(text.startsWith("\ufeffimport")).toBe(true);
    expect(`${text}\n`.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    expect(text).toContain("function grüße()");
    expect(text).toContain("function adiós()");
  });

  it("both land in a file that is no UTF-8, byte for byte", async () => {
    const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
    const lines = Array.from({ length: 9 }, (_, index) => `Zeile ${index} \u00e4\u00f6\u00fc\n`);
    const landed = await changeTwice({
      path: "text.txt",
      base: bytes(lines.join("")),
      first: bytes(lines.with(1, "\u00df\n").join("")),
      second: bytes(lines.with(7, "\u00e9\n").join("")),
    });
    await expectMerged(landed, "text.txt", { class: "A" });
    writeFileSync(join(landed.root, "text.txt"), bytes(lines.with(1, "\u00df\n").with(7, "\u00e9\n").join("")));
    const { vault, lane } = landed.run;
    const expected = git(landed.root, "hash-object", "text.txt");
    expect(git(vault, "rev-parse", `${lane.name}:text.txt`)).toBe(expected);
  });
});

describe("a merge of parts of one statement", () => {
  const statement = "export const limits = { small: 1, middle: 10, large: 100 };\n";
  const versions: Versions = {
    path: "limits.ts",
    base: statement,
    first: statement.replace("small: 1,", "small: 2,"),
    second: statement.replace("large: 100", "large: 200"),
  };
  const merged = "export const limits = { small: 2, middle: 10, large: 200 };";

  it("lands where verification passes", async () => {
    const landed = await changeTwice(versions, { "anabranch.yaml": "verify: [grep -q limits limits.ts]\n" });
    expect(await expectMerged(landed, "limits.ts", { class: "C" })).toBe(merged);
    expect(landed.run.landings.at(-1)?.verification.status).toBe("passed");
  });

  it("does not land without it; a person finds it merged, and lands it", async () => {
    const landed = await changeTwice(versions);
    const { home, root, run } = landed;
    const [conflict] = run.conflicts;
    const shown = await give<ConflictView>(home, root, "conflicts", "show", conflict?.id ?? "");
    expect(shown.files).toMatchObject([
      { path: "limits.ts", kind: "uncertain", hunks: [{ base: { start: 1, lines: [statement.trimEnd()] } }] },
    ]);
    expect(shown.files[0]?.message).toContain("class C lands only where verify: has commands");
    const opened = await give<CommandResponse<"conflicts-open">>(home, root, "conflicts", "open", shown.id);
    expect(opened.paths).toMatchObject([{ path: "limits.ts", advice: expect.stringContaining("merged") as string }]);
    expect(readFileSync(join(opened.folder, "limits.ts"), "utf8")).toBe(`${merged}\n`);
    await give(home, root, "land", shown.id);
    const after = await home.client().ask("show", { id: run.id });
    expect(onLane(after, "limits.ts")).toBe(merged);
    expect(changesetsOf(after).at(-1)?.waivers).toEqual([]);
    await expectProved(landed);
  });

  it("lands, or asks, where the repository says so", async () => {
    const landing = await changeTwice(versions, { "anabranch.yaml": "merge: { C: land }\n" });
    expect(await expectMerged(landing, "limits.ts", { class: "C" })).toBe(merged);
    const asking = await changeTwice(versions, { "anabranch.yaml": 'verify: ["true"]\nmerge: { C: ask }\n' });
    expect(asking.run.conflicts).toMatchObject([{ paths: [{ kind: "uncertain" }] }]);
  });
});

describe("a conflict that a person has settled", () => {
  it("is merged the same way when it comes again, and proved", async () => {
    const lines = (middle: string): string => `first\n${middle}\nlast\n`;
    const versions: Versions = { path: "a.txt", base: lines("old"), first: lines("one"), second: lines("two") };
    const landed = await changeTwice(versions, { "anabranch.yaml": "merge: { C: land }\n" });
    const { home, root, run } = landed;
    const [conflict] = run.conflicts;
    const opened = await give<CommandResponse<"conflicts-open">>(home, root, "conflicts", "open", conflict?.id ?? "");
    writeFileSync(join(opened.folder, "a.txt"), lines("one\ntwo"));
    await give(home, root, "land", conflict?.id ?? "");
    const client = home.client();
    const tasks = { first: "cp second.new a.txt", second: "cp first.new a.txt" };
    const again = await (await client.start({ directory: root, mode: "parallel", tasks })).wait();
    expect(await expectMerged({ home, root, run: again }, "a.txt", { resolver: "cache", class: "C" })).toBe(
      lines("one\ntwo").trimEnd(),
    );
  });
});

describe("a version that both sides raise", () => {
  it("is the higher one, with a waiver by the policy that proves it", async () => {
    const manifest = (version: string): string =>
      `{\n  "name": "a",\n  "dependencies": {\n    "left-pad": "${version}"\n  }\n}\n`;
    const landed = await changeTwice({
      path: "package.json",
      base: manifest("^1.0.0"),
      first: manifest("^1.2.0"),
      second: manifest("^1.1.0"),
    });
    const text = await expectMerged(landed, "package.json", { class: "D" });
    expect(JSON.parse(text)).toMatchObject({ dependencies: { "left-pad": "^1.2.0" } });
    expect(changesetsOf(landed.run).flatMap(({ waivers }) => waivers)).toMatchObject([
      { path: "package.json", by: "policy:semver-max", what: expect.stringContaining("^1.1.0") as string },
    ]);
  });
});

describe("a lock file that both sides change", () => {
  const manifest = (...names: string[]): string =>
    `${JSON.stringify(
      {
        name: "app",
        version: "1.0.0",
        dependencies: Object.fromEntries(names.map((name) => [name, `file:libs/${name}`])),
      },
      undefined,
      2,
    )}\n`;
  const add = (name: string): string =>
    `npm pkg set dependencies.${name}=file:libs/${name} && npm install --package-lock-only --ignore-scripts --offline`;

  function makeProject(): string {
    const libraries = ["a", "b", "c"].map((name) => [
      `libs/${name}/package.json`,
      `{ "name": "${name}", "version": "1.0.0" }\n`,
    ]);
    return makeRepository({ "package.json": manifest("c"), ...(Object.fromEntries(libraries) as object) });
  }

  it("is made anew by the program that owns it, from the merged manifest, and proved", async () => {
    const home = makeHome();
    const root = makeProject();
    execFileSync("npm", ["install", "--package-lock-only", "--ignore-scripts", "--offline"], { cwd: root });
    const run = await (
      await home.client().start({ directory: root, mode: "parallel", tasks: { one: add("a"), two: add("b") } })
    ).wait();
    expect(run.outcome).toBe("succeeded");
    const lock = JSON.parse(onLane(run, "package-lock.json")) as { packages: Record<string, object> };
    expect(Object.keys(lock.packages)).toEqual(expect.arrayContaining(["libs/a", "libs/b", "libs/c"]));
    const waivers = changesetsOf(run).flatMap((changeset) => changeset.waivers);
    expect(waivers.map(({ by }) => by)).toEqual(["policy:lock-file"]);
    await expectProved({ home, root, run });
  });

  it("is a conflict that says so where that program is missing", async () => {
    const home = makeHome();
    const root = makeProject();
    const lock = (name: string): string => `mkdir -p x; echo '{"lockfileVersion": 3, "${name}": 1}' > poetry.lock`;
    const tasks = { one: lock("one"), two: lock("two") };
    writeFileSync(join(root, "poetry.lock"), "{}\n");
    const run = await (await home.client().start({ directory: root, mode: "parallel", tasks })).wait();
    expect(run.conflicts).toHaveLength(1);
    const [conflict] = run.conflicts;
    const view = await give<ConflictView>(home, root, "conflicts", "show", conflict?.id ?? "");
    expect(JSON.stringify(view)).toMatch(
      /could not be made anew: poetry is not installed; [^"]*poetry lock[^"]* makes it/,
    );
  });
});
