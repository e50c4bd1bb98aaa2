/**
 * What people do about the triggers of a repository.
 *
 * none → new → enabled ⇄ changed | broken; enabled → disabled
 *
 * Invariant: nothing of a repository's file acts before a person has agreed to exactly that file.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { closest } from "../../base/closest.ts";
import { AnabranchError, toAnabranchError } from "../../base/errors.ts";
import { initialFlow, type FlowState } from "../../engine/flow.ts";
import type { TriggerSetSpec } from "../../engine/trigger.ts";
import { findRepository, type Repository } from "../../git/repository.ts";
import { appendEvent } from "../../store/events.ts";
import { forgetCursors } from "../../store/cursors.ts";
import type { Statement } from "../../store/port.ts";
import type { RepositoryRow } from "../../store/repositories.ts";
import type { Reason } from "../../store/runs.ts";
import {
  findTriggerSet,
  insertTrigger,
  loadTriggers,
  putTriggerSet,
  updateTrigger,
  type TriggerRow,
  type TriggerSetRow,
} from "../../store/trigger-sets.ts";
import { FILE_NAME, parseRepositoryFile } from "../../workflows/file.ts";
import { compileTriggers } from "../../workflows/triggers.ts";
import type { Parts } from "../parts.ts";
import { requireRepository } from "../submission.ts";
import { saveEnvironment } from "./firing-start.ts";
import { hashOf, readFileAt, type TriggerBook } from "./trigger-book.ts";
import { TRIGGER_CURSOR, type TriggerEngine } from "./trigger-engine.ts";

/** The triggers of a repository: as they are in its file, and as they were agreed to. */
export interface TriggerStanding {
  readonly repository: Repository;
  readonly row: RepositoryRow;
  readonly state: "none" | "new" | "enabled" | "changed" | "broken" | "disabled";
  readonly file: { readonly content: string; readonly contentHash: string } | undefined;
  /** What the file says, where it can be read. */
  readonly spec: TriggerSetSpec | undefined;
  readonly problem: Reason | undefined;
  readonly agreed: TriggerSetRow | undefined;
  readonly triggers: readonly TriggerRow<FlowState>[];
}

/** See the head of this file. */
export class TriggerDesk {
  readonly #parts: Parts;
  readonly #book: TriggerBook;
  readonly #engine: TriggerEngine;
  readonly #changed: () => Promise<void>;

  /** @param changed is told when other triggers act than before */
  constructor(parts: Parts, book: TriggerBook, engine: TriggerEngine, changed: () => Promise<void>) {
    this.#parts = parts;
    this.#book = book;
    this.#engine = engine;
    this.#changed = changed;
  }

