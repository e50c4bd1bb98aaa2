import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { completePolicy } from "../../../src/landing/class-policy.ts";
import { makeLockFile, type LockFileMade } from "../../../src/landing/lock-files/make-lock-file.ts";
import { environmentFor, tameSettings } from "../../../src/landing/lock-files/settings.ts";
import { findLosses } from "../../../src/landing/losses.ts";
import { mergeTrees } from "../../../src/landing/merge-trees.ts";
import type { RulesSource, TreeMerge } from "../../../src/landing/tree-merge.ts";
import { openRegistry, type PackageRegistry } from "../../fixtures/package-registry.ts";
import { makeFolder, removeFolder } from "../../fixtures/repository.ts";
import { openTestVault, type TestVault, type TreeSpec } from "../../fixtures/vault.ts";

let folder = "";
let registry: PackageRegistry;
let count = 0;

beforeAll(async () => {
  registry = await openRegistry({ one: ["1.0.0", "1.1.0"], two: ["1.0.0", "2.0.0"], three: ["1.0.0"] });
});

afterAll(() => registry.close());

beforeEach(() => {
  folder = makeFolder("anabranch-lock-files-");
  mkdirSync(join(folder, "bin"));
});

afterEach(() => removeFolder(folder));

function environment(): Record<string, string | undefined> {
  return {
    PATH: `${join(folder, "bin")}:${process.env["PATH"]}`,
    HOME: folder,
    SECRET: "not to be seen",
    npm_config_registry: registry.url,
    npm_config_cache: join(folder, "cache"),
    npm_config_fetch_retries: "0",
    RUSTUP_HOME: process.env["RUSTUP_HOME"] ?? join(homedir(), ".rustup"),
  };
}

function make(path: string, files: Readonly<Record<string, string>>, limitMs = 60_000): Promise<LockFileMade> {
  const scratch = join(folder, `scratch-${(count += 1)}`);
  mkdirSync(scratch);
  const wish = { path, files: new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])) };
  return makeLockFile(wish, { folder: scratch, environment: environment(), limitMs });
}

const write = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const manifest = (dependencies: Readonly<Record<string, string>>, more: object = {}): string =>
  write({ name: "root", version: "1.0.0", dependencies, ...more });

async function lockOf(text: string, start = ""): Promise<string> {
  const made = await make("package-lock.json", {
    "package.json": text,
    ...(start === "" ? {} : { "package-lock.json": start }),
  });
  if (made.status === "refused") throw new Error(made.why);
  return made.content.toString("utf8");
}

/** Puts a program on the path that notes how it is called, and then does what the lines of shell say. */
function fake(name: string, script: string): () => string[] {
  const log = join(folder, `${name}.log`);
  const program = join(folder, "bin", name);
  writeFileSync(
    program,
    `#!/bin/sh\n{ echo "args $*"; ls -A | sed 's/^/file /'; env | grep -E '^(SECRET|HOME|YARN_|UV_|GO|POETRY_)' | sort; } >> ${log}\n${script}\n`,
  );
  chmodSync(program, 0o755);
  return () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
}

describe("a lock file that npm makes", () => {
  it("has what the merged manifest asks for, and keeps what was locked", async () => {
    const start = await lockOf(manifest({ one: "1.0.0" }));
    const loose = start.replace('"one": "1.0.0"', '"one": "^1.0.0"');
    const lock = JSON.parse(await lockOf(manifest({ one: "^1.0.0", two: "^2.0.0" }), loose)) as {
      packages: Record<string, { version?: string }>;
    };
    expect(lock.packages["node_modules/one"]?.version).toBe("1.0.0");
    expect(lock.packages["node_modules/two"]?.version).toBe("2.0.0");
  });

  it("knows the workspaces, and folders that are packages", async () => {
    const made = await make("package-lock.json", {
      "package.json": manifest({ local: "file:./local" }, { workspaces: ["packages/*"] }),
      "packages/a/package.json": write({ name: "a", version: "1.0.0", dependencies: { three: "^1.0.0" } }),
      "local/package.json": write({ name: "local", version: "1.0.0" }),
    });
    expect(
      made.status === "made" && Object.keys((JSON.parse(made.content.toString()) as { packages: object }).packages),
    ).toEqual(expect.arrayContaining(["", "packages/a", "local", "node_modules/three"]));
  });

  it("runs no scripts, of the package itself neither", async () => {
    const touch = `touch ${join(folder, "ran")}`;
    await lockOf(manifest({ one: "1.0.0" }, { scripts: { preinstall: touch, prepare: touch, postinstall: touch } }));
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });

  it("is refused where the registry does not have what is asked for", async () => {
    const made = await make("package-lock.json", { "package.json": manifest({ missing: "^1.0.0" }) });
    expect(made).toMatchObject({ status: "refused", why: expect.stringMatching(/npm install .* failed: .*missing/) });
  });
});

