import { textMatches } from "./glob.ts";
import type { EventSource, TriggerEvent } from "./trigger.ts";

/** What the events of a source tell. What ends with `.*` has fields that its sender chooses. */
export const EVENT_FIELDS: Readonly<Record<EventSource["type"], readonly string[]>> = {
  files: ["paths.path", "paths.change", "count", "bulk", "by.run", "run"],
  ref: ["ref", "kind", "name", "change", "from", "to", "author", "subject", "paths", "by.run", "run"],
  timer: ["trigger", "dueMs", "missed", "more"],
  webhook: ["hook", "event", "delivery", "body.*"],
  log: ["trigger", "file", "line", "groups.*", "skipped"],
  task: ["workflow", "outcome", "run", "task", "exitStatus", "reason.*", "because"],
  run: ["workflow", "outcome", "run"],
  landing: ["workflow", "landing", "commit", "late", "acceptance", "run", "task"],
  custom: ["*"],
};

/** What stands beside an event's data and can be named like it. */
const OWN_FIELDS = new Set(["type", "run", "task"]);
/** Longer texts are not matched. */
const LONGEST_TEXT = 64 * 1024;

/** Whether a source's events can have a field. */
export function hasField(source: EventSource["type"], path: string): boolean {
  const asked = stepsOf(path).filter((step) => !/^\d+$/.test(step));
  return EVENT_FIELDS[source].some((known) => {
    const steps = known.split(".");
    return asked.length > 0 && asked.every((step, index) => isStep(steps, index, step));
  });
}

/** All values that a field can have, where they are known. */
export function valuesOfField(source: EventSource, path: string): readonly string[] | undefined {
  const field = stepsOf(path).join(".");
  if (field === "outcome") return "outcomes" in source ? source.outcomes : undefined;
  if (source.type === "files" && field === "paths.change") return source.changes;
  if (source.type !== "ref") return undefined;
  if (field === "kind") return [source.kind === "tag" ? "tag" : "branch"];
  return field === "change" ? (source.kind === "commit" ? ["moved"] : REF_CHANGES) : undefined;
}

const REF_CHANGES = ["created", "moved", "deleted"];

function isStep(known: readonly string[], index: number, step: string): boolean {
  return known[index] === step || known[Math.min(index, known.length - 1)] === "*";
}

/** Whether a field of an event, or any of its values, matches any of some globs. */
export function fieldMatches(event: TriggerEvent, path: string, globs: readonly string[]): boolean {
  return valuesAt(event, path).some((value) => {
    const text = textOf(value);
    return text !== undefined && text.length <= LONGEST_TEXT && textMatches(text, globs);
  });
}

/** A field of an event as a text, by which it is told apart from others; `undefined` where it has none. */
export function fieldText(event: TriggerEvent, path: string): string | undefined {
  const values = valuesAt(event, path);
  const [first] = values;
  return values.length === 1
    ? (textOf(first) ?? JSON.stringify(first))
    : values.length === 0
      ? undefined
      : JSON.stringify(values);
}

/** The values at a path such as `body.action` or `paths.path`: of a list those of each item, or of the one with a number. */
function valuesAt(event: TriggerEvent, path: string): readonly unknown[] {
  const steps = stepsOf(path);
  const [first = ""] = steps;
  const own = OWN_FIELDS.has(first) && !path.startsWith("data.") && !Object.hasOwn(event.data, first);
  return steps
    .reduce<readonly unknown[]>(
      (values, step) => values.flatMap((value) => below(value, step)),
      [own ? event : event.data],
    )
    .flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value]));
}

function stepsOf(path: string): readonly string[] {
  const steps = path.split(".");
  return steps.length > 1 && steps[0] === "data" ? steps.slice(1) : steps;
}

function below(value: unknown, step: string): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if (Object.hasOwn(value, step)) return [(value as Record<string, unknown>)[step]];
  return Array.isArray(value) ? value.flatMap((item) => (Array.isArray(item) ? [] : below(item, step))) : [];
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" || value === null ? String(value) : undefined;
}
