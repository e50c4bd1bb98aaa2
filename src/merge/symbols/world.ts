import { folderOf } from "../path-names.ts";
import type { Changes, VersionName } from "./file-versions.ts";
import { modulePaths, submodulePaths } from "./module-paths.ts";
import { pathOf, type Definition, type ImportBinding, type Reference, type SymbolTable } from "./symbol-table.ts";

/** A definition, and the file it is in. */
export interface Place {
  readonly path: string;
  readonly definition: Definition;
}

/** What a name stands for, as far as the changed files tell. */
export interface Found {
  readonly places: readonly Place[];
  /** Whether it may be, or be something else, where nobody looks. */
  readonly isOpen: boolean;
}

const NOTHING: Found = { places: [], isOpen: false };
const UNKNOWN: Found = { places: [], isOpen: true };
const DEEPEST = 8;

/** The changed files as they are in one version, and what names in them stand for. */
export class World {
  readonly #tables = new Map<string, SymbolTable>();
  readonly #paths = new Set<string>();
  readonly #elsewhere: ReadonlySet<string>;
  readonly #changed: ReadonlySet<string>;
  readonly #byFolder = new Map<string, string[]>();
  readonly #definitions = new Map<string, ReadonlyMap<string, readonly Definition[]>>();

  constructor({ files, elsewhere }: Changes, version: VersionName) {
    this.#elsewhere = elsewhere;
    this.#changed = new Set(files.map(({ path }) => path));
    for (const file of files) {
      const state = file[version];
      if (state === undefined) continue;
      this.#paths.add(file.path);
      if (state.table === undefined) continue;
      this.#tables.set(file.path, state.table);
      const folder = folderOf(file.path);
      const beside = this.#byFolder.get(folder);
      if (beside === undefined) this.#byFolder.set(folder, [file.path]);
      else beside.push(file.path);
    }
  }

  /** The changed files of this version that are source. */
  get tables(): ReadonlyMap<string, SymbolTable> {
    return this.#tables;
  }

  has(path: string): boolean {
    return this.#paths.has(path) || this.#elsewhere.has(path);
  }

  isChanged(path: string): boolean {
    return this.#changed.has(path);
  }

  /** The definitions of a file by their whole name. */
  definitionsIn(path: string): ReadonlyMap<string, readonly Definition[]> {
    const known = this.#definitions.get(path);
    if (known !== undefined) return known;
    const byName = new Map<string, Definition[]>();
    for (const one of this.#tables.get(path)?.definitions ?? []) {
      const name = pathOf(one);
      const list = byName.get(name);
      if (list === undefined) byName.set(name, [one]);
      else list.push(one);
    }
    this.#definitions.set(path, byName);
    return byName;
  }

  /** The file that an import is of; nothing where nobody can tell. */
  moduleOf(importer: string, from: string): string | undefined {
    const table = this.#tables.get(importer);
    if (table === undefined) return undefined;
    if (table.language === "java") return this.#javaFile(from);
    return modulePaths(importer, from, table.language).paths.find((path) => this.has(path));
  }

  /** What a file gives to others under a name. */
  exported(path: string, name: string, depth = 0): Found {
    const table = this.#tables.get(path);
    if (table === undefined || depth > DEEPEST) return UNKNOWN;
    if (name === "*") return UNKNOWN;
    const isScript = /script|tsx/.test(table.language);
    const own = (this.definitionsIn(path).get(name) ?? []).filter((one) => !isScript || one.isExported);
    if (own.length > 0) return { places: own.map((definition) => ({ path, definition })), isOpen: table.isPartial };
    if (table.language === "java" && name === "default") return this.#javaClass(path);
    const given = table.exports.find((one) => one.name === name);
    if (given?.from !== undefined) return this.#through(path, given.from, given.local, depth);
    if (given !== undefined) return given.local === "" ? UNKNOWN : this.#named(path, given.local, depth);
    if (!isScript) {
      const again = table.imports.find((one) => one.local === name);
      if (again !== undefined) return this.#through(path, again.from, again.imported, depth);
    }
    return this.#amongAll(path, table, name, depth);
  }