describe("a lock file", () => {
  it("is refused with the command that makes it where its program is missing, fails, or takes too long", async () => {
    const files = { "pyproject.toml": "", "uv.lock": "" };
    expect(await make("uv.lock", files)).toMatchObject({
      status: "refused",
      why: "uv is not installed",
      command: "uv lock",
    });
    fake("uv", "echo no such package >&2; exit 2");
    expect(await make("uv.lock", files)).toMatchObject({ why: expect.stringContaining("failed: no such package") });
    fake("uv", "sleep 60");
    expect(await make("uv.lock", files, 300)).toMatchObject({ why: expect.stringContaining("took more than") });
  });

  it("is refused where the program leaves none, one with markers, or one that is wrong", async () => {
    const files = { "package.json": manifest({ one: "^1.0.0" }), "pnpm-lock.yaml": "" };
    fake("pnpm", "rm pnpm-lock.yaml");
    expect(await make("pnpm-lock.yaml", files)).toMatchObject({ why: expect.stringContaining("left no lock file") });
    fake("pnpm", "printf '<<<<<<< a\\n=======\\n>>>>>>> b\\n' > pnpm-lock.yaml");
    expect(await make("pnpm-lock.yaml", files)).toMatchObject({ why: expect.stringContaining("markers") });
    fake("pnpm", "printf 'importers:\\n  .:\\n    dependencies:\\n      one: {specifier: ^2.0.0}\\n' > pnpm-lock.yaml");
    expect(await make("pnpm-lock.yaml", files)).toMatchObject({ why: expect.stringContaining("another one") });
    fake("pnpm", "printf 'importers:\\n  .:\\n    dependencies:\\n      one: {specifier: ^1.0.0}\\n' > pnpm-lock.yaml");
    expect(await make("pnpm-lock.yaml", files)).toMatchObject({ status: "made", program: "pnpm" });
  });

  it("is refused where its program would change a manifest too", async () => {
    fake("go", "echo 'go 1.99' >> go.mod");
    const files = { "go.mod": "module a\n", "go.sum": "", "a.go": "package a\n" };
    expect(await make("go.sum", files)).toMatchObject({ status: "refused", why: "go would change go.mod too" });
  });

  it("is made by its own program, with scripts off, from its files only and without secrets", async () => {
    const cases: readonly [path: string, program: string, text: string, args: string][] = [
      ["pnpm-lock.yaml", "pnpm", "lockfileVersion: 9", "install --lockfile-only --ignore-scripts"],
      ["yarn.lock", "yarn", "# yarn lockfile v1", "install --ignore-scripts"],
      ["go.sum", "go", "a v1.0.0 h1:x=", "mod tidy"],
      ["poetry.lock", "poetry", "[[package]]", "lock --no-update"],
      ["uv.lock", "uv", "[[package]]", "lock --no-build"],
    ];
    for (const [path, program, text, args] of cases) {
      const calls = fake(program, `echo '${text}' > ${path}`);
      const made = await make(path, { [path]: "", "package.json": "{}" });
      expect(made).toMatchObject({ status: "made", program });
      expect(calls()).toEqual(
        expect.arrayContaining([expect.stringContaining(`args ${args}`), `HOME=${folder}`, `file ${path}`]),
      );
      expect(calls().join("\n")).not.toContain("SECRET");
    }
  });

  it("of the newer yarn is made by updating it, without the program and the plugins of the repository", async () => {
    const start = "__metadata:\n  version: 8\n";
    const calls = fake("yarn", `cat .yarnrc.yml >> ${join(folder, "settings")}`);
    const settings = "yarnPath: ./evil.cjs\nplugins: [./evil.cjs]\nnodeLinker: node-modules\n";
    const made = await make("yarn.lock", { "yarn.lock": start, "package.json": "{}", ".yarnrc.yml": settings });
    expect(made.status).toBe("made");
    expect(calls()).toEqual(
      expect.arrayContaining([
        "args install --mode=update-lockfile",
        "YARN_IGNORE_PATH=1",
        "YARN_ENABLE_SCRIPTS=false",
      ]),
    );
    expect(readFileSync(join(folder, "settings"), "utf8")).toBe('{"nodeLinker":"node-modules"}\n');
  });

  it("takes the second way of its program where the first one fails", async () => {
    const calls = fake("poetry", 'case "$*" in *--no-update*) exit 1;; esac; echo "[[package]]" > poetry.lock');
    expect(await make("poetry.lock", { "pyproject.toml": "", "poetry.lock": "" })).toMatchObject({ status: "made" });
    expect(calls().filter((line) => line.startsWith("args "))).toHaveLength(2);
  });
});

