import { asMap, readMap } from "./npm.ts";
import { nameOf, type LockProgram } from "./program.ts";

const FILES: ReadonlySet<string> = new Set(["package.json", "yarn.lock", ".npmrc", ".yarnrc.yml"]);

/**
 * yarn, for `yarn.lock`: the old one and the new one know each other's lock files by their first lines. The program that
 * a repository may hold itself is code of that repository, and is not run.
 */
export const YARN: LockProgram = {
  program: "yarn",
  command: "yarn install",
  attempts: (start) =>
    isNewStyle(start)
      ? [["install", "--mode=update-lockfile"]]
      : [["install", "--ignore-scripts", "--non-interactive", "--no-progress", "--prefer-offline", "--ignore-engines"]],
  environment: {
    COREPACK_ENABLE_DOWNLOAD_PROMPT: "0",
    YARN_IGNORE_PATH: "1",
    YARN_ENABLE_SCRIPTS: "false",
    YARN_ENABLE_TELEMETRY: "false",
    YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
    YARN_PLUGINS: "",
  },
  needOf: (path) => (FILES.has(nameOf(path)) && !path.split("/").includes("node_modules") ? "content" : undefined),
  check: checkYarnLock,
};

function isNewStyle(start: string): boolean {
  return /^__metadata:/m.test(start);
}

/** Each range that the manifest asks for stands in the lock file as it is asked for. */
function checkYarnLock(lockFile: string, files: ReadonlyMap<string, string>): string | undefined {
  if (!/^(?:# |__metadata:)/.test(lockFile)) return "it is no lock file of yarn";
  const manifest = readMap(files.get("package.json") ?? "") ?? {};
  for (const table of ["dependencies", "devDependencies", "optionalDependencies"]) {
    for (const [name, range] of Object.entries(asMap(manifest[table]) ?? {})) {
      const isElsewhere = typeof range !== "string" || !/^[\^~\d<>=v]/.test(range) || isOverridden(manifest, name);
      if (isElsewhere || [`${name}@${range}`, `${name}@npm:${range}`].some((key) => lockFile.includes(key))) continue;
      return `it does not have ${name} ${range}`;
    }
  }
  return undefined;
}

function isOverridden(manifest: Readonly<Record<string, unknown>>, name: string): boolean {
  return Object.keys(asMap(manifest["resolutions"]) ?? {}).some((key) => key.includes(name));
}
