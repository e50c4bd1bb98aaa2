import { literalStart } from "./overlap.ts";
import { EVENT_TYPES, type TriggerEvent, type TriggerSpec } from "./trigger.ts";

/** A trigger, with what it is known by. */
export interface IndexedTrigger {
  readonly id: string;
  readonly spec: TriggerSpec;
}

/** Finds the triggers that an event could be for, without trying all of them. */
export class TriggerIndex<Trigger extends IndexedTrigger> {
  readonly #repositories = new Map<string, ReadonlyMap<string, readonly number[]>>();
  readonly #triggers = new Map<string, readonly Trigger[]>();

  /** Takes in all triggers of a repository, in the place of those that it had. */
  set(repositoryId: string, triggers: readonly Trigger[]): void {
    const places = new Map<string, number[]>();
    for (const [place, { id, spec }] of triggers.entries()) {
      for (const key of new Set(keysOfTrigger(id, spec))) {
        const known = places.get(key);
        if (known === undefined) places.set(key, [place]);
        else known.push(place);
      }
    }
    this.#repositories.set(repositoryId, places);
    this.#triggers.set(repositoryId, triggers);
  }

  /** The triggers of the event's repository that might wait for it, in their order. */
  candidates(event: TriggerEvent): readonly Trigger[] {
    const places = this.#repositories.get(event.repositoryId ?? "");
    const triggers = this.#triggers.get(event.repositoryId ?? "");
    if (places === undefined || triggers === undefined) return [];
    const found = new Set<number>();
    for (const key of keysOfEvent(event)) for (const place of places.get(key) ?? []) found.add(place);
    return [...found].sort((a, b) => a - b).flatMap((place) => triggers[place] ?? []);
  }
}

function keysOfTrigger(id: string, { name, source }: TriggerSpec): readonly string[] {
  switch (source.type) {
    case "files":
      return ["files", ...source.globs.map((glob) => `files ${folderOf(glob)}`)];
    case "ref":
      return ["ref"];
    case "timer":
    case "log":
      return [id, name].map((known) => `${source.type} ${known}`);
    case "webhook":
      return [`webhook ${source.hook}`];
    case "task":
      return [`task ${source.workflow}.${source.task}`];
    case "run":
    case "landing":
      return [`${source.type} ${source.workflow}`];
    default:
      return source.names.map((glob) => (/^[\w.-]+$/.test(glob) ? `custom ${glob}` : "custom"));
  }
}

/** The folder that all paths of a glob are in, or the only path that it names. */
function folderOf(glob: string): string {
  const start = literalStart(glob);
  return start.slice(0, Math.max(0, start.lastIndexOf("/")));
}

function keysOfEvent({ type, task, data }: TriggerEvent): Iterable<string> {
  const word = (field: string): string => String(data[field]);
  switch (type) {
    case EVENT_TYPES.files:
      return keysOfFiles(data);
    case EVENT_TYPES.ref:
      return ["ref"];
    case EVENT_TYPES.timer:
      return [`timer ${word("trigger")}`];
    case EVENT_TYPES.log:
      return [`log ${word("trigger")}`];
    case EVENT_TYPES.webhook:
      return [`webhook ${word("hook")}`];
    case "task.ended":
      return [`task ${word("workflow")}.${task}`];
    case "run.ended":
      return [`run ${word("workflow")}`];
    case "task.landed":
    case "run.accepted":
      return [`landing ${word("workflow")}`];
    default:
      return type.startsWith(EVENT_TYPES.customPrefix)
        ? ["custom", `custom ${type.slice(EVENT_TYPES.customPrefix.length)}`]
        : [];
  }
}

function keysOfFiles(data: TriggerEvent["data"]): Iterable<string> {
  const told = Array.isArray(data["paths"]) ? (data["paths"] as readonly unknown[]) : [];
  // Of those that are not told, nobody knows the folder.
  if (Number(data["count"]) > told.length) return ["files"];
  const keys = new Set(["files "]);
  for (const one of told) {
    const { path } = (one ?? {}) as { readonly path?: unknown };
    // From the path up to the first folder that is known already.
    for (
      let at = String(path);
      at !== "" && !keys.has(`files ${at}`);
      at = at.slice(0, Math.max(0, at.lastIndexOf("/")))
    )
      keys.add(`files ${at}`);
  }
  return keys;
}
