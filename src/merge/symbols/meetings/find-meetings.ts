import type { Changes } from "../file-versions.ts";
import { placeOf, type Worlds } from "../breaks/break.ts";
import type { SemanticHit, SemanticHitKind } from "../semantic-hit.ts";
import { isShifted } from "../signature-fit.ts";
import {
  pathOf,
  type Choice,
  type Definition,
  type Parameter,
  type Reference,
  type Signature,
  type SymbolTable,
} from "../symbol-table.ts";
import type { World } from "../world.ts";
import { findAddedUses, type AddedUses } from "./added-reference.ts";
import { findChangedDefinitions, type ChangedDefinition, type DefinitionChange } from "./changed-definition.ts";
import { findWriteSkew } from "./write-skew.ts";

const KINDS: Readonly<Record<DefinitionChange, SemanticHitKind>> = {
  removed: "missing-definition",
  signature: "signature",
  result: "result",
  value: "value",
  type: "type",
  choices: "open-choice",
  required: "missing-field",
};

/** A name of that length is hardly the name of two things. */
const DISTINCT = 7;

/** Finds where one side uses anew what the other side made into something else. */
export function findMeetings(changes: Changes, worlds: Worlds): SemanticHit[] {
  const { base, ours, theirs } = worlds;
  const [own, other] = [findChangedDefinitions(base, ours), findChangedDefinitions(base, theirs)];
  return [
    ...meet(base, own, theirs, own.length === 0 ? [] : findAddedUses(changes, "theirs")),
    ...meet(base, other, ours, other.length === 0 ? [] : findAddedUses(changes, "ours")),
    ...findWriteSkew(worlds, own, other),
  ];
}

function meet(
  base: World,
  changed: readonly ChangedDefinition[],
  user: World,
  uses: readonly AddedUses[],
): SemanticHit[] {
  if (uses.length === 0) return [];
  const known = new Changed(base, changed);
  return uses.flatMap((use) => [
    ...use.references.flatMap((reference) =>
      known.usedBy(user, use, reference).flatMap((definition) => hitOf(definition, use, reference)),
    ),
    ...use.choices.flatMap((choice) => known.chosenFrom(user, use, choice).map((one) => openChoice(one, use, choice))),
  ]);
}

/** What one side changed, by how it is found. */
class Changed {
  readonly #byPlace = new Map<string, ChangedDefinition[]>();
  readonly #members = new Map<string, ChangedDefinition[]>();
  readonly #grown: readonly ChangedDefinition[];
  readonly #base: World;

