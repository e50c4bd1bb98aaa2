import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";

import { LineCutter } from "../base/lines.ts";

/** A background process to be started. */
export interface BackgroundProcess {
  /** The program's own file, run with this Node. */
  readonly script: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The variable that tells it on which descriptor to report. */
  readonly readyVariable: string;
  /** Where what it prints goes. */
  readonly folder: string;
}

const READY_DESCRIPTOR = 3;

/**
 * Starts a Node program in a session of its own that outlives this process, and resolves with the one line it reports
 * when it is ready; `undefined` when it ended without one.
 */
export async function startInBackground(background: BackgroundProcess): Promise<string | undefined> {
  mkdirSync(background.folder, { recursive: true, mode: 0o700 });
  const output = openSync(join(background.folder, "daemon.out"), "a", 0o600);
  try {
    const child = spawn(process.execPath, [background.script], {
      cwd: background.folder,
      env: { ...background.environment, [background.readyVariable]: String(READY_DESCRIPTOR) },
      detached: true,
      stdio: ["ignore", output, output, "pipe"],
    });
    child.unref();
    const reports = child.stdio[READY_DESCRIPTOR] as NodeJS.ReadableStream & { destroy: () => void };
    const failed = new Promise<never>((_resolve, reject) => child.once("error", reject));
    const line = await Promise.race([firstLine(reports), failed]);
    reports.destroy();
    return line;
  } finally {
    closeSync(output);
  }
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string | undefined> {
  const cutter = new LineCutter();
  for await (const piece of stream as AsyncIterable<Buffer>) {
    const [line] = cutter.push(piece);
    if (line !== undefined) return line;
  }
  return undefined;
}
