import { join } from "node:path";

import type { AttemptKey } from "../store/attempts.ts";

/** Where everything about repositories and runs lies below the state directory. */
export interface Layout {
  readonly state: string;
  readonly database: string;
  readonly lock: string;
  readonly log: string;
  /** Tells clients where the daemon listens. */
  readonly daemonFile: string;
  /** What is removed in the background; a rename puts it here. */
  readonly trash: string;
  /** The vault of a repository: a bare git directory. */
  readonly vault: (repositoryId: string) => string;
  /** A repository for what is looked at while tasks work and then forgotten. */
  readonly forecast: (repositoryId: string) => string;
  /** One workspace's folder, which holds its `tree` and our own `git` directory for it. */
  readonly slot: (repositoryId: string, slot: number) => string;
  /** The environment that the runs of a repository's triggers get. */
  readonly triggerEnvironment: (repositoryId: string) => string;
  /** The secrets of webhooks. */
  readonly webhooks: string;
  readonly run: (run: string) => string;
  /** Where an attempt's shim leaves its records. */
  readonly attempt: (key: AttemptKey) => string;
}

/** The layout below a state directory. */
export function layoutFor(state: string): Layout {
  const repository = (id: string): string => join(state, "repositories", id);
  return {
    state,
    database: join(state, "anabranch.db"),
    lock: join(state, "daemon.lock"),
    log: join(state, "daemon.log"),
    daemonFile: join(state, "daemon.json"),
    trash: join(state, "trash"),
    vault: (id) => join(repository(id), "vault.git"),
    forecast: (id) => join(repository(id), "forecast.git"),
    slot: (id, slot) => join(repository(id), "workspaces", String(slot)),
    triggerEnvironment: (id) => join(state, "triggers", `${id}.json`),
    webhooks: join(state, "webhooks"),
    run: (run) => join(state, "runs", run),
    attempt: ({ run, task, number }) => join(state, "runs", run, task, String(number)),
  };
}

/** The files a task sees. */
export function treeOf(slot: string): string {
  return join(slot, "tree");
}

/** Our own git directory for a workspace, out of reach of what runs in it; objects and refs are the vault's. */
export function adminOf(slot: string): string {
  return join(slot, "git");
}
