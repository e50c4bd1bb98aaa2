import { folderOf } from "../../path-names.ts";
import type { Language } from "../../language.ts";
import type { SymbolTable } from "../symbol-table.ts";
import type { World } from "../world.ts";
import { placeOf, type Break, type Worlds } from "./break.ts";

/** Names that every file has without a definition of its own; a file may define them again, and stop doing so. */
const GIVEN = new Set([
  ...["Immediate", "Interval", "Timeout"].flatMap((what) => [`set${what}`, `clear${what}`]),
  ...`AbortController AbortSignal Array BigInt Blob Boolean Buffer Date Error Event EventTarget File FormData Function Headers
  Infinity Intl JSON Map Math NaN Number Object Promise Proxy Reflect RegExp Request Response Set String Symbol TextDecoder
  TextEncoder URL URLSearchParams WeakMap WeakSet WebSocket Worker alert atob btoa confirm console
  crypto describe document expect fetch global globalThis history it location module name navigator performance process
  prompt queueMicrotask require self status structuredClone test undefined window
  abs all any ascii bin bool bytes callable chr compile complex copyright credits delattr dict dir divmod enumerate eval
  exec exit filter float format frozenset getattr globals hasattr hash help hex id input int isinstance issubclass iter len
  license list locals map max memoryview min next object oct open ord pow print property quit range repr reversed round set
  setattr slice sorted staticmethod str sum super tuple type vars zip append cap clear close copy delete make new panic
  recover error string`.split(/\s+/),
]);

/** Names that stand alone and that nothing in reach defines any more. */
export function findDanglingNames(world: World, worlds: Worlds): Break[] {
  const breaks: Break[] = [];
  for (const [path, table] of world.tables) {
    if (table.isPartial || table.wildcards.length > 0) continue;
    const before = namesBefore(worlds, path, table);
    const own = ownNames(table);
    const told = new Set<string>();
    for (const { name, object, line, scope, isLoose } of table.references) {
      const defined = before.get(name);
      if (object !== undefined || isLoose === true || defined === undefined) continue;
      if (isOwn(own, name, scope) || GIVEN.has(name) || told.has(name) || isBeside(world, path, table, name)) continue;
      told.add(name);
      breaks.push({
        key: `dangling ${path} ${name}`,
        hit: {
          kind: "missing-definition",
          symbol: name,
          definedIn: defined === "local" ? path : placeOf(path, defined),
          usedIn: placeOf(path, line),
          message: `${path} uses ${name}, which one side removed or renamed in it`,
          isCertain: true,
        },
      });
    }
  }
  return breaks;
}

/** What had a meaning anywhere in the file in any version, with its line if that was at the top. */
function namesBefore(
  { base, ours, theirs }: Worlds,
  path: string,
  { language }: SymbolTable,
): Map<string, number | "local"> {
  const tables = [theirs, ours, base].map((world) => world.tables.get(path));
  const names = new Map<string, number | "local">(
    tables.flatMap((table) => (table?.bound ?? []).map((name) => [name, "local"])),
  );
  for (const table of tables) {
    for (const { local, line } of table?.imports ?? []) names.set(local, line);
    if (language === "java") continue;
    for (const { name, scope, line } of table?.definitions ?? []) if (scope === "") names.set(name, line);
  }
  return names;
}

/** What a file gives a meaning outside of functions: the scopes in which each name has it. */
type OwnNames = ReadonlyMap<string, readonly string[]>;

function ownNames({ language, definitions, imports, boundAtTop }: SymbolTable): OwnNames {
  const own = new Map<string, string[]>();
  const add = (name: string, scope: string): void => {
    const scopes = own.get(name);
    if (scopes === undefined) own.set(name, [scope]);
    else scopes.push(scope);
  };
  for (const name of boundAtTop) add(name, "");
  for (const { local } of imports) add(local, "");
  for (const { name, scope } of definitions) add(name, hasPlainScopes(language) ? scope : "");
  return own;
}

/** Whether a member is never meant by its name alone outside of its owner. */
function hasPlainScopes(language: Language): boolean {
  return language === "python" || language === "typescript" || language === "tsx" || language === "javascript";
}

function isOwn(own: OwnNames, name: string, scope: string): boolean {
  return own.get(name)?.some((one) => one === "" || one === scope || scope.startsWith(`${one}.`)) === true;
}

/** Whether another file of a Go package has it. */
function isBeside(world: World, path: string, table: SymbolTable, name: string): boolean {
  if (table.language !== "go") return false;
  return [...world.tables].some(
    ([other, { unit, definitions }]) =>
      unit === table.unit &&
      folderOf(other) === folderOf(path) &&
      definitions.some((one) => one.scope === "" && one.name === name),
  );
}
