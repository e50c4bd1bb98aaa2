import type { SymbolTable } from "./symbol-table.ts";

/** A file as it is in one version. */
export interface FileState {
  readonly oid: string;
  /** Where it is source, and could be read. */
  readonly table?: SymbolTable | undefined;
  /** Where it is data that says something about the whole: a manifest, a lock file. */
  readonly text?: string | undefined;
}

/** A path that at least one side changed, in each version; a version that has no file there has none here. */
export interface FileVersions {
  readonly path: string;
  readonly base?: FileState | undefined;
  readonly ours?: FileState | undefined;
  readonly theirs?: FileState | undefined;
  readonly merged?: FileState | undefined;
}

/** One of the four. */
export type VersionName = "base" | "ours" | "theirs" | "merged";

/** All that two sides changed, and what came of it. */
export interface Changes {
  readonly files: readonly FileVersions[];
  /** Paths that nobody changed and that are there, among those of {@link pathsToLookUp}. */
  readonly elsewhere: ReadonlySet<string>;
}
