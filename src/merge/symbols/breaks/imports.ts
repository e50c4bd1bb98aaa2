import { folderOf } from "../../path-names.ts";
import { modulePaths, submodulePaths } from "../module-paths.ts";
import type { ImportBinding, SymbolTable } from "../symbol-table.ts";
import type { Place, World } from "../world.ts";
import { placeOf, type Break, type Worlds } from "./break.ts";

/** Imports of files that are not there, and of names that their file does not give. */
export function findBrokenImports(world: World, worlds: Worlds): Break[] {
  const breaks: Break[] = [];
  for (const [path, table] of world.tables) {
    for (const binding of table.imports) {
      const found =
        findMissingModule(world, worlds, path, table, binding) ?? findMissingName(world, worlds, path, binding);
      if (found !== undefined) breaks.push(found);
    }
    breaks.push(...findMissingParts(world, worlds, path, table));
  }
  return breaks;
}

/** `module.name`, where the module is imported as a whole and does not give the name. */
function findMissingParts(world: World, worlds: Worlds, path: string, table: SymbolTable): Break[] {
  const modules = new Set(table.imports.map(({ local }) => local));
  const bound = new Set(table.bound);
  return table.references.flatMap((reference): Break[] => {
    const { object, name, line } = reference;
    if (object === undefined || !modules.has(object) || bound.has(object)) return [];
    const found = world.resolve(path, reference);
    if (found.places.length > 0 || found.isOpen) return [];
    const before = [worlds.base, worlds.ours, worlds.theirs].flatMap((one) => one.resolve(path, reference).places)[0];
    if (before === undefined) return [];
    return [
      {
        key: `missing-definition ${path} ${object}.${name}`,
        hit: {
          kind: "missing-definition",
          symbol: name,
          definedIn: placeOf(before.path, before.definition.line),
          usedIn: placeOf(path, line),
          message: `${path} uses ${object}.${name}, which one side removed or renamed`,
          isCertain: !table.isPartial,
        },
      },
    ];
  });
}

function findMissingModule(
  world: World,
  worlds: Worlds,
  path: string,
  table: SymbolTable,
  { from, imported, line }: ImportBinding,
): Break | undefined {
  const { paths } = modulePaths(path, from, table.language);
  const module = paths.find((one) => world.has(one));
  const places = module === undefined ? paths : missingSubmodule(world, table, module, imported);
  const gone = places.find((one) => world.isChanged(one) && isAnywhere(worlds, one));
  // A package without a file of its own has nothing that could be missing.
  if (gone === undefined || places.some((one) => world.has(one))) return undefined;
  if (module === undefined && table.language === "rust") return undefined;
  return {
    key: `missing-module ${path} ${from} ${places === paths ? "" : imported}`,
    hit: {
      kind: "missing-module",
      symbol: gone,
      definedIn: gone,
      usedIn: placeOf(path, line),
      message: `${path} imports ${gone}, which one side moved or removed`,
      isCertain: !table.isPartial,
    },
  };
}

/** `from package import name`, where the name was a file of the package. */
function missingSubmodule(world: World, { language }: SymbolTable, module: string, imported: string): string[] {
  if (language !== "python" || imported === "*") return [];
  const found = world.exported(module, imported);
  return found.places.length > 0 || folderOf(module) === "" ? [] : submodulePaths(module, imported);
}

function isAnywhere({ base, ours, theirs }: Worlds, path: string): boolean {
  return [base, ours, theirs].some((world) => world.has(path));
}

function findMissingName(world: World, worlds: Worlds, path: string, binding: ImportBinding): Break | undefined {
  const { from, imported, line } = binding;
  const module = imported === "*" ? undefined : world.moduleOf(path, from);
  if (module === undefined || !world.isChanged(module)) return undefined;
  const found = world.exported(module, imported);
  if (found.places.length > 0 || found.isOpen) return undefined;
  const before = definedBefore(worlds, module, imported);
  if (before === undefined) return undefined;
  const name = imported === "default" ? "a default export" : imported;
  return {
    key: `missing-definition ${path} ${module} ${imported}`,
    hit: {
      kind: "missing-definition",
      symbol: imported === "default" ? before.definition.name : imported,
      definedIn: placeOf(before.path, before.definition.line),
      usedIn: placeOf(path, line),
      message: `${path} imports ${name} from ${module}, where one side removed or renamed it`,
      isCertain: world.tables.get(path)?.isPartial === false,
    },
  };
}

function definedBefore({ base, ours, theirs }: Worlds, module: string, name: string): Place | undefined {
  return [base, ours, theirs].flatMap((world) => world.exported(module, name).places)[0];
}
