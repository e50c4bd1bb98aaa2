import type { Language } from "../../language.ts";
import { misfitOf } from "../signature-fit.ts";
import { pathOf, type Reference, type Signature } from "../symbol-table.ts";
import type { Place, World } from "../world.ts";
import { placeOf, type Break } from "./break.ts";

/** Calls with arguments that what they call cannot take. */
export function findMisfits(world: World): Break[] {
  const breaks: Break[] = [];
  for (const [path, table] of world.tables) {
    // JavaScript takes any number of arguments.
    if (table.isPartial || table.language === "javascript") continue;
    const bound = new Set(table.bound);
    for (const reference of table.references) {
      if (reference.call === undefined || (reference.object === undefined && bound.has(reference.name))) continue;
      const place = calledBy(world, path, table.language, reference);
      const signature = place === undefined ? undefined : signatureAt(world, place, table.language);
      const misfit = signature === undefined ? undefined : misfitOf(reference.call, signature, table.language);
      if (place === undefined || misfit === undefined) continue;
      const { name, object = "", scope, call, line } = reference;
      breaks.push({
        key: `argument-count ${path} ${scope} ${object}.${name} ${call.positional} ${call.keywords.join()} ${place.path}`,
        hit: {
          kind: "argument-count",
          symbol: pathOf(place.definition),
          definedIn: placeOf(place.path, place.definition.line),
          usedIn: placeOf(path, line),
          message: `${path} calls ${name}, but ${misfit}`,
          isCertain: true,
        },
      });
    }
  }
  return breaks;
}

/** The one thing that a call can only mean. */
function calledBy(world: World, path: string, language: Language, reference: Reference): Place | undefined {
  const found = world.resolve(path, reference);
  const [place] = found.places;
  if (place === undefined || found.places.length > 1 || place.definition.isDecorated === true) return undefined;
  // A package's files define a name once, so that one that is found is the one.
  if (found.isOpen && language !== "go") return undefined;
  return place.definition.isOverloadable === true || place.definition.type ? undefined : place;
}

/** How a place is called: a class by its constructor. */
export function signatureAt(world: World, { path, definition }: Place, language: Language): Signature | undefined {
  const { signature, kind, supers = [] } = definition;
  if (kind !== "class") return language === "java" && supers.length > 0 ? undefined : signature;
  const name = language === "python" ? "__init__" : language === "java" ? definition.name : "constructor";
  const made = world.definitionsIn(path).get(`${pathOf(definition)}.${name}`) ?? [];
  if (made.length === 1) return made[0]?.isDecorated === true ? undefined : made[0]?.signature;
  return made.length === 0 && language === "python" && supers.length === 0
    ? dataclassSignature(world, path, pathOf(definition))
    : undefined;
}

/** The fields of a data class are the parameters of its constructor. */
function dataclassSignature(world: World, path: string, owner: string): Signature | undefined {
  const fields = (world.tables.get(path)?.definitions ?? []).filter(
    ({ scope, kind, type = "" }) =>
      scope === owner && kind === "field" && type !== "" && !/^(typing\.)?ClassVar/.test(type),
  );
  if (
    !fields.some(({ isRequired }) => isRequired) ||
    fields.some(({ value = "" }) => /init\s*=|kw_only|KW_ONLY/.test(value))
  )
    return undefined;
  const parameters = fields.map(({ name, value = "", type = "" }) => ({
    name,
    kind: "plain" as const,
    isOptional: value !== "",
    type,
  }));
  return { parameters, returns: "", isAsync: false };
}
