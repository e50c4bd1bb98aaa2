import { parse } from "yaml";

import { asMap } from "./npm.ts";
import { nameOf, type LockProgram } from "./program.ts";

const FILES: ReadonlySet<string> = new Set(["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml", ".npmrc"]);

/** pnpm, for `pnpm-lock.yaml`. A file of hooks is code, and is not run: a lock file made with it is not made anew. */
export const PNPM: LockProgram = {
  program: "pnpm",
  command: "pnpm install --lockfile-only --ignore-scripts",
  attempts: () => [["install", "--lockfile-only", "--ignore-scripts", "--no-frozen-lockfile", "--ignore-pnpmfile"]],
  environment: { COREPACK_ENABLE_DOWNLOAD_PROMPT: "0", npm_config_update_notifier: "false" },
  needOf: (path) => {
    if (path.split("/").includes("node_modules")) return undefined;
    if (/^\.pnpmfile\.[cm]?js$/.test(path)) return "name";
    return FILES.has(nameOf(path)) ? "content" : undefined;
  },
  check: checkPnpmLock,
};

const TABLES = ["dependencies", "devDependencies", "optionalDependencies"];

function checkPnpmLock(text: string, files: ReadonlyMap<string, string>): string | undefined {
  if ([...files.keys()].some((path) => path.startsWith(".pnpmfile."))) return "it is made with the help of .pnpmfile";
  const lock = readYamlMap(text);
  if (lock === undefined) return "it is no YAML";
  const importers = asMap(lock["importers"]) ?? { ".": lock };
  for (const [folder, importer] of Object.entries(importers)) {
    const manifest = readYamlMap(files.get(folder === "." ? "package.json" : `${folder}/package.json`) ?? "");
    for (const table of TABLES) {
      const [asked, locked] = [asMap(manifest?.[table]) ?? {}, asMap(asMap(importer)?.[table]) ?? {}];
      const wrong = Object.entries(locked).find(([name, entry]) => !isAsked(asked[name], asMap(entry)?.["specifier"]));
      if (wrong !== undefined) return `it has another ${wrong[0]} than ${folder}/package.json`;
    }
  }
  return undefined;
}

function isAsked(asked: unknown, locked: unknown): boolean {
  return locked === undefined || asked === locked;
}

function readYamlMap(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asMap(parse(text, { logLevel: "silent" }));
  } catch {
    return undefined;
  }
}
