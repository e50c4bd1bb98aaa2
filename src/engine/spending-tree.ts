/**
 * What was used in a tree of delegation: sessions below tasks, tasks below their run, a run below the task that started
 * it.
 *
 * Invariant: what a node has spent is the sum of all sessions at and below it, and of what was below it before it moved.
 */
import type { Budget } from "./agent.ts";
import { addUsage, NOTHING_SPENT, overrun, subtractUsage, type Overrun, type Spent } from "./budget.ts";

/** A task or a run. */
export interface SpendingNode {
  /** The key of the node that it belongs to. */
  readonly above: string | undefined;
  readonly budget: Budget;
  /** When it began; absent while it has not. */
  readonly sinceMs: number | undefined;
}

/** A limit that is reached, and the key of the node whose limit it is. */
export interface TreeOverrun extends Overrun {
  readonly whose: string;
}

interface Node extends SpendingNode {
  above: string | undefined;
  budget: Budget;
  sinceMs: number | undefined;
  spent: Spent;
  readonly sessions: Map<string, Spent>;
  /** How many nodes belong to it. */
  below: number;
}

/** See the head of this file. */
export class SpendingTree {
  readonly #nodes = new Map<string, Node>();

  has(key: string): boolean {
    return this.#nodes.has(key);
  }

  /** Adds a node; what it belongs to is there already, or never will be. */
  add(key: string, node: SpendingNode): void {
    if (this.#nodes.has(key)) return;
    this.#nodes.set(key, { ...node, spent: NOTHING_SPENT, sessions: new Map(), below: 0 });
    const above = this.#above(node);
    if (above !== undefined) above.below += 1;
  }

  /** A node belongs to another one from now on; what it has spent counts there, and stays counted where it was. */
  move(key: string, above: string | undefined): void {
    const node = this.#nodes.get(key);
    if (node === undefined || node.above === above) return;
    const before = this.#above(node);
    if (before !== undefined) before.below -= 1;
    node.above = above;
    const after = this.#above(node);
    if (after === undefined) return;
    after.below += 1;
    for (const [, one] of this.#upwards(above)) {
      const { usage, estimated } = one.spent;
      one.spent = { usage: addUsage(usage, node.spent.usage), estimated: estimated || node.spent.estimated };
    }
  }

  /** Forgets a node to which nothing belongs; what it has spent stays spent. */
  remove(key: string): void {
    const node = this.#nodes.get(key);
    if (node === undefined || node.below > 0) return;
    this.#nodes.delete(key);
    const above = this.#above(node);
    if (above !== undefined) above.below -= 1;
  }

  /** What a node may use from now on. */
  limit(key: string, budget: Budget): void {
    const node = this.#nodes.get(key);
    if (node !== undefined) node.budget = budget;
  }

  /** A node has begun, unless it had before. */
  begin(key: string, sinceMs: number): void {
    const node = this.#nodes.get(key);
    if (node !== undefined) node.sinceMs ??= sinceMs;
  }

  /** Notes all that a session at a node has used so far. */
  record(key: string, session: string, spent: Spent): void {
    const { sessions } = this.#nodes.get(key) ?? {};
    if (sessions === undefined) return;
    const more = subtractUsage(spent.usage, (sessions.get(session) ?? NOTHING_SPENT).usage);
    sessions.set(session, spent);
    for (const [, node] of this.#upwards(key)) {
      const { usage, estimated } = node.spent;
      node.spent = { usage: addUsage(usage, more), estimated: estimated || spent.estimated };
    }
  }

  /** What was used at and below a node. */
  spent(key: string): Spent {
    return this.#nodes.get(key)?.spent ?? NOTHING_SPENT;
  }

  /** The nearest limit that is reached, of a node or what it belongs to. */
  overrun(key: string, nowMs: number, more: boolean): TreeOverrun | undefined {
    for (const [whose, { budget, spent, sinceMs }] of this.#upwards(key)) {
      const reached = overrun(budget, spent.usage, nowMs - (sinceMs ?? nowMs), more);
      if (reached !== undefined) return { ...reached, whose };
    }
    return undefined;
  }

  /** How long until a limit of time is reached; `undefined` where none is set. */
  msLeft(key: string, nowMs: number): number | undefined {
    const left = [...this.#upwards(key)].flatMap(([, { budget, sinceMs }]) =>
      budget.ms === undefined ? [] : [(sinceMs ?? nowMs) + budget.ms - nowMs],
    );
    return left.length === 0 ? undefined : Math.min(...left);
  }

  #above({ above }: SpendingNode): Node | undefined {
    return above === undefined ? undefined : this.#nodes.get(above);
  }

  *#upwards(key: string | undefined): Generator<[string, Node]> {
    for (let at = key; at !== undefined;) {
      const node = this.#nodes.get(at);
      if (node === undefined) return;
      yield [at, node];
      at = node.above;
    }
  }
}
