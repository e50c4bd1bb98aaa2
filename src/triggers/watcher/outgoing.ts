import type { Clock } from "../../base/clock.ts";
import type { WatcherNews } from "./wire.ts";

/** What happens within so short a time is told together. */
const [QUIET_MS, LONGEST_MS] = [8, 60];
/** More than this at once is not told path by path. */
const MOST_PATHS = 5000;
const PATHS_A_LINE = 1000;

/** Gathers the changed paths of one root, and passes them on in batches. */
export class Outgoing {
  readonly #id: string;
  readonly #clock: Clock;
  readonly #send: (news: WatcherNews) => boolean;
  readonly #paths = new Set<string>();
  #isMissed = false;
  #cancel: (() => void) | undefined;
  #sinceMs = 0;

  /** @param send says whether it could take it; what it could not take is told as missed later */
  constructor(id: string, clock: Clock, send: (news: WatcherNews) => boolean) {
    this.#id = id;
    this.#clock = clock;
    this.#send = send;
  }

  add(path: string): void {
    if (this.#isMissed) return;
    this.#paths.add(path);
    if (this.#paths.size > MOST_PATHS) this.miss();
    else this.#wait();
  }

  /** Something may have been missed. */
  miss(): void {
    this.#isMissed = true;
    this.#paths.clear();
    this.#wait();
  }

  close(): void {
    this.#cancel?.();
  }

  #wait(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#cancel === undefined) this.#sinceMs = nowMs;
    this.#cancel?.();
    const leftMs = this.#sinceMs + LONGEST_MS - nowMs;
    this.#cancel = this.#clock.after(Math.max(0, Math.min(QUIET_MS, leftMs)), () => this.#flush());
  }

  #flush(): void {
    this.#cancel = undefined;
    const paths = [...this.#paths];
    this.#paths.clear();
    let isTaken = !this.#isMissed || this.#send({ news: "missed", id: this.#id });
    for (let at = 0; at < paths.length && isTaken; at += PATHS_A_LINE) {
      isTaken = this.#send({ news: "changed", id: this.#id, paths: paths.slice(at, at + PATHS_A_LINE) });
    }
    this.#isMissed = !isTaken;
    if (!isTaken) this.#wait();
  }
}