  constructor(base: World, changed: readonly ChangedDefinition[]) {
    this.#base = base;
    this.#grown = changed.filter(({ change }) => change === "choices");
    for (const one of [...changed, ...relying(base, changed)]) {
      push(this.#byPlace, `${one.path} ${pathOf(one.before)}`, one);
      if (one.before.scope !== "" && one.change !== "value") push(this.#members, one.before.name, one);
    }
  }

  /** What a reference is to, among what was changed. */
  usedBy(user: World, { path, table }: AddedUses, reference: Reference): readonly ChangedDefinition[] {
    const found = user.resolve(path, reference);
    const sure = found.places.flatMap((place) => this.#byPlace.get(`${place.path} ${pathOf(place.definition)}`) ?? []);
    if (sure.length > 0 || found.places.length > 0 || reference.object === undefined) return sure;
    // A member of something whose type is not known: it counts where the file knows the owner.
    const named = this.#members.get(reference.name) ?? [];
    if (named.length === 0) return [];
    return named.filter(({ path: where, before }) => {
      const owner = before.scope.split(".")[0] ?? "";
      if (/^<|^$/.test(owner)) return false;
      const isKnown = where === path || table.references.some(({ name }) => name === owner);
      // What is made by a function of that file has a type that is not named; a short name is one of many.
      const isLikely =
        reference.name.length >= DISTINCT && table.imports.some(({ from }) => user.moduleOf(path, from) === where);
      return isKnown || isLikely;
    });
  }

  /** The enums and unions that a choice is among the values of. */
  chosenFrom(user: World, { path }: AddedUses, { labels, hasDefault, scope }: Choice): readonly ChangedDefinition[] {
    if (hasDefault || labels.length === 0 || this.#grown.length === 0) return [];
    const owners = new Set(
      labels.flatMap((label) => {
        const [, object] = /^([\w.]+)\.\w+$/.exec(label) ?? [];
        const names = object?.split(".") ?? [];
        const more = names.length > 1 ? { object: names.slice(0, -1).join(".") } : {};
        const places =
          object === undefined ? [] : user.resolve(path, { name: names.at(-1) ?? "", scope, ...more }).places;
        return places.map((place) => `${place.path} ${pathOf(place.definition)}`);
      }),
    );
    return this.#grown.filter((one) => owners.has(`${one.path} ${pathOf(one.before)}`) || this.#hasAll(one, labels));
  }

  #hasAll({ path, before }: ChangedDefinition, labels: readonly string[]): boolean {
    const own = this.#base.definitionsIn(path);
    return labels.length > 1 && labels.every((label) => own.has(`${pathOf(before)}.${label}`));
  }
}

/** Definitions whose signature names a type that was changed: who calls them has to do with it as well. */
function relying(base: World, changed: readonly ChangedDefinition[]): ChangedDefinition[] {
  const types = changed.filter(
    ({ change, before }) =>
      (change === "required" || change === "type") && /^(interface|type|class)$/.test(before.kind),
  );
  if (types.length === 0) return [];
  return types.flatMap((type) => {
    const word = new RegExp(`\\b${type.before.name.replaceAll(/\W/g, "")}\\b`);
    const table = base.tables.get(type.path);
    const users = (table?.definitions ?? []).filter(
      ({ signature }) => signature?.parameters.some((one) => word.test(one.type)) === true,
    );
    return users.map((before) => ({ ...type, before, how: `takes ${type.before.name}, which ${type.how}` }));
  });
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function hitOf(changed: ChangedDefinition, { path, table }: AddedUses, reference: Reference): SemanticHit[] {
  const { before, change, how, signatures } = changed;
  if (change === "signature" && reference.call === undefined && before.kind === "class") return [];
  const isCalled = reference.call !== undefined && signatures !== undefined;
  const shifted =
    change === "signature" && isCalled && reference.call.isOpen === false && isShifted(reference.call, ...signatures);
  if (change === "signature" && isCalled && !shifted && isUntouched(reference.call, ...signatures)) return [];
  // Whether a class or a literal has all has been looked at; a literal without a type can be anywhere in TypeScript.
  if (change === "required" && (!table.language.startsWith("t") || isForWhole(table, reference))) return [];
  return [
    {
      kind: shifted ? "argument-order" : KINDS[change],
      symbol: pathOf(before),
      definedIn: placeOf(changed.path, (changed.after ?? before).line),
      usedIn: placeOf(path, reference.line),
      message: `${describe(before)} of ${changed.path} ${how}, and ${path} uses it anew`,
      isCertain: shifted,
    },
  ];
}

/** Whether all that a call gives and leaves out means the same by both signatures. */
function isUntouched(call: NonNullable<Reference["call"]>, before: Signature, after: Signature): boolean {
  const [old, now] = [before, after].map(({ parameters }) => new Map(parameters.map((one) => [one.name, one])));
  const given = before.parameters.filter(({ name }, index) => index < call.positional || call.keywords.includes(name));
  const isSame = (name: string): boolean => old?.get(name)?.type === now?.get(name)?.type;
  const isLeft = ({ name, isOptional, value }: Parameter): boolean =>
    given.some((one) => one.name === name) ||
    (isOptional && (old?.get(name) === undefined || old.get(name)?.value === value));
  return !call.isOpen && given.every(({ name }) => isSame(name)) && after.parameters.every(isLeft);
}

function isForWhole({ definitions, literals }: SymbolTable, { name, line }: Reference): boolean {
  return (
    definitions.some((one) => one.line === line && one.supers?.includes(name) === true) ||
    literals.some((one) => one.line === line && one.type === name && !one.isOpen)
  );
}

function describe({ kind, name, scope }: Definition): string {
  return `the ${kind.replace("-", " ")} ${pathOf({ name, scope })}`;
}

function openChoice(
  { path: definedIn, before, how }: ChangedDefinition,
  { path }: AddedUses,
  choice: Choice,
): SemanticHit {
  return {
    kind: "open-choice",
    symbol: pathOf(before),
    definedIn: placeOf(definedIn, before.line),
    usedIn: placeOf(path, choice.line),
    message: `${describe(before)} of ${definedIn} ${how}, which a choice in ${path} does not know`,
    isCertain: false,
  };
}
