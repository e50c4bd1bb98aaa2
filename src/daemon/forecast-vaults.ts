import type { Vault } from "../workspaces/vault.ts";
import { openForecastVault, refreshForecastVault } from "../workspaces/forecast-vault.ts";
import { loadRepositories } from "../store/repositories.ts";
import type { Parts } from "./parts.ts";

/** With more than about this in it, a repository of what was seen is thrown away and begun anew. */
const MOST_BYTES = 512 * 1024 * 1024;

interface OpenVault {
  readonly vault: Vault;
  bytes: number;
}

/** For each repository whose tasks are looked at: the repository that holds what was seen, until it is thrown away. */
export class ForecastVaults {
  readonly #parts: Parts;
  readonly #open = new Map<string, OpenVault>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Throws away what an earlier daemon has left. */
  async recover(): Promise<void> {
    for (const { id } of await loadRepositories(this.#parts.store)) await this.#discard(id);
  }

  /** The repository for what is seen in the workspaces of another one. */
  async open(repositoryId: string): Promise<Vault> {
    const { git, layout } = this.#parts;
    const borrowed = this.#parts.vaultOf(repositoryId);
    const directory = layout.forecast(repositoryId);
    const known = this.#open.get(repositoryId)?.vault;
    if (known !== undefined) await refreshForecastVault(borrowed, directory);
    const vault = known ?? (await openForecastVault(git, borrowed, directory));
    if (known === undefined) this.#open.set(repositoryId, { vault, bytes: 0 });
    return vault;
  }

  /** Notes how much was written, at most. */
  count(repositoryId: string, bytes: number): void {
    const open = this.#open.get(repositoryId);
    if (open !== undefined) open.bytes += bytes;
  }

  /** Throws away what is too much by now, and all of other repositories than these. @returns of which it threw it away */
  async keepOnly(repositoryIds: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const dropped = [...this.#open].filter(([id, { bytes }]) => !repositoryIds.has(id) || bytes > MOST_BYTES);
    for (const [id] of dropped) await this.#discard(id);
    return new Set(dropped.map(([id]) => id));
  }

  async #discard(repositoryId: string): Promise<void> {
    const open = this.#open.get(repositoryId);
    this.#open.delete(repositoryId);
    await open?.vault.close();
    await this.#parts.trash.discard(this.#parts.layout.forecast(repositoryId));
  }
}
