import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

import type { Clock } from "./clock.ts";

/** How grave a log line is. */
type LogLevel = "debug" | "info" | "warn" | "error";

/** Writes one line of JSON per fact. */
export type Log = (level: LogLevel, message: string, data?: Readonly<Record<string, unknown>>) => void;

/**
 * A log in a file of JSON lines. Past `capBytes` the file becomes `FILE.1`, replacing an older one.
 * A log that cannot be written is given up silently: it must never stop work.
 */
export function fileLog(path: string, clock: Clock, capBytes = 4 * 1024 * 1024): Log {
  let file: number | undefined;
  let sizeBytes = 0;
  const close = (): void => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  return (level, message, data) => {
    try {
      const line = `${JSON.stringify({ at: new Date(clock.wallMs()).toISOString(), level, message, ...data })}\n`;
      if (file === undefined) {
        file = openSync(path, "a", 0o600);
        sizeBytes = fstatSync(file).size;
      }
      sizeBytes += writeSync(file, line);
      if (sizeBytes < capBytes) return;
      close();
      renameSync(path, `${path}.1`);
    } catch {
      close();
    }
  };
}
