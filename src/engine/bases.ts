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
  // For each task: the one writer whose work reaches whoever comes after it, and how many are in that work's line.
  const reaching = new Map<string, string | undefined>();
  const depths = new Map<string, number>();
  for (const name of graph.order) {
    const plan = requirePlan(graph, name);
    const base = lastWriter(name, new Set(predecessorsOf(plan).flatMap((before) => reaching.get(before) ?? [])));
    if (base !== undefined) bases.set(name, base);
    reaching.set(name, plan.writes === "none" ? base : name);
    depths.set(name, base === undefined ? 0 : (depths.get(base) ?? 0) + 1);
  }
  return bases;

  /** The writer whose work holds that of all others: the one at the end of the longest line. */
  function lastWriter(task: string, writers: ReadonlySet<string>): string | undefined {
    if (writers.size <= 1) return [...writers][0];
    const byDepth = [...writers].sort((a, b) => (depths.get(b) ?? 0) - (depths.get(a) ?? 0));
    const apart: string[] = [];
    const inLine = new Set<string>();
    for (const writer of byDepth) {
      if (inLine.has(writer)) continue;
      apart.push(writer);
      for (let at = bases.get(writer); at !== undefined && !inLine.has(at); at = bases.get(at)) inLine.add(at);
    }
    if (apart.length > 1)
      throw severalWriters(
        task,
        [...writers].filter((writer) => !inLine.has(writer)),
      );
    return apart[0];
  }
}

function severalWriters(task: string, writers: readonly string[]): AnabranchError {
  return new AnabranchError("SEVERAL_WRITERS", {
    message: `${task} comes after several tasks that write files (${writers.join(", ")}), whose work is not merged yet`,
    hint: `let one of them need the other, use --mode sequential, or declare "writes: none" for those that only check`,
    data: { task, writers },
  });
}
