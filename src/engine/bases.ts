import { AnabranchError } from "../base/errors.ts";
import { predecessorsOf, requirePlan, type Graph } from "./graph.ts";

/**
 * The task whose work each task starts from: the last of the writing tasks before it. Tasks that have none are left
 * out: they start from the run's base.
 *
 * @throws {AnabranchError} `SEVERAL_WRITERS` when two writing tasks come before a third and neither before the other:
 * to start from both, their work would first have to be merged.
 */
export function baseTasks(graph: Graph): Map<string, string> {
  const bases = new Map<string, string>();
  // For each task: the writers whose work reaches it and that no other such writer contains.
  const reaching = new Map<string, ReadonlySet<string>>();
  const contains = (task: string, other: string): boolean => {
    for (let at = bases.get(task); at !== undefined; at = bases.get(at)) if (at === other) return true;
    return false;
  };
  for (const name of graph.order) {
    const writers = new Set<string>();
    for (const before of predecessorsOf(requirePlan(graph, name))) {
      for (const writer of reaching.get(before) ?? []) writers.add(writer);
    }
    for (const writer of writers) {
      if ([...writers].some((other) => other !== writer && contains(other, writer))) writers.delete(writer);
    }
    if (writers.size > 1) throw severalWriters(name, [...writers]);
    const [base] = writers;
    if (base !== undefined) bases.set(name, base);
    reaching.set(name, requirePlan(graph, name).writes === "none" ? writers : new Set([name]));
  }
  return bases;
}

function severalWriters(task: string, writers: readonly string[]): AnabranchError {
  return new AnabranchError("SEVERAL_WRITERS", {
    message: `${task} comes after several tasks that write files (${writers.join(", ")}), whose work is not merged yet`,
    hint: `let one of them need the other, use --mode sequential, or declare "writes: none" for those that only check`,
    data: { task, writers },
  });
}
