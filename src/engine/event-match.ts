import { fieldMatches } from "./event-fields.ts";
import { nameMatches, textMatches } from "./glob.ts";
import { pathInScope } from "./scope.ts";
import { EVENT_TYPES, type EventSource, type TriggerEvent, type TriggerSpec } from "./trigger.ts";

/** Whether an event is one that a trigger waits for, and of files which; or why it is not. */
export type EventMatch =
  | { readonly matches: true; readonly paths?: readonly string[] }
  | { readonly matches: false; readonly why: string };

/**
 * Whether an event of a trigger's own repository is one that it waits for.
 *
 * @param triggerId by which timers and log files name the trigger; its name will do
 */
export function matchEvent(spec: TriggerSpec, triggerId: string, event: TriggerEvent): EventMatch {
  const { source } = spec;
  const types = typesOf(source);
  if (!types.some((type) => isOfType(event.type, type)))
    return no(`it waits for ${types.join(" or ")}, and this is ${event.type}`);
  const match = matchSource(source, [triggerId, spec.name], event);
  if (!match.matches) return match;
  const other = Object.entries(spec.where).find(([path, globs]) => !fieldMatches(event, path, globs));
  return other === undefined ? match : no(`${other[0]} is not ${orOf(other[1])}`);
}

/** The types of the events that a source leads to; one that ends with a dot is the start of many. */
function typesOf(source: EventSource): readonly string[] {
  switch (source.type) {
    case "files":
    case "ref":
    case "timer":
    case "webhook":
    case "log":
      return [EVENT_TYPES[source.type]];
    case "task":
      return ["task.ended"];
    case "run":
      return ["run.ended"];
    case "landing":
      return ["task.landed", "run.accepted"];
    default:
      return [EVENT_TYPES.customPrefix];
  }
}

function isOfType(type: string, wanted: string): boolean {
  return wanted.endsWith(".") ? type.startsWith(wanted) : type === wanted;
}

const YES = { matches: true } as const;

function no(why: string): EventMatch {
  return { matches: false, why };
}

function when(matches: boolean, why: () => string): EventMatch {
  return matches ? YES : no(why());
}

function orOf(words: readonly string[]): string {
  return words.join(" or ");
}

function matchSource(source: EventSource, ids: readonly string[], event: TriggerEvent): EventMatch {
  const { data } = event;
  switch (source.type) {
    case "files":
      return matchFiles(source, data);
    case "ref":
      return matchRef(source, data);
    case "timer":
      return when(ids.includes(wordOf(data["trigger"])), () => "it is the timer of another trigger");
    case "log":
      return when(ids.includes(wordOf(data["trigger"])), () => "another trigger reads that log file");
    case "webhook":
      return when(data["hook"] === source.hook, () => `the hook is not ${source.hook}`);
    case "task":
      if (data["workflow"] !== source.workflow || event.task !== source.task)
        return no(`it waits for ${source.workflow}.${source.task}, and another task has ended`);
      return matchOutcome(source.outcomes, data);
    case "run":
      if (data["workflow"] !== source.workflow) return no(`it waits for ${source.workflow}, and another run has ended`);
      return matchOutcome(source.outcomes, data);
    case "landing":
      return when(data["workflow"] === source.workflow, () => `it waits for work of ${source.workflow}`);
    default:
      return when(
        nameMatches(event.type.slice(EVENT_TYPES.customPrefix.length), source.names),
        () => `the name is not ${orOf(source.names)}`,
      );
  }
}

function matchOutcome(outcomes: readonly string[], data: TriggerEvent["data"]): EventMatch {
  return when(outcomes.includes(wordOf(data["outcome"])), () => `the outcome is not ${orOf(outcomes)}`);
}

function matchFiles({ globs, changes }: EventSource & { type: "files" }, data: TriggerEvent["data"]): EventMatch {
  const told = Array.isArray(data["paths"]) ? (data["paths"] as readonly unknown[]) : [];
  const paths = told.flatMap((one) => {
    const { path, change } = (one ?? {}) as { readonly path?: unknown; readonly change?: unknown };
    return typeof path === "string" && (changes as readonly unknown[]).includes(change) && pathInScope(path, globs)
      ? [path]
      : [];
  });
  // It might be among those that are not told.
  if (paths.length > 0 || (data["bulk"] === true && Number(data["count"]) > told.length))
    return { matches: true, paths };
  return no(`no file that was ${orOf(changes)} is in ${orOf(globs)}`);
}

/** So many paths of a commit are told at most. */
const MOST_TOLD = 1000;

function matchRef(source: EventSource & { type: "ref" }, data: TriggerEvent["data"]): EventMatch {
  const kind = source.kind === "tag" ? "tag" : "branch";
  if (data["kind"] !== kind) return no(`it is not a ${kind}`);
  if (source.kind === "commit" && data["change"] !== "moved") return no("the branch was not moved to another commit");
  if (!nameMatches(wordOf(data["name"]), source.names)) return no(`the name is not ${orOf(source.names)}`);
  if (source.authors.length > 0 && !textMatches(wordOf(data["author"]), source.authors))
    return no(`the author is not ${orOf(source.authors)}`);
  if (source.paths.length === 0) return YES;
  const told = Array.isArray(data["paths"]) ? (data["paths"] as readonly unknown[]) : [];
  const paths = told.filter((path): path is string => typeof path === "string" && pathInScope(path, source.paths));
  if (paths.length > 0 || told.length >= MOST_TOLD) return { matches: true, paths };
  return no(`no path that it changes is in ${orOf(source.paths)}`);
}

function wordOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
