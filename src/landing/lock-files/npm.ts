import { nameOf, type LockProgram } from "./program.ts";

const FLAGS = ["--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"];
const FILES: ReadonlySet<string> = new Set(["package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc"]);

/** npm, for `package-lock.json` and `npm-shrinkwrap.json`. */
export const NPM: LockProgram = {
  program: "npm",
  command: "npm install --package-lock-only --ignore-scripts",
  attempts: (start) => {
    const version = lockVersionOf(start);
    return [
      ["install", ...FLAGS, "--prefer-offline", ...(version === undefined ? [] : [`--lockfile-version=${version}`])],
    ];
  },
  environment: { npm_config_update_notifier: "false" },
  needOf: (path) => (FILES.has(nameOf(path)) && !path.split("/").includes("node_modules") ? "content" : undefined),
  check: checkPackageLock,
};

function lockVersionOf(text: string): number | undefined {
  const lock = readMap(text);
  const version = lock?.["lockfileVersion"];
  return version === 1 || version === 2 || version === 3 ? version : undefined;
}

const TABLES = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/** A lock file names, for each package of the repository, what its manifest asks for. */
function checkPackageLock(text: string, files: ReadonlyMap<string, string>): string | undefined {
  const lock = readMap(text);
  if (lock === undefined) return "it is no JSON";
  const packages = asMap(lock["packages"]);
  if (packages === undefined) return asMap(lock["dependencies"]) === undefined ? "it names no packages" : undefined;
  for (const [folder, entry] of Object.entries(packages)) {
    if (folder.includes("node_modules")) continue;
    const manifest = readMap(files.get(folder === "" ? "package.json" : `${folder}/package.json`) ?? "");
    const wrong = manifest && TABLES.find((table) => !isLocked(manifest, asMap(entry) ?? {}, table));
    if (wrong !== undefined) return `it does not have the ${wrong} of ${folder === "" ? "package.json" : folder}`;
  }
  return Object.hasOwn(packages, "") ? undefined : "it does not name the package itself";
}

type Json = Readonly<Record<string, unknown>>;

// What is optional may stand among the optional ones only.
function isLocked(manifest: Json, entry: Json, table: string): boolean {
  const [asked, locked] = [asMap(manifest[table]) ?? {}, asMap(entry[table]) ?? {}];
  const optional = asMap(manifest["optionalDependencies"]) ?? {};
  return (
    Object.entries(locked).every(([name, range]) => asked[name] === range) &&
    Object.entries(asked).every(([name, range]) => locked[name] === range || Object.hasOwn(optional, name))
  );
}

/** Reads JSON that is a map. */
export function readMap(text: string): Json | undefined {
  try {
    return asMap(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A value as a map, where it is one. */
export function asMap(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
