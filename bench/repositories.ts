import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { seeded } from "./random.ts";

const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.org",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.org",
  LC_ALL: "C",
};

/** Runs git as a person would, and returns what it prints. */
export function git(folder: string, ...args: string[]): string {
  return execFileSync("git", args, {
    cwd: folder,
    encoding: "utf8",
    env: ENVIRONMENT,
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 256 * 2 ** 20,
  }).replace(/\n$/, "");
}

/** A repository with one commit of these files. */
export function makeRepository(root: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(root, { recursive: true });
  git(root, "init", "--quiet", "--initial-branch=main");
  writeFiles(root, files);
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "-m", "first");
  return root;
}

/** Writes files below a folder. */
export function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** A clone of this project's own repository: a real one, with its history. */
export function cloneOwnRepository(root: string): string {
  git(resolve("."), "clone", "--quiet", "--no-hardlinks", resolve("."), root);
  // Wherever the original's HEAD stands.
  git(root, "checkout", "--quiet", "-B", "main");
  return root;
}

const FILES_PER_FOLDER = 12;

/** So many source-like files, from one to six kilobytes, in a tree of folders as real projects have it. */
export function manyFiles(count: number): Record<string, string> {
  const random = seeded(20_26);
  const files: Record<string, string> = {};
  for (let index = 0; index < count; index += 1) {
    const folder = Math.floor(index / FILES_PER_FOLDER);
    const path = `packages/p${Math.floor(folder / 40)}/src/m${folder % 40}/file${index}.ts`;
    const lines = 20 + random.below(120);
    let text = `// file ${index}\n`;
    for (let line = 0; line < lines; line += 1) {
      text += `export const value${line} = ${random.below(1_000_000)} + other${random.below(100)};\n`;
    }
    files[path] = text;
  }
  return files;
}

const [SOURCES, FOLDERS, DEPENDENCIES, DEPENDENCY_FOLDERS] = [9_347, 3_356, 38_907, 3_905];

/** A tree of 48,000 files, as that of the reference: tracked sources, and dependencies that are ignored. */
export function makeTree(root: string): string {
  const fill = (count: number, folders: number, pathOf: (folder: number, index: number) => string): void => {
    for (let index = 0; index < count; index += 1) {
      const path = join(root, pathOf(index % folders, Math.floor(index / folders)));
      if (index < folders) mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `export const value = ${index};\n`);
    }
  };
  fill(SOURCES, FOLDERS, (folder, index) => {
    const [packageNumber, module] = [folder % 80, Math.floor(folder / 80)];
    return `packages/p${packageNumber}/src/m${module}/file-${index === 0 ? module : `${module}-${index}`}.ts`;
  });
  fill(DEPENDENCIES, DEPENDENCY_FOLDERS, (folder, index) => `node_modules/package${folder}/file${index}.js`);
  writeFileSync(join(root, ".gitignore"), "node_modules\n");
  git(root, "init", "--quiet", "--initial-branch=main");
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "-m", "first");
  return root;
}
