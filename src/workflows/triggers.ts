import { AnabranchError } from "../base/errors.ts";
import { DEFAULT_DEPTH } from "../engine/cause.ts";
import { EVENT_FIELDS, hasField, valuesOfField } from "../engine/event-fields.ts";
import { closest } from "../base/closest.ts";
import type { EventSource, FlowSpec, GroupSpec, TriggerSetSpec, TriggerSpec } from "../engine/trigger.ts";
import { compileBudget } from "./agent-definition.ts";
import type { RepositoryFile } from "./schema.ts";
import type { TriggerDefinition } from "./trigger-schema.ts";
import { compileSource, knownWorkflow } from "./trigger-source.ts";
import { checkGlobs, couldMatch, listOf, positiveMs, type Refuse } from "./trigger-values.ts";

const DEFAULT_EXPIRES = "7d";

/**
 * Settles what starts by itself: names, defaults and units are worked in, and what could never work is refused.
 *
 * @param path of the file, for messages
 * @throws {AnabranchError} `TRIGGER_INVALID`
 */
export function compileTriggers(file: RepositoryFile, path: string): TriggerSetSpec {
  const definitions = file.triggers ?? [];
  const names = nameTriggers(definitions, path);
  const groups = settleGroups(definitions, names, path);
  const triggers = definitions.map((definition, index) => {
    const name = names[index] ?? "";
    return compileTrigger(name, definition, file.workflows ?? {}, groups, refuser(path, name));
  });
  checkHooks(triggers, path);
  return {
    triggers,
    chains: { depth: file.chains?.depth ?? DEFAULT_DEPTH, budget: compileBudget(file.chains?.budget) },
  };
}

function refuser(path: string, trigger: string): Refuse {
  return (why, hint) => {
    throw new AnabranchError("TRIGGER_INVALID", {
      message: `${path}: trigger ${trigger} ${why}`,
      hint,
      data: { file: path, trigger },
    });
  };
}

/** Who has no name has that of what it leads to, with a number where that is taken. */
function nameTriggers(definitions: readonly TriggerDefinition[], path: string): readonly string[] {
  const taken = new Set<string>();
  for (const { name } of definitions) {
    if (name !== undefined && taken.has(name))
      refuser(path, name)("is there twice", `call one of them something else, such as ${name}-2`);
    if (name !== undefined) taken.add(name);
  }
  const counts = new Map<string, number>();
  return definitions.map((definition) => {
    if (definition.name !== undefined) return definition.name;
    const base = definition.run ?? listOf(definition.notify)[0] ?? "trigger";
    let count = counts.get(base) ?? 1;
    const numbered = (): string => (count === 1 ? base : `${base}-${count}`);
    while (taken.has(numbered())) count += 1;
    counts.set(base, count);
    taken.add(numbered());
    return numbered();
  });
}

/** What is said of a group in one place holds in all. */
function settleGroups(
  definitions: readonly TriggerDefinition[],
  names: readonly string[],
  path: string,
): ReadonlyMap<string, GroupSpec> {
  const said = new Map<string, NonNullable<TriggerDefinition["concurrency"]>>();
  for (const [index, { concurrency }] of definitions.entries()) {
    const group = concurrency?.group;
    if (concurrency === undefined || group === undefined) continue;
    const other = said.get(group) ?? {};
    for (const key of ["limit", "policy"] as const) {
      if (other[key] !== undefined && concurrency[key] !== undefined && other[key] !== concurrency[key])
        refuser(path, names[index] ?? "")(
          `has ${key}: ${concurrency[key]} for group ${group}, and another one has ${key}: ${other[key]}`,
          `say ${key}: for group ${group} once`,
        );
    }
    said.set(group, { ...other, ...concurrency });
  }
  return new Map([...said].map(([name, { limit = 1, policy = "queue" }]) => [name, { name, limit, policy }]));
}

function compileTrigger(
  name: string,
  definition: TriggerDefinition,
  workflows: NonNullable<RepositoryFile["workflows"]>,
  groups: ReadonlyMap<string, GroupSpec>,
  refuse: Refuse,
): TriggerSpec {
  checkEffect(definition, refuse);
  const source = compileSource(definition.on, workflows, refuse);
  const workflow = definition.run === undefined ? undefined : knownWorkflow(definition.run, "run", workflows, refuse);
  const again = definition.again ?? false;
  if (!again && workflow !== undefined && "workflow" in source && source.workflow === workflow)
    refuse(
      `runs ${workflow} when ${workflow} has ended or landed, and would not fire on what it has led to itself`,
      `run another workflow, or say "again: true": then it goes on up to the depth of its chain`,
    );
  return {
    name,
    source,
    where: compileWhere(definition.where ?? {}, source, refuse),
    workflow,
    notify: [...new Set(listOf(definition.notify))],
    approval: compileApproval(definition.approval, refuse),
    target: definition.target,
    flow: compileFlow(definition, refuse),
    group: compileGroup(name, definition, groups, refuse),
    idempotencyKey: compileKey(definition.idempotencyKey, source, refuse),
    priority: definition.priority ?? 0,
    again,
  };
}

