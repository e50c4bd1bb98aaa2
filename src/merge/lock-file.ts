/** The programs that own lock files. */
export type LockFileOwner = "npm" | "pnpm" | "yarn" | "cargo" | "go" | "poetry" | "uv";

const OWNERS: Readonly<Record<string, LockFileOwner>> = {
  "package-lock.json": "npm",
  "npm-shrinkwrap.json": "npm",
  "pnpm-lock.yaml": "pnpm",
  "yarn.lock": "yarn",
  "Cargo.lock": "cargo",
  "go.sum": "go",
  "poetry.lock": "poetry",
  "uv.lock": "uv",
};

/**
 * The program that makes a file anew from its manifest; such a file is never merged as text.
 *
 * @example
 * lockFileOwner("web/package-lock.json") // "npm"
 */
export function lockFileOwner(path: string): LockFileOwner | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return Object.hasOwn(OWNERS, name) ? OWNERS[name] : undefined;
}
