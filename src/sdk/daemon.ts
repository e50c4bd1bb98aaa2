import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

import { delay, systemClock } from "../base/clock.ts";
import { directoriesFor, type Directories } from "../base/directories.ts";
import { AnabranchError, systemCodeOf, toAnabranchError } from "../base/errors.ts";
import { startInBackground } from "../process/launch-daemon.ts";
import { MARKER_VARIABLE, READY_VARIABLE, type DaemonFile, type StartReport } from "../protocol/wire.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a running daemon says it listens; it may be gone since. */
export function readDaemonFile(directories: Directories): DaemonFile | undefined {
  try {
    const file = JSON.parse(readFileSync(join(directories.state, "daemon.json"), "utf8")) as Partial<DaemonFile> | null;
    // Without a socket a connection would be made to whoever listens on this machine.
    return typeof file?.socket === "string" && isAbsolute(file.socket) ? (file as DaemonFile) : undefined;
  } catch {
    return undefined;
  }
}

const [LOOK_EVERY_MS, PATIENCE_MS, LONGEST_WAIT_MS] = [20, 2000, 10_000];
const MOST_ENDS = 3;

/**
 * Starts the daemon and resolves with its socket. When another client starts one at the same moment, only one of them
 * gets the lock, and its socket is what both resolve with.
 *
 * @throws {AnabranchError} `DAEMON_START_FAILED`, or the error that kept it from starting
 */
export async function startDaemon(environment: Environment): Promise<string> {
  const directories = directoriesFor(environment);
  const until = systemClock.monotonicMs() + LONGEST_WAIT_MS;
  for (let ends = 0; ;) {
    const report = await launch(environment, directories);
    if (report?.ready === true) return report.socket;
    if (report === undefined) {
      // Somebody may have ended it before it could say anything.
      ends += 1;
      if (ends === MOST_ENDS) throw startFailure(directories, "it ended without saying why", undefined);
      continue;
    }
    const error = AnabranchError.fromJSON(report.error);
    if (error.code !== "DAEMON_RUNNING") throw error;
    const socket = await socketOfOther(directories);
    if (socket !== undefined) return socket;
    if (systemClock.monotonicMs() > until) throw error;
  }
}

async function launch(environment: Environment, directories: Directories): Promise<StartReport | undefined> {
  const line = await startInBackground({
    script: daemonScript(),
    environment: withoutTask(environment),
    readyVariable: READY_VARIABLE,
    folder: directories.state,
  }).catch((cause: unknown) => {
    throw startFailure(directories, String(cause), cause);
  });
  return line === undefined ? undefined : (JSON.parse(line) as StartReport);
}

/** The daemon that has the lock may not listen yet, and may end before it does. */
async function socketOfOther(directories: Directories): Promise<string | undefined> {
  const until = systemClock.monotonicMs() + PATIENCE_MS;
  while (systemClock.monotonicMs() < until) {
    const file = readDaemonFile(directories);
    if (file !== undefined && (await isListening(file.socket))) return file.socket;
    await delay(systemClock, LOOK_EVERY_MS);
  }
  return undefined;
}

// A daemon that was killed leaves its socket and the file that names it.
function isListening(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const end = (listens: boolean): void => {
      connection.destroy();
      resolve(listens);
    };
    connection.once("connect", () => end(true));
    connection.once("error", () => end(false));
  });
}

/** The daemon's own file: beside the bundled client; beside the sources when they run as they are. */
export function daemonScript(): string {
  return fileURLToPath(new URL("./daemon.js", import.meta.url));
}

/** A daemon that happens to be started by a task must not look like a part of it. */
function withoutTask(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => name !== MARKER_VARIABLE && !/^ANABRANCH_(RUN|TASK|ATTEMPT|WORKSPACE|BASE|INPUT|OWNER)$/.test(name),
    ),
  );
}

function startFailure(directories: Directories, why: string, cause: unknown): AnabranchError {
  const known = toAnabranchError(cause);
  if (known.code !== "INTERNAL") return known;
  if (systemCodeOf(cause) === "EACCES") {
    return new AnabranchError("READ_ONLY", {
      message: `${directories.state} cannot be written: ${why}`,
      hint: "make it writable, or choose another place with ANABRANCH_HOME",
      cause,
    });
  }
  return new AnabranchError("DAEMON_START_FAILED", {
    message: `the daemon could not be started: ${why}`,
    hint: `look at ${join(directories.state, "daemon.out")}`,
    cause,
  });
}
