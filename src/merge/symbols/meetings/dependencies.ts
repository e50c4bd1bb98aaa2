import { folderOf } from "../../path-names.ts";
import { placeOf } from "../breaks/break.ts";
import type { Changes, FileVersions, VersionName } from "../file-versions.ts";
import type { SemanticHit } from "../semantic-hit.ts";

const TABLES = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"] as const;
const MANIFEST = /(^|\/)package\.json$/;
const SCRIPT = /\.[cm]?[jt]sx?$/;

/** Finds imports of a package that one side added while the other side took it out of `package.json`. */
export function findLostDependencies({ files }: Changes): SemanticHit[] {
  const manifests = files.filter(({ path }) => MANIFEST.test(path));
  return manifests.flatMap((manifest) => {
    const removed = removedFrom(manifest);
    if (removed.size === 0) return [];
    const folder = folderOf(manifest.path);
    const users = files.filter(({ path }) => SCRIPT.test(path) && (folder === "" || path.startsWith(`${folder}/`)));
    return users.flatMap((file) => lostIn(file, manifest, removed));
  });
}

function lostIn(file: FileVersions, manifest: FileVersions, removed: ReadonlyMap<string, VersionName>): SemanticHit[] {
  const known = new Set((file.base?.table?.imports ?? []).map(({ from }) => packageOf(from)));
  const isNested =
    folderOf(manifest.path) === "" && /^(packages|apps|libs|modules|services|examples)\//.test(file.path);
  return (file.merged?.table?.imports ?? []).flatMap(({ from, line }): SemanticHit[] => {
    const name = packageOf(from);
    const remover = removed.get(name);
    if (remover === undefined || known.has(name)) return [];
    const isAddedByOther = remover === "ours" ? has(file.theirs, name) : has(file.ours, name);
    if (!isAddedByOther) return [];
    return [
      {
        kind: "dependency",
        symbol: name,
        definedIn: manifest.path,
        usedIn: placeOf(file.path, line),
        message: `${file.path} imports ${name}, which one side took out of ${manifest.path}`,
        isCertain: !isNested,
      },
    ];
  });
}

function has(state: FileVersions["ours"], name: string): boolean {
  return state?.table?.imports.some(({ from }) => packageOf(from) === name) === true;
}

/** The packages that are gone, and who took them out. */
function removedFrom({ base, ours, theirs, merged }: FileVersions): Map<string, VersionName> {
  const [before, own, other, now] = [base, ours, theirs, merged].map((state) => dependenciesIn(state?.text));
  const removed = new Map<string, VersionName>();
  if (before === undefined || now === undefined) return removed;
  for (const name of before) {
    if (now.has(name)) continue;
    removed.set(name, own?.has(name) === true && other?.has(name) === false ? "theirs" : "ours");
  }
  return removed;
}

function dependenciesIn(text: string | undefined): Set<string> | undefined {
  if (text === undefined) return undefined;
  try {
    const manifest: unknown = JSON.parse(text);
    if (typeof manifest !== "object" || manifest === null) return undefined;
    return new Set(
      TABLES.flatMap((table) => Object.keys((manifest as Record<string, object | undefined>)[table] ?? {})),
    );
  } catch {
    return undefined;
  }
}

/** `@scope/name/part` → `@scope/name`; nothing of a file's own or of Node's. */
function packageOf(from: string): string {
  if (/^[./]|^node:/.test(from)) return "";
  return from
    .split("/")
    .slice(0, from.startsWith("@") ? 2 : 1)
    .join("/");
}