describe("a lock file that cargo makes", () => {
  const hasCargo = spawnSync("cargo", ["--version"]).status === 0;

  it.runIf(hasCargo)("has the packages of the workspace, of which only the manifests are there", async () => {
    const crate = (name: string, more = ""): string =>
      `[package]\nname = "${name}"\nversion = "0.1.0"\nedition = "2021"\n${more}`;
    const made = await make("Cargo.lock", {
      "Cargo.toml": crate("root", '[workspace]\nmembers = ["inner"]\n[dependencies]\ninner = { path = "inner" }\n'),
      "Cargo.lock": 'version = 3\n\n[[package]]\nname = "root"\nversion = "0.1.0"\n',
      "src/lib.rs": "",
      "inner/Cargo.toml": crate("inner"),
      "inner/src/lib.rs": "",
    });
    expect(made).toMatchObject({ status: "made" });
    expect(made.status === "made" && made.content.toString()).toContain('name = "inner"');
  });
});

describe("the settings of a repository", () => {
  it("keep where packages come from, and lose what names programs or secrets", () => {
    const text =
      "registry=https://r.example/\n@a:registry = https://a.example/\nscript-shell=/tmp/x\ngit=/tmp/x\n//r.example/:_authToken=${NPM_TOKEN}\nregistry=https://${HOME}/\n";
    expect(tameSettings("a/.npmrc", text)).toBe("registry=https://r.example/\n@a:registry = https://a.example/\n");
    expect(tameSettings("package.json", text)).toBe(text);
  });

  it("and the environment of a program lets through what registries need only", () => {
    const given = { PATH: "p", HOME: "h", AWS_SECRET_ACCESS_KEY: "s", https_proxy: "x", NODE_OPTIONS: "--require=x" };
    expect(environmentFor(given, { UV_NO_PROGRESS: "1" })).toEqual({
      PATH: "p",
      HOME: "h",
      https_proxy: "x",
      UV_NO_PROGRESS: "1",
    });
  });
});

