import type { Worlds } from "./breaks/break.ts";
import { findBreaks } from "./breaks/find-breaks.ts";
import type { Changes } from "./file-versions.ts";
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

/** One hit for one symbol and one place, the certain ones first. */
function withoutRepeats(hits: readonly SemanticHit[]): SemanticHit[] {
  const known = new Map<string, SemanticHit>();
  for (const hit of [...hits].sort((one, other) => Number(other.isCertain) - Number(one.isCertain))) {
    const key = `${hit.symbol.split(".").at(-1) ?? ""} ${hit.usedIn}`;
    if (!known.has(key)) known.set(key, hit);
  }
  return [...known.values()];
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
