import { delay, type Clock } from "../base/clock.ts";
import { lookForMarked } from "./census.ts";

/** The variable that marks the programs a daemon runs for itself, such as git and cp. */
export const OWNER_VARIABLE = "ANABRANCH_OWNER";

const [LOOK_EVERY_MS, PATIENCE_MS] = [10, 2000];

/** What marks a program as one of this daemon's own, where it is one. */
export function ownerMark(): Record<string, string> {
  const owner = process.env[OWNER_VARIABLE];
  return owner === undefined ? {} : { [OWNER_VARIABLE]: owner };
}

/** The environment for a program that needs nothing of the user's. */
export function plainEnvironment(): Record<string, string | undefined> {
  return { PATH: process.env["PATH"], LC_ALL: "C", ...ownerMark() };
}

/**
 * Ends the programs that a daemon was running for itself, also one that is dead: they could still write into a
 * workspace that somebody else is given. They are asked first, so that git removes its lock files.
 */
export async function endOwnPrograms(owner: string, clock: Clock): Promise<void> {
  const mark = { marker: `${OWNER_VARIABLE}=${owner}`, groupId: undefined, directory: undefined, startTime: undefined };
  const until = clock.monotonicMs() + PATIENCE_MS;
  for (let left = await lookForMarked(mark); left.length > 0; left = await lookForMarked(mark)) {
    for (const { pid } of left) end(pid, clock.monotonicMs() < until ? "SIGTERM" : "SIGKILL");
    await delay(clock, LOOK_EVERY_MS);
  }
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone, which is what was wanted.
  }
}