  #amongAll(path: string, table: SymbolTable, name: string, depth: number): Found {
    const sources = [
      ...table.exports.filter((one) => one.name === "*").flatMap(({ from }) => from ?? []),
      ...table.wildcards,
    ];
    let isOpen = table.hasHiddenExports || table.isPartial || isDynamic(table);
    for (const from of sources) {
      const found = this.#through(path, from, name, depth);
      if (found.places.length > 0) return found;
      isOpen ||= found.isOpen;
    }
    return { places: [], isOpen: isOpen || submodulePaths(path, name).some((one) => this.has(one)) };
  }

  #through(importer: string, from: string, name: string, depth: number): Found {
    const path = this.moduleOf(importer, from);
    return path === undefined ? UNKNOWN : this.exported(path, name, depth + 1);
  }

  /** What a name at the top of a file stands for. */
  #named(path: string, name: string, depth = 0): Found {
    const table = this.#tables.get(path);
    const own = this.definitionsIn(path).get(name) ?? [];
    if (table === undefined) return UNKNOWN;
    if (own.length > 0) return { places: own.map((definition) => ({ path, definition })), isOpen: table.isPartial };
    const binding = table.imports.find((one) => one.local === name);
    if (binding !== undefined)
      return binding.imported === "*" ? UNKNOWN : this.#through(path, binding.from, binding.imported, depth);
    return table.language === "go" || table.language === "java" ? this.#inFolder(path, table, name) : NOTHING;
  }

  /** What a reference stands for. */
  resolve(path: string, reference: Pick<Reference, "name" | "object" | "scope">): Found {
    const { name, object, scope } = reference;
    if (object === undefined) return this.#inScopes(path, name, scope);
    if (object === "this") return this.#membersOf(this.#ownerOf(path, scope), name);
    const table = this.#tables.get(path);
    if (object === "?" || table === undefined) return UNKNOWN;
    const whole = this.#wholeOf(path, table, object, name);
    if (whole !== undefined) return whole;
    const owner = this.#typeOf(path, table, object, scope);
    return owner === undefined ? UNKNOWN : this.#membersOf(owner, name);
  }

  /** What a module that was imported as a whole gives under a name; nothing where the object is no such module. */
  #wholeOf(path: string, table: SymbolTable, object: string, name: string): Found | undefined {
    const binding = table.imports.find((one) => one.local === object);
    if (binding?.imported === "*") return this.#ofWhole(path, table, binding, name);
    if (binding === undefined || table.language !== "python") return undefined;
    const { from, imported } = binding;
    const module = this.moduleOf(path, from.endsWith(".") ? `${from}${imported}` : `${from}.${imported}`);
    return module === undefined ? undefined : this.exported(module, name);
  }

  #inScopes(path: string, name: string, scope: string): Found {
    const definitions = this.definitionsIn(path);
    const isPartial = this.#tables.get(path)?.isPartial === true;
    const names = scope === "" ? [] : scope.split(".");
    for (let length = names.length; length > 0; length -= 1) {
      const own = definitions.get(`${names.slice(0, length).join(".")}.${name}`);
      if (own !== undefined && isOpenScope(this.#tables.get(path), own))
        return { places: own.map((definition) => ({ path, definition })), isOpen: isPartial };
    }
    return this.#named(path, name);
  }

  /** The class or the type that something stands in. */
  #ownerOf(path: string, scope: string): Place | undefined {
    const names = scope.split(".");
    for (let length = names.length; length > 0; length -= 1) {
      const [definition] = this.definitionsIn(path).get(names.slice(0, length).join(".")) ?? [];
      if (definition !== undefined && /^(class|interface|enum|implementation)$/.test(definition.kind))
        return { path, definition };
    }
    return undefined;
  }

  #typeOf(path: string, table: SymbolTable, object: string, scope: string): Place | undefined {
    const name = object.split(".").at(-1) ?? "";
    const isOwner = ({ definition }: Place): boolean =>
      /^(class|interface|enum|type|namespace|variable)$/.test(definition.kind);
    const plain = this.#inScopes(path, object.includes(".") ? name : object, scope).places.find(isOwner);
    if (plain !== undefined) return plain;
    const instance = table.instances.find(([local]) => local === object)?.[1];
    if (instance === undefined) return undefined;
    const [type = "", inner] = instance.replace(/<.*$/s, "").split(".");
    const reference = inner === undefined ? { name: type, scope } : { name: inner, object: type, scope };
    return this.resolve(path, reference).places.find(isOwner);
  }

  #membersOf(owner: Place | undefined, name: string): Found {
    if (owner === undefined) return UNKNOWN;
    const { path, definition } = owner;
    const own = this.definitionsIn(path).get(`${pathOf(definition)}.${name}`) ?? [];
    if (own.length > 0)
      return {
        places: own.map((one) => ({ path, definition: one })),
        isOpen: this.#tables.get(path)?.isPartial === true,
      };
    // What it inherits, and what the language gives to all, is not looked for.
    return UNKNOWN;
  }

  #ofWhole(path: string, table: SymbolTable, { from }: ImportBinding, name: string): Found {
    if (table.language !== "go") return this.#through(path, from, name, 0);
    const [last = "", parent] = from.split("/").toReversed();
    const ends = parent === undefined ? [last] : [`${parent}/${last}`];
    const folders = [...this.#byFolder.keys()].filter(
      (folder) => folder === last || ends.some((end) => folder === end || folder.endsWith(`/${end}`)),
    );
    const places = folders.flatMap((folder) => this.#definedIn(folder, name, ""));
    return { places, isOpen: true };
  }

  #inFolder(path: string, { unit }: SymbolTable, name: string): Found {
    return { places: this.#definedIn(folderOf(path), name, unit), isOpen: true };
  }

  #definedIn(folder: string, name: string, unit: string): Place[] {
    return (this.#byFolder.get(folder) ?? []).flatMap((path) =>
      unit !== "" && this.#tables.get(path)?.unit !== unit
        ? []
        : (this.definitionsIn(path).get(name) ?? []).map((definition) => ({ path, definition })),
    );
  }

  #javaFile(from: string): string | undefined {
    const end = `${from.replaceAll(".", "/")}.java`;
    const folder = folderOf(end);
    for (const [place, paths] of this.#byFolder) {
      if (place !== folder && !place.endsWith(`/${folder}`)) continue;
      const found = paths.find((path) => path === end || path.endsWith(`/${end}`));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #javaClass(path: string): Found {
    const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.java$/, "");
    const own = this.definitionsIn(path).get(name) ?? [];
    return { places: own.map((definition) => ({ path, definition })), isOpen: own.length === 0 };
  }
}

/** Whether a name in a scope can be used there without naming the scope: not so for methods of most languages. */
function isOpenScope(table: SymbolTable | undefined, [definition]: readonly Definition[]): boolean {
  const kind = definition?.kind;
  if (table?.language === "java") return true;
  return kind !== "method" && kind !== "field" && kind !== "enum-member";
}

/** A module that makes names as it runs. */
function isDynamic(table: SymbolTable): boolean {
  return (
    table.language === "python" &&
    (table.definitions.some(({ name, scope }) => scope === "" && name === "__getattr__") ||
      table.references.some(({ name, call }) => call !== undefined && (name === "globals" || name === "setattr")))
  );
}
