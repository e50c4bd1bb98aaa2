import { placeOf, type Worlds } from "../breaks/break.ts";
import type { SemanticHit } from "../semantic-hit.ts";
import { pathOf } from "../symbol-table.ts";
import type { World } from "../world.ts";
import type { ChangedDefinition } from "./changed-definition.ts";

/** Finds code that relies on two values, of which each side changed another one. */
export function findWriteSkew(
  { merged }: Worlds,
  ours: readonly ChangedDefinition[],
  theirs: readonly ChangedDefinition[],
): SemanticHit[] {
  const [own, other] = [valuesOf(ours), valuesOf(theirs)];
  if (own.size === 0 || other.size === 0) return [];
  const hits: SemanticHit[] = [];
  for (const [path, table] of merged.tables) {
    const scopes = new Map<string, { own?: ChangedDefinition; other?: ChangedDefinition; line: number }>();
    for (const reference of table.references) {
      if (!own.has(reference.name) && !other.has(reference.name)) continue;
      // At the top of a file, what stands on one line belongs together.
      const scope = reference.scope === "" ? `line ${reference.line}` : reference.scope;
      const seen = scopes.get(scope) ?? { line: reference.line };
      const [mine, yours] = [own, other].map((values) => meant(merged, path, reference, values.get(reference.name)));
      scopes.set(scope, {
        ...seen,
        ...(mine === undefined ? {} : { own: mine }),
        ...(yours === undefined ? {} : { other: yours }),
      });
    }
    for (const { own: mine, other: yours, line } of scopes.values()) {
      if (mine === undefined || yours === undefined || isSame(mine, yours)) continue;
      hits.push({
        kind: "write-skew",
        symbol: pathOf(mine.before),
        definedIn: placeOf(mine.path, (mine.after ?? mine.before).line),
        usedIn: placeOf(path, line),
        message: `${path} relies on ${pathOf(mine.before)}, which one side changed, and on ${pathOf(yours.before)}, which the other did`,
        isCertain: false,
      });
    }
  }
  return hits;
}

function valuesOf(changed: readonly ChangedDefinition[]): ReadonlyMap<string, ChangedDefinition> {
  return new Map(changed.filter(({ change }) => change === "value").map((one) => [one.before.name, one]));
}

function meant(
  world: World,
  path: string,
  reference: { readonly name: string; readonly object?: string; readonly scope: string },
  changed: ChangedDefinition | undefined,
): ChangedDefinition | undefined {
  if (changed === undefined) return undefined;
  const { places } = world.resolve(path, reference);
  return places.some((place) => place.path === changed.path && pathOf(place.definition) === pathOf(changed.before))
    ? changed
    : undefined;
}

function isSame(one: ChangedDefinition, other: ChangedDefinition): boolean {
  return one.path === other.path && pathOf(one.before) === pathOf(other.before);
}
