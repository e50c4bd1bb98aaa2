/**
 * What the daemon and its watcher say to each other: one JSON object a line. Paths are relative to the root, with `/`,
 * and their bytes stand one for one in the text (latin1), since not every path is UTF-8.
 */

/** From the daemon. */
export type WatcherOrder =
  /** Watch this folder, without what lies below the folders to skip. Said again, only what to skip has changed. */
  | { readonly do: "watch"; readonly id: string; readonly root: string; readonly skip: readonly string[] }
  | { readonly do: "unwatch"; readonly id: string };

/** From the watcher. */
export type WatcherNews =
  /** From now on nothing is missed. */
  | { readonly news: "ready"; readonly id: string; readonly folders: number }
  /** Something happened at these paths. One that ends with `/` was a folder, with all that was below it. */
  | { readonly news: "changed"; readonly id: string; readonly paths: readonly string[] }
  /** So much happened that some of it may have been missed: look everywhere. */
  | { readonly news: "missed"; readonly id: string }
  /** The root is not there any more. */
  | { readonly news: "gone"; readonly id: string }
  /** It cannot be watched; nothing more comes of it. */
  | { readonly news: "failed"; readonly id: string; readonly code: string; readonly message: string };

/** Folders of these names are never looked into. */
export const NEVER_WATCHED: ReadonlySet<string> = new Set([".git", "node_modules"]);
