import type { CancelTimer, Clock } from "../../base/clock.ts";
import { startAppServer, type AppServer, type ServerCall } from "./app-server.ts";

/** A server, for as long as a session needs it. */
export interface Lease {
  readonly server: AppServer;
  release(): void;
}

/** The servers there are: one for each program and environment, ended when nobody has needed it for a while. */
export interface Servers {
  /** @throws {AnabranchError} `AGENT_FAILED`, `COMMAND_MISSING` */
  lease(call: Omit<ServerCall, "clock">): Promise<Lease>;
  close(): Promise<void>;
}

const IDLE_MS = 60_000;

interface Entry {
  readonly starting: Promise<AppServer>;
  users: number;
  cancelEnd: CancelTimer;
}

/** See {@link Servers}. */
export function createServers(clock: Clock, start: typeof startAppServer = startAppServer): Servers {
  const entries = new Map<string, Entry>();

  function enter(key: string, call: Omit<ServerCall, "clock">): Entry {
    const entry: Entry = { starting: start({ ...call, clock }), users: 0, cancelEnd: () => undefined };
    entries.set(key, entry);
    const forget = (): void => {
      entry.cancelEnd();
      if (entries.get(key) === entry) entries.delete(key);
    };
    entry.starting.then((server) => void server.gone.then(forget), forget);
    return entry;
  }

  function release(key: string, entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0 || entries.get(key) !== entry) return;
    entry.cancelEnd = clock.after(IDLE_MS, () => {
      entries.delete(key);
      void entry.starting.then((server) => server.close());
    });
  }

  return {
    async lease(call) {
      const key = keyOf(call);
      const entry = entries.get(key) ?? enter(key, call);
      entry.cancelEnd();
      entry.users += 1;
      const server = await entry.starting;
      let isReleased = false;
      return {
        server,
        release() {
          if (!isReleased) release(key, entry);
          isReleased = true;
        },
      };
    },
    async close() {
      const all = [...entries.values()];
      entries.clear();
      for (const entry of all) entry.cancelEnd();
      await Promise.allSettled(all.map(async ({ starting }) => (await starting).close()));
    },
  };
}

function keyOf({ path, args, environment }: Omit<ServerCall, "clock">): string {
  const sorted = Object.entries(environment).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([path, args, sorted]);
}
