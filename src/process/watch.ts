import type { ChildProcess } from "node:child_process";
import { watch } from "node:fs";

import type { Clock } from "../base/clock.ts";
import { isAlive, type ProcessIdentity } from "./identity.ts";
import { readExit } from "./shim.ts";

/** A running attempt. */
export interface WatchedAttempt {
  readonly directory: string;
  readonly shim: ProcessIdentity;
  /** The shim as our own child; absent when an earlier daemon started it. */
  readonly child: ChildProcess | undefined;
}

const LOOK_EVERY_MS = 100;
const LAST_WORDS_MS = 250;

/**
 * Resolves when an attempt's command has ended: `exited` when there is a record of how, `vanished` when its shim is
 * gone without one. A shim that still writes down the end of the output is given a moment.
 *
 * Its exit, a new file in its folder and a slow clock all only mean "look": what counts is what is then seen.
 */
export function waitForExit(
  attempt: WatchedAttempt,
  clock: Clock,
  signal: AbortSignal,
): Promise<"exited" | "vanished" | "aborted"> {
  return new Promise((resolve) => {
    let exitSeenAtMs: number | undefined;
    let cancelTimer = (): void => undefined;
    let settled = false;
    const end = (result: "exited" | "vanished" | "aborted"): void => {
      if (settled) return;
      settled = true;
      cancelTimer();
      watcher?.close();
      attempt.child?.off("exit", look);
      signal.removeEventListener("abort", abort);
      resolve(result);
    };
    const look = (): void => {
      if (settled) return;
      const gone = !isAlive(attempt.shim, clock);
      if (readExit(attempt.directory) !== undefined) {
        exitSeenAtMs ??= clock.monotonicMs();
        if (gone || clock.monotonicMs() - exitSeenAtMs >= LAST_WORDS_MS) end("exited");
      } else if (gone) end("vanished");
    };
    const tick = (): void => {
      look();
      if (!settled) cancelTimer = clock.after(LOOK_EVERY_MS, tick);
    };
    const abort = (): void => end("aborted");
    const watcher = watchFolder(attempt.directory, look);
    attempt.child?.on("exit", look);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    else tick();
  });
}

// Where the system has no watches left, the slow clock does.
function watchFolder(directory: string, look: () => void): { close: () => void } | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, look);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
