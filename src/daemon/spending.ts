/**
 * What agents use, for each task and run with all that was started by it, and when a budget of any of them is spent.
 *
 * Kept in memory for runs with work left and whatever they belong to; the store has the usage of each session.
 */
import { priceUsage, type PriceList } from "../agents/prices.ts";
import { AnabranchError } from "../base/errors.ts";
import type { Budget, Usage } from "../engine/agent.ts";
import { describeOverrun, NOTHING_SPENT, type Spent } from "../engine/budget.ts";
import type { Holder } from "../engine/leases.ts";
import { SpendingTree, type TreeOverrun } from "../engine/spending-tree.ts";
import { attemptName, type AttemptKey } from "../store/attempts.ts";
import { findRun, type RunRow } from "../store/runs.ts";
import { loadChainRunIds, loadFamily, loadUsage, type FamilyRun } from "../store/usage.ts";
import type { RunSpec } from "../workflows/spec.ts";
import { taskKey, type LiveRun, type PlanRecord } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** What a run and its tasks have spent, each with everything it started. */
export interface RunSpending {
  readonly run: Spent;
  readonly of: (task: string) => Spent;
}

type Row = Pick<RunRow<RunSpec, PlanRecord>, "id" | "parent" | "createdMs" | "cause"> & {
  readonly spec: Pick<RunSpec, "budget" | "tasks" | "chain">;
};

/** See the head of this file. */
export class Spending {
  readonly #parts: Pick<Parts, "store" | "clock" | "book">;
  readonly #prices: PriceList;
  readonly #tree = new SpendingTree();
  readonly #known = new Map<
    string,
    { readonly parent: Row["parent"]; readonly chain: string | undefined; readonly tasks: readonly string[] }
  >();
  /** How many runs of each chain are about to begin. */
  readonly #opening = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  /** @param prices the user's own, which come before those of lists */
  constructor(parts: Pick<Parts, "store" | "clock" | "book">, prices: PriceList) {
    this.#parts = parts;
    this.#prices = prices;
  }

