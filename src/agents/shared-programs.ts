import type { CancelTimer, Clock } from "../base/clock.ts";

/** A program that serves many sessions. */
export interface SharedProgram {
  /** Resolves when it is no longer there. */
  readonly gone: Promise<unknown>;
  close(): Promise<void>;
}

/** What a program is started with: sessions for which all of it is equal share one. */
export interface SharedCall {
  readonly path: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A program, for as long as a session needs it. */
export interface Share<Program> {
  readonly program: Program;
  /** Doing it twice is harmless. */
  readonly giveBack: () => void;
}

/** The programs there are: one for each call, ended when nobody has needed it for a minute. */
export interface SharedPrograms<Program> {
  /** @throws {AnabranchError} as starting one does */
  take(call: SharedCall): Promise<Share<Program>>;
  close(): Promise<void>;
}

const IDLE_MS = 60_000;

interface Entry<Program> {
  readonly starting: Promise<Program>;
  users: number;
  cancelEnd: CancelTimer;
}

/** See {@link SharedPrograms}. */
export function createSharedPrograms<Program extends SharedProgram>(
  clock: Clock,
  start: (call: SharedCall) => Promise<Program>,
): SharedPrograms<Program> {
  const entries = new Map<string, Entry<Program>>();

  function enter(key: string, call: SharedCall): Entry<Program> {
    const entry: Entry<Program> = { starting: start(call), users: 0, cancelEnd: () => undefined };
    entries.set(key, entry);
    const forget = (): void => {
      entry.cancelEnd();
      if (entries.get(key) === entry) entries.delete(key);
    };
    entry.starting.then((program) => void program.gone.then(forget), forget);
    return entry;
  }

  function release(key: string, entry: Entry<Program>): void {
    entry.users -= 1;
    if (entry.users > 0 || entries.get(key) !== entry) return;
    entry.cancelEnd = clock.after(IDLE_MS, () => {
      entries.delete(key);
      void end(entry);
    });
  }

  return {
    async take(call) {
      const key = keyOf(call);
      const entry = entries.get(key) ?? enter(key, call);
      entry.cancelEnd();
      entry.users += 1;
      const program = await entry.starting;
      let isBack = false;
      return {
        program,
        giveBack: () => {
          if (!isBack) release(key, entry);
          isBack = true;
        },
      };
    },
    async close() {
      const all = [...entries.values()];
      entries.clear();
      for (const entry of all) entry.cancelEnd();
      await Promise.all(all.map(end));
    },
  };
}

/** One that could not start has nothing to end. */
async function end<Program extends SharedProgram>({ starting }: Entry<Program>): Promise<void> {
  const program = await starting.catch(() => undefined);
  await program?.close();
}

function keyOf({ path, args, environment }: SharedCall): string {
  const sorted = Object.entries(environment).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([path, args, sorted]);
}
