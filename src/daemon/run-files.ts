import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import type { Layout } from "../workspaces/layout.ts";
import type { WorkspaceSource } from "../workspaces/workspace.ts";

/** What a run needs besides its rows while it has work left: only the user can read it, and it goes when it ends. */
export interface RunInputs {
  /** The environment of whoever started it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly source: WorkspaceSource;
  /** What its tasks are told of the events that have led to it, where events have. */
  readonly event?: unknown;
}

/** The files of runs. What was read stays in memory while the run has work left. */
export class RunFiles {
  readonly #layout: Layout;
  readonly #inputs = new Map<string, RunInputs>();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** The folder of the files that `carry:` names, as they were when the run started. */
  carried(run: string): string {
    return join(this.#layout.run(run), "carry");
  }

  /** The file with what a run's tasks are told of the events that have led to it. */
  event(run: string): string {
    return join(this.#layout.run(run), "event.json");
  }

  /** Writes a run's inputs, before the run itself is committed. */
  async save(run: string, inputs: RunInputs): Promise<void> {
    await mkdir(this.#layout.run(run), { recursive: true, mode: 0o700 });
    if (inputs.event !== undefined)
      await writeFile(this.event(run), `${JSON.stringify(inputs.event, undefined, 2)}\n`, { mode: 0o600 });
    await writeFile(this.#path(run), JSON.stringify(inputs), { mode: 0o600 });
    this.#inputs.set(run, inputs);
  }

  /** Reads a run's inputs. */
  async load(run: string): Promise<RunInputs> {
    const inputs = await this.find(run);
    if (inputs === undefined) throw new AnabranchError("INTERNAL", { message: `the inputs of run ${run} are gone` });
    return inputs;
  }

  /** A run's inputs, as long as it has work left. */
  async find(run: string): Promise<RunInputs | undefined> {
    const known = this.#inputs.get(run);
    if (known !== undefined) return known;
    const text = await readFile(this.#path(run), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const inputs = JSON.parse(text) as RunInputs;
    this.#inputs.set(run, inputs);
    return inputs;
  }

  /** Removes a run's inputs: all its work is done. */
  async forget(run: string): Promise<void> {
    this.#inputs.delete(run);
    await rm(this.#path(run), { force: true });
    await rm(this.carried(run), { recursive: true, force: true });
  }

  #path(run: string): string {
    return join(this.#layout.run(run), "inputs.json");
  }
}
