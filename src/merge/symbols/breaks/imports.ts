import { folderOf } from "../../path-names.ts";
import { modulePaths, submodulePaths } from "../module-paths.ts";
import type { ImportBinding, Reference, SymbolTable } from "../symbol-table.ts";
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
  const modules = new Map(table.imports.map((binding) => [binding.local, binding]));
  const bound = new Set(table.bound);
  return table.references.flatMap((reference): Break[] => {
    const { object, name, line } = reference;
    const binding = object === undefined || bound.has(object) ? undefined : modules.get(object);
    if (binding === undefined) return [];
    const found = world.resolve(path, reference);
    if (found.places.length > 0 || found.isOpen) return [];
    const before = resolvedBefore(worlds, path, reference) ?? givenByWhole(world, worlds, path, binding, name);
    if (before === undefined) return [];
    return [
      {
        key: `missing-definition ${path} ${object}.${name}`,
        hit: {
          kind: "missing-definition",
          symbol: name,
          definedIn: before.place,
          usedIn: placeOf(path, line),
          message: `${path} uses ${object}.${name}, which one side removed or renamed`,
          isCertain: !table.isPartial,
        },
      },
    ];
  });
}

/** What was under a name, and where. */
interface Given {
  readonly symbol: string;
  readonly place: string;
}

function resolvedBefore({ base, ours, theirs }: Worlds, path: string, reference: Reference): Given | undefined {
  return givenAt([base, ours, theirs].flatMap((one) => one.resolve(path, reference).places)[0]);
}

function givenAt(found: Place | undefined): Given | undefined {
  return found && { symbol: found.definition.name, place: placeOf(found.path, found.definition.line) };
}

function givenByWhole(
  world: World,
  worlds: Worlds,
  path: string,
  { from, imported }: ImportBinding,
  name: string,
): Given | undefined {
  const module = imported === "*" ? world.moduleOf(path, from) : undefined;
  return module === undefined ? undefined : givenBefore(worlds, module, name);
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
  const before = givenBefore(worlds, module, imported);
  if (before === undefined) return undefined;
  const name = imported === "default" ? "a default export" : imported;
  return {
    key: `missing-definition ${path} ${module} ${imported}`,
    hit: {
      kind: "missing-definition",
      symbol: imported === "default" ? before.symbol : imported,
      definedIn: before.place,
      usedIn: placeOf(path, line),
      message: `${path} imports ${name} from ${module}, where one side removed or renamed it`,
      isCertain: world.tables.get(path)?.isPartial === false,
    },
  };
}

/** Where a file had what it gave under a name. What it passed on may be defined in a file that nobody changed. */
function givenBefore({ base, ours, theirs }: Worlds, module: string, name: string): Given | undefined {
  const versions = [base, ours, theirs];
  const defined = givenAt(versions.flatMap((world) => world.exported(module, name).places)[0]);
  if (defined !== undefined) return defined;
  const isPassedOn = versions.some((world) => passesOn(world.tables.get(module), name));
  return isPassedOn ? { symbol: name, place: module } : undefined;
}

function passesOn(table: SymbolTable | undefined, name: string): boolean {
  if (table === undefined) return false;
  const isImported = table.language === "python" && table.imports.some(({ local }) => local === name);
  return isImported || table.exports.some((one) => one.name === name);
}
