import { printable } from "../base/printable.ts";
import type { RunSummary, TaskView } from "../protocol/views.ts";
import { plural } from "./format.ts";
import type { Colours } from "./terminal.ts";

type Mark = { readonly symbol: string; readonly colour: (colours: Colours, text: string) => string };

const MARKS: Readonly<Record<string, Mark>> = {
  succeeded: { symbol: "✓", colour: (c, text) => c.green(text) },
  failed: { symbol: "✗", colour: (c, text) => c.red(text) },
  lost: { symbol: "✗", colour: (c, text) => c.red(text) },
  cancelled: { symbol: "■", colour: (c, text) => c.yellow(text) },
  skipped: { symbol: "–", colour: (c, text) => c.dim(text) },
  waiting: { symbol: "·", colour: (c, text) => c.dim(text) },
  ready: { symbol: "○", colour: (c, text) => c.dim(text) },
  preparing: { symbol: "◌", colour: (c, text) => c.cyan(text) },
  working: { symbol: "●", colour: (c, text) => c.cyan(text) },
  captured: { symbol: "◍", colour: (c, text) => c.cyan(text) },
  landing: { symbol: "◎", colour: (c, text) => c.cyan(text) },
  active: { symbol: "●", colour: (c, text) => c.cyan(text) },
};

/** The symbol of a state or outcome, in its colour. */
export function markOf(word: string, colours: Colours): string {
  const mark = MARKS[word];
  return mark === undefined ? "?" : mark.colour(colours, mark.symbol);
}

/** A state or outcome in its colour. */
export function colourState(word: string, colours: Colours, text = word): string {
  return MARKS[word]?.colour(colours, text) ?? text;
}

/** The word that says best where a task or run stands. */
export function wordFor(thing: Pick<TaskView, "state" | "outcome"> | Pick<RunSummary, "state" | "outcome">): string {
  return thing.outcome ?? thing.state;
}

/** Why a task waits or what it does right now, in a few words; empty where its state says it all. */
export function explainTask(task: TaskView, all: readonly TaskView[]): string {
  if (task.activity !== undefined) return printable(task.activity);
  if (task.cancelRequested && task.state !== "ended") return "stopping";
  const overlaps = explainOverlaps(task);
  if (overlaps !== "") return overlaps;
  if (task.state === "waiting") {
    const open = task.needs.filter((need) => all.some((other) => other.name === need && other.state !== "ended"));
    return open.length > 0 ? `waits for ${open.join(", ")}` : "waits for its turn";
  }
  if (task.state === "landing") return "waits for its place on the lane";
  if (task.state === "ready")
    return task.reason === undefined ? "ready, waits for a place" : `tries again: ${printable(task.reason.message)}`;
  return task.reason === undefined ? "" : printable(task.reason.message);
}

/** Whom a task's work will conflict with, as far as that can be seen by now; empty where with nobody. */
export function explainOverlaps({ run, overlaps = [] }: TaskView): string {
  const [first, ...others] = overlaps;
  if (first === undefined) return "";
  const name = first.run === run ? first.task : `${first.run}/${first.task}`;
  const [path = "", ...more] = first.paths;
  const where = more.length > 0 ? `${path} and ${plural(more.length, "more file")}` : path;
  const whom = others.length > 0 ? ` (and with ${plural(others.length, "more task")})` : "";
  return printable(`overlaps with ${name} in ${where}${whom}`);
}
