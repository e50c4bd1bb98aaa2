import { signatureAt } from "../breaks/calls.ts";
import { pathOf, type Definition, type Signature } from "../symbol-table.ts";
import type { World } from "../world.ts";

/** How a definition is another one than before, for who uses it. */
export type DefinitionChange = "removed" | "signature" | "result" | "value" | "type" | "choices" | "required";

/** A definition that one side changed. */
export interface ChangedDefinition {
  readonly path: string;
  readonly before: Definition;
  readonly after: Definition | undefined;
  readonly change: DefinitionChange;
  /** Told to people: `takes (a, b) instead of (a)`. */
  readonly how: string;
  readonly signatures?: readonly [before: Signature, after: Signature];
}

const CONTAINERS: ReadonlySet<Definition["kind"]> = new Set(["class", "interface", "enum", "type"]);

/** What a side changed about the definitions of the base, as far as others rely on it. */
export function findChangedDefinitions(base: World, side: World): ChangedDefinition[] {
  const changed: ChangedDefinition[] = [];
  for (const [path, table] of base.tables) {
    if (side.tables.get(path) === table) continue;
    const now = side.definitionsIn(path);
    for (const [name, before] of base.definitionsIn(path)) {
      const after = now.get(name) ?? [];
      changed.push(...compare(path, before, after, [base, side]));
    }
    changed.push(...findGrown(path, base, side));
  }
  return changed;
}

function compare(
  path: string,
  before: readonly Definition[],
  after: readonly Definition[],
  worlds: readonly [World, World],
): ChangedDefinition[] {
  const [first] = before;
  if (first === undefined || first.kind === "implementation") return [];
  if (after.length === 0)
    return [{ path, before: first, after: undefined, change: "removed", how: removedHow(path, first, worlds) }];
  const changes: ChangedDefinition[] = [];
  const overloads = new Set(after.map((one) => describe(one, path, worlds[1])));
  for (const one of before) {
    const text = describe(one, path, worlds[0]);
    if (overloads.has(text)) continue;
    changes.push(...differences(path, one, after[before.indexOf(one)] ?? after[0] ?? one, worlds));
  }
  return changes;
}

/** All of a definition that others rely on. */
function describe(definition: Definition, path: string, world: World): string {
  return JSON.stringify([
    signatureOf(definition, path, world),
    definition.value,
    definition.type,
    definition.isRequired,
  ]);
}

function signatureOf(definition: Definition, path: string, world: World): Signature | undefined {
  const language = world.tables.get(path)?.language;
  return language === undefined ? undefined : signatureAt(world, { path, definition }, language);
}

function differences(
  path: string,
  before: Definition,
  after: Definition,
  [base, side]: readonly [World, World],
): ChangedDefinition[] {
  const changes: ChangedDefinition[] = [];
  const [old, now] = [signatureOf(before, path, base), signatureOf(after, path, side)];
  const add = (change: DefinitionChange, how: string): void =>
    void changes.push({
      path,
      before,
      after,
      change,
      how,
      ...(old === undefined || now === undefined ? {} : { signatures: [old, now] }),
    });
  if (old !== undefined && now !== undefined) {
    const [had, has] = [old, now].map(({ parameters }) => JSON.stringify(parameters));
    if (had !== has) add("signature", `takes ${listed(now)} instead of ${listed(old)}`);
    if (old.returns !== now.returns || old.isAsync !== now.isAsync)
      add("result", `gives ${resultOf(now)} instead of ${resultOf(old)}`);
  } else if (
    (old === undefined) !== (now === undefined) &&
    CONTAINERS.has(before.kind) === CONTAINERS.has(after.kind) &&
    !CONTAINERS.has(before.kind)
  )
    add("type", "is another kind of thing");
  if ((before.value ?? "") !== (after.value ?? "") && before.value !== undefined && !CONTAINERS.has(before.kind))
    add("value", `is ${after.value || "another value"} instead of ${before.value || "what it was"}`);
  if (before.kind === "type" && before.value !== after.value) add("type", "is another type");
  if ((before.type ?? "") !== (after.type ?? ""))
    add("type", `is of type ${after.type || "unknown"} instead of ${before.type || "unknown"}`);
  return changes;
}

function listed({ parameters }: Signature): string {
  const marks = { plain: "", positional: "", rest: "...", keyword: "", keywords: "**" };
  return `(${parameters.map(({ name, kind, isOptional, value }) => `${marks[kind]}${name}${value === undefined ? (isOptional && kind === "plain" ? "?" : "") : ` = ${value}`}`).join(", ")})`;
}

function resultOf({ returns, isAsync }: Signature): string {
  return `${isAsync ? "a promise of " : ""}${returns === "" ? "what it infers" : returns}`;
}

function removedHow(path: string, before: Definition, [base, side]: readonly [World, World]): string {
  const isNew = (one: Definition): boolean =>
    one.scope === before.scope && one.kind === before.kind && !base.definitionsIn(path).has(pathOf(one));
  const [renamed, another] = (side.tables.get(path)?.definitions ?? []).filter(isNew);
  if (renamed !== undefined && another === undefined) return `is gone; ${renamed.name} is new there`;
  return side.tables.has(path) ? "is gone" : "is gone with its file";
}

/** Enums and unions with a new value, and interfaces with a new member that has to be there. */
function findGrown(path: string, base: World, side: World): ChangedDefinition[] {
  const old = base.definitionsIn(path);
  const grown: ChangedDefinition[] = [];
  for (const member of side.tables.get(path)?.definitions ?? []) {
    const [owner] = old.get(member.scope) ?? [];
    const [was] = old.get(pathOf(member)) ?? [];
    if (owner === undefined || (was !== undefined && (was.isRequired === true || member.isRequired !== true))) continue;
    const change =
      member.kind === "enum-member" || owner.kind === "enum"
        ? "choices"
        : member.isRequired === true
          ? "required"
          : undefined;
    if (change === undefined || !CONTAINERS.has(owner.kind)) continue;
    const how = change === "choices" ? `has the new value ${member.name}` : `requires ${member.name} now`;
    grown.push({ path, before: owner, after: owner, change, how });
  }
  return grown;
}