function checkEffect(definition: TriggerDefinition, refuse: Refuse): void {
  if (definition.run !== undefined) return;
  if (definition.notify === undefined) refuse("leads to nothing", "say what it runs (run:) or whom it tells (notify:)");
  const alone = (["approval", "target", "concurrency", "singleton"] as const).find(
    (key) => definition[key] !== undefined,
  );
  if (alone !== undefined)
    refuse(`has ${alone}:, which is about a run, and it starts none`, `leave ${alone} out, or say run:`);
}

function compileWhere(
  where: NonNullable<TriggerDefinition["where"]>,
  source: EventSource,
  refuse: Refuse,
): TriggerSpec["where"] {
  return Object.fromEntries(
    Object.entries(where).map(([path, value]) => {
      const globs = listOf(value);
      checkGlobs(globs, `where: ${path}`, refuse);
      checkField(path, "where", source, refuse);
      const values = valuesOfField(source, path);
      if (values !== undefined && !couldMatch(globs, values))
        refuse(`has where: ${path}: ${globs.join(", ")}, which it never is`, `say one of: ${values.join(", ")}`);
      return [path, globs];
    }),
  );
}

function checkField(path: string, key: string, source: EventSource, refuse: Refuse): void {
  if (hasField(source.type, path)) return;
  const known = EVENT_FIELDS[source.type];
  const near = closest(path.replace(/^data\./, ""), known);
  refuse(
    `has ${key}: ${path}, and such events have no such field`,
    near === undefined ? `name one of: ${known.join(", ")}` : `did you mean ${near}?`,
  );
}

function compileKey(path: string | undefined, source: EventSource, refuse: Refuse): string | undefined {
  if (path !== undefined) checkField(path, "idempotencyKey", source, refuse);
  return path;
}

function compileApproval(approval: TriggerDefinition["approval"], refuse: Refuse): TriggerSpec["approval"] {
  if (approval === undefined) return undefined;
  const expires = approval === "required" ? DEFAULT_EXPIRES : approval.expires;
  return { expiresMs: positiveMs(expires, "approval: expires", refuse) };
}

function compileFlow(definition: TriggerDefinition, refuse: Refuse): FlowSpec {
  const { rateLimit, debounce, batch, throttle } = definition;
  if (debounce !== undefined && batch !== undefined)
    refuse("has debounce: and batch:, and events can be gathered in one way only", "leave one of them out");
  return {
    rateLimit: compileLimit(rateLimit, "rateLimit", refuse),
    debounce: compileDebounce(debounce, refuse),
    batch: batch && { size: batch.size, withinMs: positiveMs(batch.within, "batch: within", refuse) },
    throttle: compileLimit(throttle, "throttle", refuse),
  };
}

function compileLimit(limit: TriggerDefinition["throttle"], key: string, refuse: Refuse): FlowSpec["throttle"] {
  return limit && { limit: limit.limit, perMs: positiveMs(limit.per, `${key}: per`, refuse) };
}

function compileDebounce(debounce: TriggerDefinition["debounce"], refuse: Refuse): FlowSpec["debounce"] {
  if (debounce === undefined) return undefined;
  const { quiet, max, edge = "trailing" } = typeof debounce === "string" ? { quiet: debounce } : debounce;
  const quietMs = positiveMs(quiet, "debounce: quiet", refuse);
  const maxMs = max === undefined ? undefined : positiveMs(max, "debounce: max", refuse);
  if (maxMs !== undefined && edge === "leading")
    refuse("has debounce: max: with edge: leading, where nothing waits", "leave max out, or say edge: both");
  if (maxMs !== undefined && maxMs < quietMs)
    refuse(`has debounce: max: ${max}, which is shorter than quiet: ${quiet}`, "say a longer max, or a shorter quiet");
  return { quietMs, maxMs, edge };
}

function compileGroup(
  trigger: string,
  { concurrency, singleton }: TriggerDefinition,
  groups: ReadonlyMap<string, GroupSpec>,
  refuse: Refuse,
): GroupSpec | undefined {
  if (singleton === true && concurrency !== undefined)
    refuse("has singleton: and concurrency:, which say different things of a second run", "leave one of them out");
  // No group that is written has such a name.
  const own = `trigger:${trigger}`;
  if (singleton === true) return { name: own, limit: 1, policy: "skip" };
  if (concurrency === undefined) return undefined;
  const { group, limit = 1, policy = "queue" } = concurrency;
  return group === undefined ? { name: own, limit, policy } : groups.get(group);
}

/** A hook knows its callers in one way. */
function checkHooks(triggers: readonly TriggerSpec[], path: string): void {
  const signatures = new Map<string, string>();
  for (const { name, source } of triggers) {
    if (source.type !== "webhook") continue;
    const other = signatures.get(source.hook) ?? source.signature;
    if (other !== source.signature)
      refuser(path, name)(
        `has signature: ${source.signature} for webhook ${source.hook}, and another one has ${other}`,
        "say the same, or give it a webhook of its own",
      );
    signatures.set(source.hook, other);
  }
}