  /** How the triggers around a folder stand. */
  async look(directory: string): Promise<TriggerStanding> {
    const repository = await findRepository(this.#parts.git, directory);
    const row = await requireRepository(this.#parts, repository);
    const agreed = await findTriggerSet(this.#parts.store, row.id);
    // Where a worktree has enabled them, its file is the one that counts.
    const root = agreed?.state === "enabled" ? agreed.root : repository.root;
    const content = await readFileAt(root);
    const file = content === undefined ? undefined : { content, contentHash: hashOf(content) };
    const { spec, problem } = await this.#read(content, root);
    const triggers = await loadTriggers<FlowState>(this.#parts.store, row.id);
    const state = stateOf(agreed, file?.contentHash, spec, problem);
    return { repository: { ...repository, root }, row, state, file, spec, problem, agreed, triggers };
  }

  /**
   * Lets the triggers of a repository act.
   * @param contentHash names the file that a person has seen
   * @throws {AnabranchError} `TRIGGERS_CHANGED` when the file is another by now; why it cannot be read; `NOT_FOUND`
   */
  async enable(
    directory: string,
    contentHash: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<TriggerStanding> {
    const { row, repository, file, spec, problem, triggers } = await this.look(directory);
    if (problem !== undefined) throw new AnabranchError(problem.code, problem);
    if (file === undefined || spec === undefined || spec.triggers.length === 0) {
      throw new AnabranchError("NOT_FOUND", {
        message: `${repository.root}/${FILE_NAME} has no triggers`,
        hint: "write some under triggers: (docs/events.md), then: anabranch triggers enable",
      });
    }
    if (file.contentHash !== contentHash) {
      throw new AnabranchError("TRIGGERS_CHANGED", {
        message: `${repository.root}/${FILE_NAME} is no longer what was shown: nothing was enabled`,
        hint: "look again: anabranch triggers enable",
        data: { expected: contentHash, found: file.contentHash },
      });
    }
    await saveEnvironment(this.#parts, row.id, environment);
    const set: TriggerSetRow = {
      repositoryId: row.id,
      root: repository.root,
      content: file.content,
      contentHash,
      chains: spec.chains,
      state: "enabled",
      enabledMs: this.#parts.clock.wallMs(),
    };
    const names = new Set(spec.triggers.map(({ name }) => name));
    const gone = triggers.filter((one) => !names.has(one.spec.name));
    await this.#engine.exclusively(async () => {
      const isFirst = this.#book.all().length === 0;
      await this.#parts.store.commit([
        putTriggerSet(set),
        ...this.#rows(row.id, spec, triggers),
        ...gone.map((one) => updateTrigger(one, { state: "removed", dueMs: null })),
        this.#event("triggers.enabled", row.id, { triggers: spec.triggers.length, contentHash }),
        ...(isFirst ? [this.#engine.noteAsRead()] : []),
      ]);
      await this.#book.read(set);
    });
    const reason = { code: "SKIPPED", message: "its trigger was taken out of the file" } as const;
    await this.#engine.drop(new Set(gone.map(({ id }) => id)), reason);
    await this.#withdrawNotice(row.id);
    await this.#changed();
    return this.look(directory);
  }

  /** Lets none of a repository's triggers act any more. What they have started goes on. */
  async disable(directory: string): Promise<TriggerStanding> {
    const { row, agreed, triggers } = await this.look(directory);
    if (agreed?.state !== "enabled") return this.look(directory);
    await this.#engine.exclusively(async () => {
      this.#book.remove(row.id);
      const isLast = this.#book.all().length === 0;
      await this.#parts.store.commit([
        putTriggerSet({ ...agreed, state: "disabled" }),
        ...triggers
          .filter(({ state }) => state !== "removed")
          .map((one) => updateTrigger(one, { state: "removed", flow: initialFlow(), dueMs: null })),
        this.#event("triggers.disabled", row.id, {}),
        ...(isLast ? [forgetCursors(TRIGGER_CURSOR)] : []),
      ]);
    });
    const reason = { code: "SKIPPED", message: "the repository's triggers were disabled" } as const;
    await this.#engine.drop(new Set(triggers.map(({ id }) => id)), reason);
    await this.#withdrawNotice(row.id);
    await this.#changed();
    return this.look(directory);
  }

