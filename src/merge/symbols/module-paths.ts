import type { Language } from "../language.ts";
import { folderOf } from "../path-names.ts";

const SCRIPT_ENDINGS = [".ts", ".tsx", ".mts", ".cts", ".d.ts", ".js", ".jsx", ".mjs", ".cjs"];
const SOURCE_OF: Readonly<Record<string, readonly string[]>> = {
  ".js": [".ts", ".tsx", ".js", ".jsx", ".d.ts"],
  ".jsx": [".tsx", ".jsx"],
  ".mjs": [".mts", ".mjs", ".d.mts"],
  ".cjs": [".cts", ".cjs", ".d.cts"],
};

/** Where a file may be that another one imports, and whether its name leaves no doubt that it is one of these. */
export interface ModulePaths {
  readonly paths: readonly string[];
  readonly isExact: boolean;
}

/**
 * The paths at which an import may find its file, the first one wins.
 *
 * @example
 * modulePaths("src/a.ts", "./b.js", "typescript").paths[0] // "src/b.ts"
 */
export function modulePaths(importer: string, from: string, language: Language): ModulePaths {
  switch (language) {
    case "typescript":
    case "tsx":
    case "javascript":
      return scriptPaths(importer, from);
    case "python":
      return pythonPaths(importer, from);
    case "rust":
      return rustPaths(importer, from);
    default:
      return { paths: [], isExact: false };
  }
}

function scriptPaths(importer: string, from: string): ModulePaths {
  if (/^\.{1,2}(\/|$)/.test(from)) {
    const path = joinPath(folderOf(importer), from);
    return path === undefined ? { paths: [], isExact: false } : { paths: scriptFiles(path), isExact: true };
  }
  const [, alias] = /^[@~]\/(.+)$/.exec(from) ?? [];
  const roots = ["", ...foldersAbove(importer)];
  const places = alias === undefined ? [from] : [`src/${alias}`, alias];
  const paths = places.flatMap((place) =>
    roots.flatMap((root) => scriptFiles(root === "" ? place : `${root}/${place}`)),
  );
  return { paths, isExact: false };
}

function scriptFiles(path: string): string[] {
  const [, stem = path, ending = ""] = /^(.*?)(\.[cm]?jsx?)$/.exec(path) ?? [];
  const written = SOURCE_OF[ending];
  if (written !== undefined) return written.map((one) => `${stem}${one}`);
  if (/\.(d\.)?[cm]?tsx?$|\.json$/.test(path)) return [path];
  const index = path === "" ? "index" : `${path}/index`;
  const whole = path === "" ? [] : [...SCRIPT_ENDINGS.map((one) => `${path}${one}`), `${path}.json`, path];
  return [...whole, ...SCRIPT_ENDINGS.map((one) => `${index}${one}`)];
}

function pythonPaths(importer: string, from: string): ModulePaths {
  const [, dots = "", name = ""] = /^(\.*)(.*)$/.exec(from) ?? [];
  const inner = name.replaceAll(".", "/");
  if (dots !== "") {
    let folder: string | undefined = folderOf(importer);
    for (let up = 1; up < dots.length; up += 1) folder = folder === "" ? undefined : folderOf(folder ?? "");
    if (folder === undefined) return { paths: [], isExact: false };
    return { paths: pythonFiles([folder, inner].filter((part) => part !== "").join("/")), isExact: true };
  }
  const roots = [...foldersAbove(importer), ""];
  const paths = [...roots, ...roots.map((root) => (root === "" ? "src" : `${root}/src`))].flatMap((root) =>
    pythonFiles(root === "" ? inner : `${root}/${inner}`),
  );
  return { paths, isExact: false };
}

function pythonFiles(path: string): string[] {
  return path === "" ? ["__init__.py"] : [`${path}.py`, `${path}/__init__.py`, `${path}.pyi`];
}

/** Where a submodule of a package is that `from package import name` may mean. */
export function submodulePaths(packagePath: string, name: string): string[] {
  return packagePath.endsWith("__init__.py")
    ? pythonFiles([folderOf(packagePath), name].filter((part) => part !== "").join("/"))
    : [];
}

function rustPaths(importer: string, from: string): ModulePaths {
  const [, root] = /^(.*?(?:^|\/)src)\//.exec(importer) ?? [];
  const names = from.split("::").filter((name) => name !== "");
  if (root === undefined || !/^(crate|self|super)$/.test(names[0] ?? "")) return { paths: [], isExact: false };
  const inside = importer
    .slice(root.length + 1)
    .replace(/\.rs$/, "")
    .replace(/(^|\/)(mod|lib|main)$/, "");
  const own = inside === "" ? [] : inside.split("/");
  let place = names[0] === "crate" ? [] : own;
  let index = names[0] === "super" ? 0 : 1;
  for (; names[index] === "super"; index += 1) place = place.slice(0, -1);
  const module = [...place, ...names.slice(index)];
  const path = [root, ...module].join("/");
  return {
    paths: module.length === 0 ? [`${root}/lib.rs`, `${root}/main.rs`] : [`${path}.rs`, `${path}/mod.rs`],
    isExact: true,
  };
}

/** @returns nothing for a path that leads out */
function joinPath(folder: string, from: string): string | undefined {
  const parts = folder === "" ? [] : folder.split("/");
  for (const part of from.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let folder = folderOf(path); folder !== ""; folder = folderOf(folder)) folders.push(folder);
  return folders;
}
