import { folderOf } from "../../path-names.ts";
import { pathOf, type Definition, type SymbolTable } from "../symbol-table.ts";
import type { World } from "../world.ts";
import { placeOf, type Break } from "./break.ts";

/** File names that are for one system only, or that are built by themselves. */
const FOR_ONE_SYSTEM =
  /_(aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|wasip1|windows|unix|386|amd64|arm|arm64|wasm|riscv64|s390x|ppc64|ppc64le|mips\w*)\.go$/;

/** Names that are defined twice where they may be once. */
export function findDuplicates(world: World): Break[] {
  const breaks: Break[] = [];
  for (const [path, table] of world.tables) {
    if (table.isPartial) continue;
    const first = new Map<string, Definition>();
    for (const definition of table.definitions) {
      if (!isSole(definition)) continue;
      const key = keyOf(table, definition);
      const other = first.get(key);
      if (other === undefined) first.set(key, definition);
      else breaks.push(duplicateOf(definition, [path, other.line], [path, definition.line], key));
    }
  }
  return [...breaks, ...findInPackages(world), ...findInBarrels(world)];
}

function isSole({ kind, isDecorated, isOverloadable }: Definition): boolean {
  return isDecorated !== true && isOverloadable !== true && kind !== "namespace" && kind !== "implementation";
}

function keyOf({ language }: SymbolTable, definition: Definition): string {
  const isType =
    ["interface", "type"].includes(definition.kind) ||
    (language === "rust" && ["class", "enum"].includes(definition.kind));
  const parameters =
    language === "java" && definition.kind === "method"
      ? definition.signature?.parameters.map(({ type }) => type).join()
      : undefined;
  const space = language === "java" && parameters === undefined ? definition.kind : isType ? "type" : "value";
  return `${space} ${pathOf(definition)} ${parameters ?? ""}`;
}

function duplicateOf(
  definition: Definition,
  first: readonly [path: string, line: number],
  second: readonly [path: string, line: number],
  key: string,
): Break {
  const [one, other] = [placeOf(...first), placeOf(...second)];
  const where = first[0] === second[0] ? `twice in ${first[0]}` : `in ${first[0]} and in ${second[0]}`;
  return {
    key: `duplicate ${first[0]} ${second[0]} ${key}`,
    hit: {
      kind: "duplicate",
      symbol: pathOf(definition),
      definedIn: one,
      usedIn: other,
      message: `${pathOf(definition)} is defined ${where}`,
      isCertain: true,
    },
  };
}

/** A Go package is one scope for all of its files. */
function findInPackages(world: World): Break[] {
  const first = new Map<string, readonly [string, Definition]>();
  const breaks: Break[] = [];
  for (const [path, table] of world.tables) {
    if (table.language !== "go" || table.isPartial || FOR_ONE_SYSTEM.test(path)) continue;
    for (const definition of table.definitions.filter(isSole)) {
      const key = `${folderOf(path)} ${table.unit} ${pathOf(definition)}`;
      const other = first.get(key);
      if (other === undefined) first.set(key, [path, definition]);
      else if (other[0] !== path)
        breaks.push(duplicateOf(definition, [other[0], other[1].line], [path, definition.line], key));
    }
  }
  return breaks;
}

/** A file that gives all of several files, where two of them give one name. */
function findInBarrels(world: World): Break[] {
  const breaks: Break[] = [];
  for (const [path, table] of world.tables) {
    const sources = table.exports.filter(({ name, from }) => name === "*" && from !== undefined);
    if (sources.length < 2 || table.language === "javascript") continue;
    const named = new Set(table.exports.map(({ name }) => name));
    const first = new Map<string, readonly [string, Definition]>();
    for (const source of sources) {
      const module = world.moduleOf(path, source.from ?? "");
      for (const definition of world.tables.get(module ?? "")?.definitions ?? []) {
        if (definition.scope !== "" || !definition.isExported || module === undefined || named.has(definition.name))
          continue;
        const other = first.get(definition.name);
        if (other === undefined) first.set(definition.name, [module, definition]);
        else if (other[0] !== module)
          breaks.push(
            duplicateOf(
              definition,
              [other[0], other[1].line],
              [module, definition.line],
              `barrel ${path} ${definition.name}`,
            ),
          );
      }
    }
  }
  return breaks;
}