describe("a landing where both sides changed a lock file", () => {
  let test: TestVault;
  beforeEach(() => {
    test = openTestVault(folder);
  });
  afterEach(() => test.vault.close());

  const rules =
    (policy: Parameters<typeof completePolicy>[0] = {}): RulesSource =>
    async () => ({
      classes: completePolicy(policy),
      isVerified: false,
      lockFiles: { environment: environment(), limitMs: 60_000 },
    });

  const merge = async (trees: readonly TreeSpec[], given: RulesSource = rules()): Promise<TreeMerge> => {
    const [base = "", ours = "", theirs = ""] = test.commit(...trees);
    return mergeTrees(test.git, test.vault, { base, ours, theirs, rules: given });
  };

  const treeOf = async (dependencies: Readonly<Record<string, string>>, at = ""): Promise<TreeSpec> => {
    const text = manifest(dependencies);
    return { [`${at}package.json`]: text, [`${at}package-lock.json`]: await lockOf(text), "a.txt": "a\n" };
  };

  it("merges the manifest and has npm make the lock file from it, with a waiver that says so", async () => {
    const trees = [
      await treeOf({ one: "1.0.0" }, "web/"),
      await treeOf({ one: "1.0.0", two: "1.0.0" }, "web/"),
      await treeOf({ one: "1.0.0", three: "1.0.0" }, "web/"),
    ];
    const merged = await merge(trees);
    expect(merged).toMatchObject({
      status: "merged",
      resolved: expect.arrayContaining([
        { path: "web/package-lock.json", resolver: "lock-file", class: "D", drops: expect.anything() },
      ]),
      waivers: [{ path: "web/package-lock.json", by: "policy:lock-file" }],
    });
    const lock = merged.status === "merged" ? test.files(merged.tree)["web/package-lock.json"] : "";
    for (const name of ["one", "two", "three"]) expect(lock).toContain(`node_modules/${name}"`);
  });

  it("names in its waiver what theirs had locked by itself, and is proved with that only", async () => {
    const loose = (more: Readonly<Record<string, string>>): string => manifest({ one: "^1.0.0", ...more });
    const start = (await lockOf(manifest({ one: "1.0.0" }))).replace('"one": "1.0.0"', '"one": "^1.0.0"');
    const at = (text: string, lock: string): TreeSpec => ({ "package.json": text, "package-lock.json": lock });
    const trees = [
      at(loose({}), start),
      at(loose({ two: "1.0.0" }), await lockOf(loose({ two: "1.0.0" }), start)),
      at(loose({ three: "1.0.0" }), await lockOf(loose({ three: "1.0.0" }))),
    ];
    const merged = await merge(trees);
    if (merged.status !== "merged") throw new Error(merged.conflicts[0]?.message);
    const [base = "", ours = "", theirs = ""] = test.commit(...trees);
    const joined = { base, ours, theirs, result: merged.tree };
    const drops = new Map(merged.resolved.map(({ path, drops: own = [] }) => [path, own]));
    const allowance = { united: new Set<string>(), drops, by: "language" } as const;
    expect(await findLosses(test.git, test.vault, joined, allowance)).toEqual([]);
    expect(await findLosses(test.git, test.vault, joined)).toContainEqual(
      expect.objectContaining({ path: "package-lock.json" }),
    );
  });

  it("leaves it a conflict where the manifest is one, where it cannot be made, or where the rules ask", async () => {
    const base = await treeOf({ one: "1.0.0" });
    const [ours, theirs] = [
      await treeOf({ one: "1.0.0", two: "1.0.0" }),
      await treeOf({ one: "1.0.0", three: "1.0.0" }),
    ];
    const clash = { "package.json": manifest({ one: "1.1.0" }, { type: "module" }) };
    const other = { "package.json": manifest({ one: "1.1.0" }, { type: "commonjs" }) };
    const messages = async (trees: readonly TreeSpec[], given?: RulesSource): Promise<string[]> => {
      const merged = await merge(trees, given);
      return merged.status === "conflict" ? merged.conflicts.map(({ message }) => message) : [];
    };
    expect(await messages([base, { ...ours, ...clash }, { ...theirs, ...other }])).toContainEqual(
      expect.stringContaining("package.json, which it is made from, is in conflict too"),
    );
    expect(await messages([base, ours, theirs], rules({ D: "ask" }))).toEqual([
      expect.stringContaining("it merges by lock-file, but"),
    ]);
    fake("npm", "echo offline >&2; exit 1");
    expect(await messages([base, ours, theirs])).toEqual([
      expect.stringMatching(
        /could not be made anew: .*offline; npm install --package-lock-only --ignore-scripts makes it$/,
      ),
    ]);
  });
});
