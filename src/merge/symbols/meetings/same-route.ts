import type { Changes, VersionName } from "../file-versions.ts";
import { placeOf } from "../breaks/break.ts";
import type { SemanticHit } from "../semantic-hit.ts";
import type { Reference } from "../symbol-table.ts";
import { findAddedUses } from "./added-reference.ts";

const ROUTES = /^(get|post|put|patch|delete|route|all|head|options|add_url_rule|HandleFunc|Handle)$/;
const REGISTERS = /^(register\w*|add_?[Cc]ommand|define\w*|define)$/;

/** Finds routes, commands and the like that both sides registered under one name. */
export function findSameRoutes(changes: Changes): SemanticHit[] {
  const own = registered(changes, "ours");
  if (own.size === 0) return [];
  return [...registered(changes, "theirs")].flatMap(([key, [path, line]]): SemanticHit[] => {
    const known = own.get(key);
    if (known === undefined) return [];
    const [definedIn, usedIn] = [placeOf(...known), placeOf(path, line)];
    const message = `both sides register ${key}: in ${definedIn} and in ${usedIn}`;
    return [{ kind: "same-route", symbol: key, definedIn, usedIn, message, isCertain: false }];
  });
}

function registered(changes: Changes, side: VersionName): Map<string, readonly [path: string, line: number]> {
  const found = new Map<string, readonly [string, number]>();
  for (const { path, references } of findAddedUses(changes, side)) {
    for (const reference of references)
      if (isRegistration(reference))
        found.set(`${reference.name} ${reference.call?.text ?? ""}`, [path, reference.line]);
  }
  return found;
}

function isRegistration({ name, object, call }: Reference): boolean {
  const text = call?.text ?? "";
  if (text === "" || call === undefined || call.positional + call.keywords.length < 1) return false;
  if (REGISTERS.test(name)) return true;
  return object !== undefined && ROUTES.test(name) && text.startsWith("/");
}