  /**
   * Lets one trigger rest, or go on. What it is in the middle of waits; what happens meanwhile does not count.
   * @throws {AnabranchError} `TRIGGER_UNKNOWN`
   */
  async pause(directory: string, name: string, paused: boolean): Promise<TriggerStanding> {
    const standing = await this.look(directory);
    requireTrigger(standing, name);
    const found = this.#book.find(`${standing.row.id}/${name}`);
    if (found === undefined) throw unknown(standing, name, "is not enabled");
    const state = paused ? "paused" : "active";
    await this.#engine.exclusively(async () => {
      const { trigger } = this.#book.find(found.trigger.id) ?? found;
      if (trigger.state === state) return;
      await this.#parts.store.commit([
        updateTrigger(trigger, { state }),
        this.#event(paused ? "triggers.paused" : "triggers.resumed", standing.row.id, { trigger: name }),
      ]);
      this.#book.install(new Map([[trigger.id, { state }]]));
    });
    await this.#changed();
    return this.look(directory);
  }

  /** The lines of the file that differ from what was agreed to, as git shows them. */
  async difference({ agreed, file }: TriggerStanding): Promise<string[]> {
    if (agreed === undefined || file === undefined || agreed.content === file.content) return [];
    const scratch = await mkdtemp(join(tmpdir(), "anabranch-triggers-"));
    try {
      await Promise.all([
        writeFile(join(scratch, "agreed"), agreed.content, { mode: 0o600 }),
        writeFile(join(scratch, "now"), file.content, { mode: 0o600 }),
      ]);
      const args = ["diff", "--no-index", "--no-ext-diff", "--no-textconv", "--no-color", "agreed", "now"];
      const { stdout } = await this.#parts.git.run({ cwd: scratch, isSealed: true }, args, {
        allow: [1, 128, 129],
      });
      const lines = stdout.toString("utf8").split("\n");
      return lines.slice(lines.findIndex((line) => line.startsWith("@@"))).filter((line) => line !== "");
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #read(
    content: string | undefined,
    root: string,
  ): Promise<{ readonly spec?: TriggerSetSpec; readonly problem?: Reason }> {
    if (content === undefined) return {};
    const path = join(root, FILE_NAME);
    try {
      return { spec: compileTriggers(await parseRepositoryFile(content, path), path) };
    } catch (cause) {
      const { kind: _kind, ...problem } = toAnabranchError(cause).toJSON();
      return { problem };
    }
  }

  /** A trigger keeps its flow and whether it rests as long as its name stays. */
  #rows(repositoryId: string, spec: TriggerSetSpec, before: readonly TriggerRow<FlowState>[]): Statement[] {
    const known = new Map(before.map((row) => [row.spec.name, row]));
    return spec.triggers.map((trigger) => {
      const row = known.get(trigger.name);
      if (row === undefined) {
        return insertTrigger({
          id: `${repositoryId}/${trigger.name}`,
          repositoryId,
          spec: trigger,
          state: "active",
          flow: initialFlow(),
          dueMs: undefined,
          createdMs: this.#parts.clock.wallMs(),
        });
      }
      const isKept = row.state !== "removed" && JSON.stringify(row.spec.source) === JSON.stringify(trigger.source);
      return updateTrigger(row, {
        spec: trigger,
        state: row.state === "paused" ? "paused" : "active",
        ...(isKept ? {} : { flow: initialFlow(), dueMs: null }),
      });
    });
  }

  async #withdrawNotice(repositoryId: string): Promise<void> {
    const open = this.#parts.notices.open();
    for (const { id, kind, repositoryId: whose } of open) {
      if (kind === "triggers" && whose === repositoryId) await this.#parts.notices.withdraw(id);
    }
  }

  #event(type: string, repositoryId: string, data: Readonly<Record<string, unknown>>): Statement {
    return appendEvent({
      atMs: this.#parts.clock.wallMs(),
      type,
      run: undefined,
      task: undefined,
      repositoryId,
      data,
    });
  }
}

/**
 * The trigger of a name, as it is in the file or was agreed to.
 * @throws {AnabranchError} `TRIGGER_UNKNOWN`
 */
export function requireTrigger(standing: TriggerStanding, name: string): void {
  if (!namesOf(standing).includes(name)) throw unknown(standing, name, "is not there");
}

function namesOf({ spec, triggers }: TriggerStanding): string[] {
  const agreed = triggers.filter(({ state }) => state !== "removed").map((one) => one.spec.name);
  return [...new Set([...(spec?.triggers.map((one) => one.name) ?? []), ...agreed])];
}

function unknown(standing: TriggerStanding, name: string, why: string): AnabranchError {
  const names = namesOf(standing);
  const meant = closest(name, names);
  return new AnabranchError("TRIGGER_UNKNOWN", {
    message: `trigger ${JSON.stringify(name)} ${why}`,
    hint:
      meant !== undefined && meant !== name
        ? `did you mean ${meant}?`
        : names.includes(name)
          ? "anabranch triggers enable"
          : `the triggers here are: ${names.slice(0, 20).join(", ") || "none"}`,
    data: { trigger: name, known: names.slice(0, 100) },
  });
}

function stateOf(
  agreed: TriggerSetRow | undefined,
  contentHash: string | undefined,
  spec: TriggerSetSpec | undefined,
  problem: Reason | undefined,
): TriggerStanding["state"] {
  if (problem !== undefined) return "broken";
  if (agreed?.state === "enabled") return agreed.contentHash === contentHash ? "enabled" : "changed";
  if (spec === undefined || spec.triggers.length === 0) return "none";
  return agreed === undefined ? "new" : "disabled";
}
