/**
 * What cannot be taken back comes last: an irreversible task starts when every task of its run that writes, and does not
 * itself come after it, has ended, landed or not. It writes nothing, so whatever it does is done on what has landed.
 *
 * Where two irreversible tasks each have writers after them, the one that was written first goes first.
 */
import { AnabranchError } from "../base/errors.ts";
import { buildGraph, requirePlan, type Graph } from "./graph.ts";
import { isFinal } from "./outcome.ts";
import type { Join, TaskPlan } from "./task.ts";

/** What of a run bears on its irreversible tasks. */
export interface EffectsOfRun {
  readonly join: Join;
  readonly land: "each" | "together";
}

/**
 * Adds to `after` what irreversible tasks wait for.
 * @throws {AnabranchError} `GRAPH_INVALID` where one could never start, or could be stopped half way; as `buildGraph` does
 */
export function orderEffects<Plan extends TaskPlan>(plans: readonly Plan[], run: EffectsOfRun): readonly Plan[] {
  if (!plans.some(isIrreversible)) return plans;
  const graph = buildGraph(plans);
  for (const plan of plans) if (isIrreversible(plan)) refuseImpossible(plan, graph, run);
  const writers = plans.filter(({ writes }) => writes !== "none").map(({ name }) => name);
  const followers = new Map([...graph.followers].map(([name, list]) => [name, [...list]]));
  const added = new Map<string, readonly string[]>();
  // From the last one on: what follows the earlier ones then comes before it, and not the other way round.
  for (const name of graph.order.toReversed()) {
    const plan = requirePlan(graph, name);
    if (!isIrreversible(plan)) continue;
    const [later, over] = [reachable(followers, name), surelyEnded(plan, graph)];
    const before = writers.filter((writer) => !later.has(writer) && !over.has(writer));
    for (const writer of before) followers.get(writer)?.push(name);
    added.set(name, before);
  }
  return plans.map((plan) => ({ ...plan, after: [...plan.after, ...(added.get(plan.name) ?? [])] }));
}

function isIrreversible({ effect }: TaskPlan): boolean {
  return effect === "irreversible";
}

function reachable(followers: ReadonlyMap<string, readonly string[]>, from: string): Set<string> {
  const found = new Set<string>([from]);
  for (const name of found) for (const follower of followers.get(name) ?? []) found.add(follower);
  return found;
}

/** The tasks that have ended whenever a task is ready: what it waits for, and what that had to wait for to succeed. */
function surelyEnded(plan: TaskPlan, graph: Graph): Set<string> {
  const ended = new Set<string>(plan.after);
  const ran = new Set<TaskPlan>([plan]);
  for (const one of ran) {
    for (const name of one.after) ended.add(name);
    if (one.join !== "all") continue;
    for (const name of one.needs) ended.add(name);
    // One that was skipped waited for nothing.
    if (one.when === "success") for (const name of one.needs) ran.add(requirePlan(graph, name));
  }
  return ended;
}

function refuseImpossible(plan: TaskPlan, graph: Graph, { join, land }: EffectsOfRun): void {
  const { name } = plan;
  const all = [...graph.tasks.values()];
  if (plan.writes !== "none") {
    throw invalid(name, "is irreversible, so it cannot write: that could fail to land when all is done", [
      `write "writes: none", and let a task that needs ${name} write what is to land`,
    ]);
  }
  const writer = all.find(({ writes }) => writes !== "none");
  if (land === "together" && writer !== undefined) {
    throw invalid(name, `is irreversible, but with "land: together" nothing has landed before all tasks have ended`, [
      `put ${name} into a workflow of its own, and start it by a trigger: { on: { run: WORKFLOW }, run: … }`,
      `or remove "land: together"`,
    ]);
  }
  const race = join === "all" ? undefined : all.find(({ name: other }) => isFinal(graph, other))?.name;
  const runners = race === undefined ? [] : graph.order.filter((other) => !requirePlan(graph, other).detach);
  const joining = all.find((other) => other.join !== "all" && upstream(other, graph).has(name));
  if (joining === undefined && !runners.includes(name)) return;
  const where = joining === undefined ? `the run joins with "${join}"` : `${joining.name} joins with "${joining.join}"`;
  throw invalid(name, `is irreversible, but ${where}: it could be stopped half way because another was first`, [
    joining === undefined ? `write "detach: true", or remove the join` : `let ${name} need ${joining.name} instead`,
  ]);
}

/** Everything that a task needs, and what that needs. */
function upstream(plan: TaskPlan, graph: Graph): Set<string> {
  const found = new Set<string>(plan.needs);
  for (const name of found) for (const need of requirePlan(graph, name).needs) found.add(need);
  return found;
}

function invalid(task: string, why: string, hints: readonly string[]): AnabranchError {
  return new AnabranchError("GRAPH_INVALID", {
    message: `task ${task} ${why}`,
    hint: hints.join("; "),
    data: { task },
  });
}
