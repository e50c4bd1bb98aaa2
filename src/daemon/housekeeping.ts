import { existsSync } from "node:fs";
import type { Server } from "node:http";

import { nextOutboxMs } from "../store/outbox.ts";
import { removePast } from "../store/past.ts";
import { loadNextDueMs } from "../store/timed-events.ts";
import type { Retention } from "./events/retention.ts";
import type { TriggerEngine } from "./events/trigger-engine.ts";
import type { Parts } from "./parts.ts";

const EVERY_MS = 5000;
/** First when everybody who waited for the daemon has been served. */
const [PAST_FIRST_MS, PAST_EVERY_MS] = [60_000, 3_600_000];

/** What is looked after. */
export interface House {
  readonly parts: Parts;
  readonly retention: Retention;
  readonly engine: TriggerEngine;
  readonly idleMs: number;
  /** How long what is over is kept. */
  readonly keepMs: number;
  readonly socket: string;
  readonly server: () => Server;
  readonly listenAgain: () => Promise<void>;
  readonly stop: () => void;
}

/** Now and then: is the socket still there, may old events go, and is there any reason to stay? */
export function keepHouse(house: House): void {
  const { parts, idleMs } = house;
  let idleSinceMs: number | undefined;
  let pastDueMs = parts.clock.monotonicMs() + PAST_FIRST_MS;
  const look = async (): Promise<void> => {
    // Systems clean up what looks old in temporary folders.
    if (!existsSync(house.socket)) await house.listenAgain();
    house.retention.remove().catch((cause: unknown) => parts.log("error", "old events stay", { cause: String(cause) }));
    const nowMs = parts.clock.monotonicMs();
    if (nowMs >= pastDueMs) {
      pastDueMs = nowMs + PAST_EVERY_MS;
      removePast(parts.store, parts.clock.wallMs() - house.keepMs, parts.stopping).catch((cause: unknown) =>
        parts.log("error", "what is over stays", { cause: String(cause) }),
      );
    }
    idleSinceMs = (await isBusy(house)) ? undefined : (idleSinceMs ?? nowMs);
    if (idleSinceMs !== undefined && nowMs - idleSinceMs >= idleMs) house.stop();
    else parts.clock.after(EVERY_MS, tick);
  };
  const tick = (): void => {
    look().catch((cause: unknown) => {
      parts.log("error", "housekeeping failed", { cause: String(cause) });
      parts.clock.after(EVERY_MS, tick);
    });
  };
  tick();
}

/** Something goes on, somebody listens, or something may still happen by itself. */
async function isBusy({ parts, engine, server }: House): Promise<boolean> {
  if (engine.isActive || parts.book.all().some((run) => run.unended > 0)) return true;
  if ((await countConnections(server())) > 0) return true;
  const dues = [await loadNextDueMs(parts.store), await nextOutboxMs(parts.store)];
  return dues.some((dueMs) => dueMs !== undefined);
}

function countConnections(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count ?? 0)));
}