  /** Reads what was used in the trees of all runs with work left. */
  async load(): Promise<void> {
    const live = this.#parts.book.all().map(({ row }) => row);
    const chains = new Set(live.flatMap(({ cause }) => cause?.chain ?? []));
    const related = await Promise.all([...chains].map((chain) => loadChainRunIds(this.#parts.store, chain)));
    await this.#addFamily([...live.map(({ id }) => id), ...related.flat()]);
  }

  /**
   * A run of a chain is about to begin: what the chain has used before counts.
   * @returns lets go of the chain, once the run has begun or has not
   * @throws {AnabranchError} `BUDGET_SPENT` when the chain has nothing left
   */
  async openChain(chain: string, budget: Budget): Promise<() => void> {
    this.#opening.set(chain, (this.#opening.get(chain) ?? 0) + 1);
    const letGo = (): void => {
      const left = (this.#opening.get(chain) ?? 1) - 1;
      if (left > 0) this.#opening.set(chain, left);
      else this.#opening.delete(chain);
      this.#removeChain(chain);
    };
    try {
      if (!this.#tree.has(chainKey(chain))) await this.#loadChain(chain, budget);
      this.#tree.limit(chainKey(chain), budget);
      const reached = this.#tree.overrun(chainKey(chain), this.#parts.clock.wallMs(), true);
      if (reached !== undefined) throw budgetSpent(reached);
      return letGo;
    } catch (cause) {
      letGo();
      throw cause;
    }
  }

  async #loadChain(chain: string, budget: Budget): Promise<void> {
    const before = await loadChainRunIds(this.#parts.store, chain);
    addChain(this.#tree, chain, budget, this.#parts.clock.wallMs());
    await this.#addFamily(before);
  }

  /** A chain of which nothing goes on is looked up anew when it goes on. */
  #removeChain(chain: string): void {
    if (!this.#opening.has(chain)) this.#tree.remove(chainKey(chain));
  }

  async #addFamily(runs: readonly string[]): Promise<void> {
    const family = await loadFamily(this.#parts.store, runs);
    for (const { id } of family) {
      const row = this.#parts.book.get(id)?.row ?? (await findRun<RunSpec, PlanRecord>(this.#parts.store, id));
      if (row !== undefined) this.#add(row);
    }
    await this.#fill(this.#tree, family);
    for (const { id } of family.toReversed()) this.#remove(id);
  }

  /** Takes in a run that is about to begin. */
  know({ row }: LiveRun): void {
    this.#add(row);
  }

  /** Forgets a run that has left the book, once nothing that it has started goes on. */
  forget({ row }: LiveRun): void {
    this.#remove(row.id);
  }

  /**
   * A run has another parent: from now on what it uses counts there too. What it has used by then stays counted where it
   * was, until the next daemon counts anew.
   */
  move({ row }: LiveRun): void {
    const known = this.#known.get(row.id);
    if (known === undefined) return;
    this.#known.set(row.id, { ...known, parent: row.parent });
    const { parent } = row;
    if (parent !== undefined && this.#tree.has(parent.run)) addTask(this.#tree, parent);
    this.#tree.move(row.id, parent === undefined ? undefined : taskKey(parent.run, parent.task));
    if (known.parent !== undefined) this.#remove(known.parent.run);
  }

  /** What was used, with its price: the one that the agent tells, or an estimate. */
  price(usage: Usage, model: string | undefined): Spent {
    return priceUsage(usage, model, this.#prices);
  }

  /** A task begins to use time. */
  begin({ run, task }: Holder): void {
    addTask(this.#tree, { run, task });
    this.#tree.begin(taskKey(run, task), this.#parts.clock.wallMs());
  }

  /** Notes all that the session of an attempt has used so far, from zero. */
  record(attempt: AttemptKey, spent: Spent): void {
    this.#tree.record(taskKey(attempt.run, attempt.task), attemptName(attempt), spent);
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after something was used. Returns the way to stop that. */
  onSpent(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The nearest limit that is reached: of a task, its run, or whatever has started that.
   * @param more whether something new is about to use it
   */
  overrun(task: Holder, more = false): TreeOverrun | undefined {
    return this.#tree.overrun(this.#keyOf(task), this.#parts.clock.wallMs(), more);
  }

  /** How long until a task has to end because a limit of time is reached. */
  msLeft(task: Holder): number | undefined {
    return this.#tree.msLeft(this.#keyOf(task), this.#parts.clock.wallMs());
  }

  /** What a run has spent, and everything it started. */
  async spentBy({ row }: LiveRun): Promise<RunSpending> {
    let tree = this.#tree;
    if (!tree.has(row.id)) {
      const isPlain = row.spec.tasks.every(({ agent }) => agent === undefined);
      const family = await loadFamily(this.#parts.store, [row.id]);
      if (isPlain && family.length === 1) return { run: NOTHING_SPENT, of: () => NOTHING_SPENT };
      tree = new SpendingTree();
      for (const one of family)
        addRun(tree, { ...one, cause: undefined, createdMs: 0, spec: { budget: {}, tasks: [] } });
      await this.#fill(tree, family);
    }
    return { run: tree.spent(row.id), of: (task) => tree.spent(taskKey(row.id, task)) };
  }

  /** A task that has no budget and has used nothing has no node. */
  #keyOf({ run, task }: Holder): string {
    const key = taskKey(run, task);
    return this.#tree.has(key) ? key : run;
  }

  #add(row: Row): void {
    const { id, parent, cause, spec } = row;
    this.#known.set(id, { parent, chain: cause?.chain, tasks: spec.tasks.map(({ name }) => name) });
    addRun(this.#tree, row);
  }

  #remove(run: string): void {
    const known = this.#known.get(run);
    if (known === undefined || this.#parts.book.get(run) !== undefined) return;
    for (const task of known.tasks) this.#tree.remove(taskKey(run, task));
    this.#tree.remove(run);
    if (this.#tree.has(run)) return;
    this.#known.delete(run);
    if (known.parent !== undefined) this.#remove(known.parent.run);
    else if (known.chain !== undefined) this.#removeChain(known.chain);
  }

  async #fill(tree: SpendingTree, family: readonly FamilyRun[]): Promise<void> {
    const usage = await loadUsage(
      this.#parts.store,
      family.map(({ id }) => id),
    );
    for (const { run, task, attempt, createdMs, spent } of usage) {
      const session = attemptName({ run, task, number: attempt });
      addTask(tree, { run, task });
      tree.begin(taskKey(run, task), createdMs);
      tree.record(taskKey(run, task), session, spent);
    }
  }
}

/** The error of what goes beyond a budget. */
export function budgetSpent(reached: TreeOverrun): AnabranchError {
  const { limit, used, allowed, whose } = reached;
  const what = whose.startsWith(CHAIN) ? "" : whose.includes("/") ? "task " : "run ";
  return new AnabranchError("BUDGET_SPENT", {
    message: `the budget of ${what}${whose} is spent: ${describeOverrun(reached)}`,
    hint: "what was done by then is kept; start it anew with a larger budget",
    data: { limit, used, allowed, whose },
  });
}

const CHAIN = "chain ";

function chainKey(chain: string): string {
  return `${CHAIN}${chain}`;
}

function addChain(tree: SpendingTree, chain: string, budget: Budget, sinceMs: number): void {
  tree.add(chainKey(chain), { above: undefined, budget, sinceMs });
}

function addRun(tree: SpendingTree, { id, parent, cause, createdMs, spec }: Row): void {
  if (parent !== undefined && tree.has(parent.run)) addTask(tree, parent);
  const isFirst = parent === undefined && cause !== undefined;
  if (isFirst) addChain(tree, cause.chain, spec.chain ?? {}, createdMs);
  const above = parent !== undefined ? taskKey(parent.run, parent.task) : isFirst ? chainKey(cause.chain) : undefined;
  // A run that was started before there were budgets has none.
  tree.add(id, { above, budget: (spec as Partial<RunSpec>).budget ?? {}, sinceMs: createdMs });
  for (const { name, agent } of spec.tasks) {
    if (agent === undefined) continue;
    tree.add(taskKey(id, name), { above: id, budget: agent.budget, sinceMs: undefined });
  }
}

/** A task that is no agent's, but has started something, or of which only the usage counts. */
function addTask(tree: SpendingTree, { run, task }: Holder): void {
  tree.add(taskKey(run, task), { above: run, budget: {}, sinceMs: undefined });
}
