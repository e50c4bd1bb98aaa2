import type { Clock } from "../../base/clock.ts";
import { startServer, type Server, type ServerCall } from "./server.ts";

/** The servers, one for each program and environment. */
export interface Servers {
  /** A server for a session; it stays at least until it is given back. */
  use(call: Omit<ServerCall, "clock">): Promise<UsedServer>;
  close(): Promise<void>;
}

/** A server that is kept for a session. */
interface UsedServer {
  readonly server: Server;
  readonly giveBack: () => void;
}

interface Kept {
  readonly starting: Promise<Server>;
  users: number;
  cancelEnd: () => void;
}

const IDLE_MS = 60_000;

/** Starts a server when it is first needed, and ends it when nobody has used it for a minute. */
export function createServers(clock: Clock): Servers {
  const kept = new Map<string, Kept>();

  function keep(key: string, call: Omit<ServerCall, "clock">): Kept {
    const one: Kept = { starting: startServer({ ...call, clock }), users: 0, cancelEnd: () => undefined };
    const forget = (): void => {
      if (kept.get(key) === one) kept.delete(key);
    };
    one.starting.then((server) => void server.gone.then(forget), forget);
    kept.set(key, one);
    return one;
  }

  function leave(key: string, one: Kept): void {
    one.users -= 1;
    if (one.users > 0) return;
    one.cancelEnd = clock.after(IDLE_MS, () => {
      if (kept.get(key) === one) kept.delete(key);
      void end(one);
    });
  }

  return {
    async use(call) {
      const key = JSON.stringify([call.path, call.args, sorted(call.environment)]);
      const one = kept.get(key) ?? keep(key, call);
      one.cancelEnd();
      one.users += 1;
      let isBack = false;
      const giveBack = (): void => {
        if (!isBack) leave(key, one);
        isBack = true;
      };
      try {
        return { server: await one.starting, giveBack };
      } catch (error) {
        giveBack();
        throw error;
      }
    },
    async close() {
      const all = [...kept.values()];
      kept.clear();
      for (const one of all) one.cancelEnd();
      await Promise.all(all.map(end));
    },
  };
}

async function end({ starting }: Kept): Promise<void> {
  const server = await starting.catch(() => undefined);
  await server?.close();
}

function sorted(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted();
}
