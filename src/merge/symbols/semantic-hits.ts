import type { Worlds } from "./breaks/break.ts";
import { findBreaks } from "./breaks/find-breaks.ts";
import type { Changes } from "./file-versions.ts";
import { findChangedDefinitions } from "./meetings/changed-definition.ts";
import { findLostDependencies } from "./meetings/dependencies.ts";
import { findMeetings } from "./meetings/find-meetings.ts";
import { findSameNumbers } from "./meetings/same-number.ts";
import { findSameRoutes } from "./meetings/same-route.ts";
import { findChangedSettings } from "./meetings/settings.ts";
import { modulePaths, submodulePaths } from "./module-paths.ts";
import type { SemanticHit } from "./semantic-hit.ts";
import { World } from "./world.ts";

/** A person reads no more than this. */
const MOST_HITS = 100;

/**
 * Finds where two changes that merge as texts do not fit each other, or may not: what one side defines otherwise than
 * before, and the other side uses anew.
 *
 * @returns what is certain first; each thing once
 * @example
 * findSemanticHits({ files, elsewhere: new Set() })
 * // [{ kind: "missing-definition", symbol: "load", definedIn: "store.ts:3", usedIn: "app.ts:9", isCertain: true, … }]
 */
export function findSemanticHits(changes: Changes): SemanticHit[] {
  const worlds: Worlds = {
    base: new World(changes, "base"),
    ours: new World(changes, "ours"),
    theirs: new World(changes, "theirs"),
    merged: new World(changes, "merged"),
  };
  const hits = [
    ...findBreaks(worlds),
    ...findSameNumbers(changes),
    ...findLostDependencies(changes),
    ...findMeetings(changes, worlds),
    ...findSameRoutes(changes),
    ...findChangedSettings(changes),
  ];
  return withoutRepeats(hits).slice(0, MOST_HITS);
}

/** One hit for one symbol and one place, where it is certain, and otherwise for one file; the certain ones first. */
function withoutRepeats(hits: readonly SemanticHit[]): SemanticHit[] {
  const told = new Set<string>();
  return [...hits]
    .sort((one, other) => Number(other.isCertain) - Number(one.isCertain))
    .filter(({ symbol, usedIn, isCertain }) => {
      const name = symbol.split(".").at(-1) ?? "";
      const file = usedIn.replace(/:\d+$/, "");
      const key = `${name} ${isCertain ? usedIn : file}`;
      if (told.has(key)) return false;
      told.add(key).add(`${name} ${file}`);
      return true;
    });
}

/** Constants of which each side gave some another value. What relies on one of each may be where nobody changed anything. */
export interface ChangedValues {
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

/** Finds the constants whose value a side changed. A file with one of each side's is worth being looked at as well. */
export function changedValues({ files }: Pick<Changes, "files">): ChangedValues {
  const changes = { files, elsewhere: new Set<string>() };
  const base = new World(changes, "base");
  const [ours, theirs] = (["ours", "theirs"] as const).map((side) => {
    const changed = findChangedDefinitions(base, new World(changes, side));
    return [...new Set(changed.filter(({ change }) => change === "value").map(({ before }) => before.name))];
  });
  return { ours: ours ?? [], theirs: theirs ?? [] };
}

/**
 * The unchanged paths that matter: where an import of a changed file would be looked for as well. Which of them are in
 * the merged tree is what `elsewhere` holds.
 */
export function pathsToLookUp({ files }: Pick<Changes, "files">): string[] {
  const changed = new Set(files.map(({ path }) => path));
  const wanted = new Set<string>();
  for (const file of files) {
    const tables = new Set([file.base, file.ours, file.theirs, file.merged].flatMap((state) => state?.table ?? []));
    for (const table of tables) {
      for (const { from, imported } of table.imports) {
        const { paths } = modulePaths(file.path, from, table.language);
        const inner = table.language === "python" ? paths.flatMap((path) => submodulePaths(path, imported)) : [];
        if (![...paths, ...inner].some((path) => changed.has(path))) continue;
        for (const path of [...paths, ...inner]) if (!changed.has(path)) wanted.add(path);
      }
    }
  }
  return [...wanted];
}
