import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { systemCodeOf } from "../../base/errors.ts";
import { TriggerIndex } from "../../engine/trigger-index.ts";
import type { FlowState } from "../../engine/flow.ts";
import type { Store } from "../../store/port.ts";
import {
  loadTriggers,
  loadTriggerSets,
  patchedTrigger,
  type TriggerPatch,
  type TriggerRow,
  type TriggerSetRow,
} from "../../store/trigger-sets.ts";
import { FILE_NAME, parseRepositoryFile } from "../../workflows/file.ts";
import type { RepositoryFile } from "../../workflows/schema.ts";

/** A trigger that was agreed to. */
export type LiveTrigger = TriggerRow<FlowState>;

/** The triggers of a repository, as they were agreed to. */
export interface LiveSet {
  readonly row: TriggerSetRow;
  readonly triggers: ReadonlyMap<string, LiveTrigger>;
  /** Whether the file is still what was agreed to: nothing of it acts while it is not. */
  readonly isAgreed: boolean;
}

/** The enabled triggers of all repositories: a copy of committed rows. */
export class TriggerBook {
  readonly #store: Store;
  readonly #sets = new Map<string, LiveSet>();
  /** The triggers that act, by what they wait for. */
  readonly index = new TriggerIndex<LiveTrigger>();
  readonly #dues = new Map<string, number>();
  readonly #files = new Map<string, Promise<RepositoryFile>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Reads all sets that are enabled, and looks whether their files are as they were agreed to. */
  async load(): Promise<void> {
    for (const row of await loadTriggerSets(this.#store)) await this.read(row);
  }

  /** Takes in a set as it was just committed. */
  async read(row: TriggerSetRow): Promise<void> {
    this.#files.delete(row.repositoryId);
    const rows = await loadTriggers<FlowState>(this.#store, row.repositoryId);
    const triggers = new Map(rows.filter(({ state }) => state !== "removed").map((one) => [one.id, one]));
    this.#sets.set(row.repositoryId, { row, triggers, isAgreed: (await hashOfFile(row.root)) === row.contentHash });
    this.#sort(row.repositoryId);
  }

  /** The file of a set, as it was agreed to. */
  fileOf({ row }: LiveSet): Promise<RepositoryFile> {
    const known = this.#files.get(row.repositoryId) ?? parseRepositoryFile(row.content, join(row.root, FILE_NAME));
    this.#files.set(row.repositoryId, known);
    return known;
  }

  /** Forgets a set that was disabled. */
  remove(repositoryId: string): void {
    this.#sets.delete(repositoryId);
    this.#sort(repositoryId);
  }

  all(): LiveSet[] {
    return [...this.#sets.values()];
  }

  get(repositoryId: string): LiveSet | undefined {
    return this.#sets.get(repositoryId);
  }

  /** The set and the trigger that an id names. */
  find(id: string): { readonly set: LiveSet; readonly trigger: LiveTrigger } | undefined {
    const set = this.#sets.get(id.slice(0, id.indexOf("/")));
    const trigger = set?.triggers.get(id);
    return set === undefined || trigger === undefined ? undefined : { set, trigger };
  }

  /** Makes changes of triggers show, once they are durable. */
  install(patches: ReadonlyMap<string, TriggerPatch<FlowState>>): void {
    for (const [id, patch] of patches) {
      const found = this.find(id);
      if (found === undefined) continue;
      const after = patchedTrigger(found.trigger, patch);
      (found.set.triggers as Map<string, LiveTrigger>).set(id, after);
      this.#noteDue(after);
      if (patch.state !== undefined) this.#sort(after.repositoryId);
    }
  }

  /**
   * The triggers whose flow control has something to do by some time; or was told a later time already: the clock was set
   * back, and what is due moves with it.
   */
  due(atMs: number): LiveTrigger[] {
    return [...this.#dues].flatMap(([id, dueMs]) => {
      const trigger = this.find(id)?.trigger;
      return trigger !== undefined && (dueMs <= atMs || trigger.flow.clockMs > atMs) ? [trigger] : [];
    });
  }

  /** When the first of them is due; `undefined` where none is. */
  get nextDueMs(): number | undefined {
    const dues = [...this.#dues.values()];
    return dues.length === 0 ? undefined : dues.reduce((least, dueMs) => Math.min(least, dueMs));
  }

  /** Looks at the file of a set again. @returns whether it is another than it was seen last */
  async look(repositoryId: string): Promise<boolean> {
    const set = this.#sets.get(repositoryId);
    if (set === undefined) return false;
    const isAgreed = (await hashOfFile(set.row.root)) === set.row.contentHash;
    if (isAgreed === set.isAgreed) return false;
    this.#sets.set(repositoryId, { ...set, isAgreed });
    this.#sort(repositoryId);
    return true;
  }

  #sort(repositoryId: string): void {
    if (this.#sets.get(repositoryId) === undefined) this.#files.delete(repositoryId);
    const triggers = [...(this.#sets.get(repositoryId)?.triggers.values() ?? [])];
    for (const id of this.#dues.keys()) if (id.startsWith(`${repositoryId}/`)) this.#dues.delete(id);
    for (const trigger of triggers) this.#noteDue(trigger);
    this.index.set(
      repositoryId,
      triggers.filter(({ state }) => state === "active"),
    );
  }

  // One that does not act has nothing to do before it acts again.
  #noteDue({ id, repositoryId, state, dueMs }: LiveTrigger): void {
    const acts = state === "active" && this.#sets.get(repositoryId)?.isAgreed === true;
    if (dueMs !== undefined && acts) this.#dues.set(id, dueMs);
    else this.#dues.delete(id);
  }
}

/** What names the content of a file. */
export function hashOf(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The content of the file at a repository's root; `undefined` where there is none that can be read. */
export async function readFileAt(root: string): Promise<string | undefined> {
  try {
    return await readFile(join(root, FILE_NAME), "utf8");
  } catch (cause) {
    if (systemCodeOf(cause) === undefined) throw cause;
    return undefined;
  }
}

async function hashOfFile(root: string): Promise<string | undefined> {
  const content = await readFileAt(root);
  return content === undefined ? undefined : hashOf(content);
}
