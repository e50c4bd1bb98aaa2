import { pathOf, type Definition, type SymbolTable } from "../symbol-table.ts";
import type { Place, World } from "../world.ts";
import { placeOf, type Break } from "./break.ts";

/** Classes that lack a member that what they implement asks for, and literals that lack a field. */
export function findMissingMembers(world: World): Break[] {
  const breaks: Break[] = [];
  for (const [path, table] of world.tables) {
    if (table.isPartial) continue;
    for (const definition of table.definitions) breaks.push(...missingIn(world, path, table, definition));
    breaks.push(...missingFields(world, path, table));
  }
  return breaks;
}

function missingIn(world: World, path: string, { language }: SymbolTable, heir: Definition): Break[] {
  const { supers = [], kind, isAbstract } = heir;
  const [only] = supers;
  if (only === undefined || isAbstract === true || (kind !== "class" && kind !== "implementation")) return [];
  const own = world.definitionsIn(path);
  // An abstract class in between, or what another of them brings, may give what is asked for.
  const parents = supers.map((name) => world.resolve(path, referenceTo(name, heir.scope)).places[0]);
  if (
    supers.length > 1 &&
    (language !== "typescript" || parents.some((parent) => parent?.definition.kind !== "interface"))
  )
    return [];
  if (language === "python" && isAbstractItself(world, path, heir)) return [];
  return parents.flatMap((parent) => {
    if (parent === undefined) return [];
    return requiredOf(world, parent, language)
      .filter(({ name }) => !own.has(`${pathOf(heir)}.${name}`))
      .map((member) => missing("missing-member", parent, member, path, heir.line, pathOf(heir)));
  });
}

function referenceTo(name: string, scope: string): { name: string; object?: string; scope: string } {
  const parts = name.replaceAll("::", ".").split(".");
  const object = parts.slice(0, -1).join(".");
  return { name: parts.at(-1) ?? "", scope, ...(object === "" ? {} : { object }) };
}

function isAbstractItself(world: World, path: string, { name, scope }: Definition): boolean {
  const own = pathOf({ name, scope });
  return world.tables.get(path)?.definitions.some((one) => one.scope === own && one.isAbstract === true) === true;
}

function requiredOf(world: World, { path, definition }: Place, language: SymbolTable["language"]): Definition[] {
  const table = world.tables.get(path);
  if (table === undefined || table.isPartial || !world.isChanged(path)) return [];
  if (definition.kind !== "interface" && definition.kind !== "class" && definition.kind !== "type") return [];
  // What a data class requires is for who makes one, not for who extends it.
  const isAsked = ({ isRequired, isAbstract }: Definition): boolean =>
    (language === "python" ? isAbstract : isRequired) === true;
  return table.definitions.filter((one) => one.scope === pathOf(definition) && isAsked(one));
}

function missingFields(world: World, path: string, { language, literals, bound }: SymbolTable): Break[] {
  if (language === "python" || language === "java" || language === "javascript") return [];
  return literals.flatMap((literal) => {
    if (literal.isOpen || bound.includes(literal.type)) return [];
    const [place, another] = world.resolve(path, referenceTo(literal.type, literal.scope)).places;
    if (place === undefined || another !== undefined) return [];
    if (language === "go") return miscounted(world, place, path, literal);
    const given = new Set(literal.keys);
    return requiredOf(world, place, language)
      .filter(({ name, kind }) => !given.has(name) && (kind === "field" || language !== "rust"))
      .map((member) => missing("missing-field", place, member, path, literal.line, literal.scope));
  });
}

/** A Go literal without names gives all of the fields or none. */
function miscounted(world: World, place: Place, path: string, literal: SymbolTable["literals"][number]): Break[] {
  const fields = (world.tables.get(place.path)?.definitions ?? []).filter(
    ({ scope, kind }) => scope === pathOf(place.definition) && kind === "field",
  );
  const last = fields.at(-1);
  if (last === undefined || literal.positional === fields.length || place.definition.kind !== "class") return [];
  return [missing("missing-field", place, last, path, literal.line, literal.scope)];
}

function missing(
  kind: "missing-member" | "missing-field",
  owner: Place,
  member: Definition,
  path: string,
  line: number,
  user: string,
): Break {
  const name = pathOf(owner.definition);
  const who = kind === "missing-member" ? `${user} in ${path}` : `a literal in ${path}`;
  return {
    key: `${kind} ${path} ${user} ${owner.path} ${name}.${member.name}`,
    hit: {
      kind,
      symbol: `${name}.${member.name}`,
      definedIn: placeOf(owner.path, member.line),
      usedIn: placeOf(path, line),
      message: `${who} lacks ${member.name}, which ${name} requires`,
      isCertain: true,
    },
  };
}
