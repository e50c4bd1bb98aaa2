import { folderOf } from "../../path-names.ts";
import type { Changes, FileVersions } from "../file-versions.ts";
import type { SemanticHit } from "../semantic-hit.ts";

/** Folders whose files run in the order of their numbers, once each. */
const RUN_BY_NUMBER = /(^|\/)(migrations?|migrate|versions|alembic|evolutions|flyway|schema_changes)(\/|$)/i;
const NUMBER = /^(?:[Vv]|[A-Za-z]{1,4}[-_])?(\d{1,17})[-_.]+\D/;

/** Finds files that each side added under one number, and migrations that each follow one and the same. */
export function findSameNumbers({ files }: Changes): SemanticHit[] {
  const added = files.filter(({ base, merged }) => base === undefined && merged !== undefined);
  const first = new Map<string, FileVersions>();
  const hits: SemanticHit[] = [];
  for (const file of added) {
    for (const key of keysOf(file)) {
      const other = first.get(key);
      if (other === undefined) first.set(key, file);
      else if (isOfBoth(other, file)) hits.push(sameNumber(other, file, key));
    }
  }
  return hits;
}

function keysOf({ path, merged }: FileVersions): string[] {
  const folder = folderOf(path);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const [, number] = NUMBER.exec(name) ?? [];
  const ending = /\.[^.]*$/.exec(name)?.[0] ?? "";
  // A migration and its way back share a number.
  const way = /[._-](up|down|do|undo)\./i.exec(name)?.[1] ?? "";
  const before = merged?.table?.definitions.find((one) => one.scope === "" && one.name === "down_revision")?.value;
  return [
    ...(number === undefined ? [] : [`${folder} number ${number.replace(/^0+(?=\d)/, "")} ${way}${ending}`]),
    ...(before === undefined || before === "" || before === "None" ? [] : [`${folder} after ${before}`]),
  ];
}

function isOfBoth(one: FileVersions, other: FileVersions): boolean {
  const isOurs = (file: FileVersions): boolean => file.ours !== undefined && file.theirs === undefined;
  const isTheirs = (file: FileVersions): boolean => file.theirs !== undefined && file.ours === undefined;
  return (isOurs(one) && isTheirs(other)) || (isTheirs(one) && isOurs(other));
}

function sameNumber(one: FileVersions, other: FileVersions, key: string): SemanticHit {
  const [, what = "number", number = ""] =
    /(number|after) ("[^"]*"|'[^']*'|\S+)/.exec(key.slice(folderOf(one.path).length)) ?? [];
  return {
    kind: "same-number",
    symbol: number,
    definedIn: one.path,
    usedIn: other.path,
    message:
      what === "after"
        ? `${one.path} and ${other.path} both follow the migration ${number}`
        : `${one.path} and ${other.path} both have the number ${number}`,
    isCertain: what === "after" || RUN_BY_NUMBER.test(folderOf(one.path)),
  };
}
