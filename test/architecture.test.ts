import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const SOURCE = resolve(import.meta.dirname, "../src");

/** What each folder may import. Whatever is not named here is not allowed; the order is from the ground up. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  engine: ["base"],
  process: ["base"],
  git: ["base", "process"],
  store: ["base", "engine"],
  agents: ["base", "engine", "process"],
  workflows: ["base", "engine"],
  workspaces: ["base", "git", "process", "store"],
  merge: [],
  grammars: ["base", "merge"],
  landing: ["base", "process", "git", "merge", "grammars", "workspaces"],
  triggers: ["base", "engine", "process", "git", "store"],
  protocol: ["base", "engine", "workflows"],
  notify: ["base", "process"],
  daemon: [
    "base",
    "engine",
    "process",
    "git",
    "store",
    "agents",
    "notify",
    "workflows",
    "workspaces",
    "landing",
    "triggers",
    "protocol",
  ],
  sdk: ["base", "process", "git", "workflows", "protocol"],
  mcp: ["base", "workflows", "protocol", "sdk"],
  cli: ["base", "engine", "merge", "grammars", "protocol", "sdk"],
  index: ["base", "protocol", "sdk", "workflows"],
};

/** What a client loads must stay small: these are for the daemon, and for types. */
const HEAVY = /^(protocol\/(commands|views)|workflows\/)/;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function sourceFiles(): string[] {
  return readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
}

function importsOf(path: string): Import[] {
  const text = readFileSync(join(SOURCE, path), "utf8");
  const statements = [
    ...text.matchAll(/^(import|export)\s+(type\s+)?([^"';]*?)\s*from\s+"([^"]+)"/gm),
    ...text.matchAll(/^(import)\s+()()"([^"]+)"/gm),
    ...text.matchAll(/\b(import)\(()()"([^"]+)"\)/g),
  ];
  return statements.flatMap(([, , typeWord, names = "", target = ""]) => {
    if (!target.startsWith(".")) return [];
    const to = relative(SOURCE, resolve(SOURCE, dirname(path), target));
    const onlyTypes =
      /^\{.*\}$/s.test(names) &&
      names
        .slice(1, -1)
        .split(",")
        .every((name) => /^\s*(type\s|$)/.test(name));
    return [{ from: path, to, typeOnly: typeWord !== undefined && typeWord !== "" ? true : onlyTypes }];
  });
}

function folderOf(path: string): string {
  const [first = ""] = path.split("/");
  return first.replace(/\.ts$/, "");
}

const files = sourceFiles();
const imports = files.flatMap(importsOf).filter((one) => !one.to.startsWith(".."));

describe("the architecture", () => {
  it("is read at all", () => {
    expect(files.length).toBeGreaterThan(80);
    expect(imports.length).toBeGreaterThan(300);
  });

  it("knows every folder", () => {
    expect([...new Set(files.map(folderOf))].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
  });

  it("depends downward only", () => {
    const upward = imports.filter(({ from, to }) => {
      const [importer, imported] = [folderOf(from), folderOf(to)];
      return importer !== imported && MAY_IMPORT[importer]?.includes(imported) !== true;
    });
    expect(upward.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it("allows no import that its own order would make circular", () => {
    const order = Object.keys(MAY_IMPORT);
    const circular = order.flatMap((folder, index) =>
      (MAY_IMPORT[folder] ?? [])
        .filter((other) => order.indexOf(other) >= index)
        .map((other) => `${folder} → ${other}`),
    );
    expect(circular).toEqual([]);
  });

  it("grants no permission that nobody uses", () => {
    const used = new Set(imports.map(({ from, to }) => `${folderOf(from)} → ${folderOf(to)}`));
    const unused = Object.entries(MAY_IMPORT).flatMap(([folder, others]) =>
      others.map((other) => `${folder} → ${other}`).filter((edge) => !used.has(edge)),
    );
    expect(unused).toEqual([]);
  });

  it("keeps schemas and parsers out of what a client loads", () => {
    const heavy = imports.filter(
      ({ from, to, typeOnly }) => /^(sdk|cli|index)/.test(from) && HEAVY.test(to) && !typeOnly,
    );
    expect(heavy.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it("starts programs in process/ only, holds SQL in store/ only, and reads the clock in base/ only", () => {
    const offenders = files.flatMap((path) => {
      const text = readFileSync(join(SOURCE, path), "utf8");
      const folder = folderOf(path);
      return [
        ...(folder !== "process" && text.includes('"node:child_process"') ? [`${path} starts programs`] : []),
        ...(folder !== "store" && /"(select|insert into|update|delete from) /i.test(text) ? [`${path} holds SQL`] : []),
        ...(folder !== "base" &&
        /\b(Date\.now|performance\.now|process\.hrtime)\b|(?<![.\w])(setTimeout|setInterval)\b/.test(text)
          ? [`${path} reads the clock`]
          : []),
        ...(folder !== "base" && /\b(Math\.random|randomUUID|randomBytes\()/.test(text)
          ? [`${path} makes randomness`]
          : []),
      ];
    });
    expect(offenders).toEqual([]);
  });
});
