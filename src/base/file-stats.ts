import { lstatSync, type Stats } from "node:fs";

import { systemCodeOf } from "./errors.ts";

/** What stands at a path itself, links not followed; `undefined` where nothing does. */
export function findStats(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(systemCodeOf(cause) ?? "")) return undefined;
    throw cause;
  }
}
