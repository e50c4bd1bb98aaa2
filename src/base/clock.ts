import { readFileSync } from "node:fs";

/** Stops a timer that has not fired yet. Calling it twice is harmless. */
export type CancelTimer = () => void;

/** Where all time comes from. Only `base/` reads the machine's clock. */
export interface Clock {
  /** Milliseconds since the epoch, for people; it may jump. */
  wallMs(): number;
  /** Milliseconds since boot; it never jumps, and all processes of one boot share it. */
  monotonicMs(): number;
  /** Names this boot: a {@link Clock.monotonicMs} of another boot means nothing. */
  readonly bootId: string;
  /** Calls `action` once, `delayMs` from now. */
  after(delayMs: number, action: () => void): CancelTimer;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  get bootId() {
    return (bootId ??= readBootId());
  },
  after(delayMs, action) {
    let leftMs = Math.max(delayMs, 0);
    const step = (): NodeJS.Timeout => {
      const stepMs = Math.min(leftMs, LONGEST_TIMER_MS);
      leftMs -= stepMs;
      return setTimeout(() => (leftMs > 0 ? void (timer = step()) : action()), stepMs);
    };
    let timer = step();
    return () => clearTimeout(timer);
  },
};

let bootId: string | undefined;

function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // Elsewhere the moment of boot, in minutes, names the boot well enough.
    return `boot-${Math.round((Date.now() - Number(process.hrtime.bigint() / 1_000_000n)) / 60_000)}`;
  }
}

/** Resolves after `delayMs` by the given clock. */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}

/** Resolves after `delayMs`, or as soon as `signal` aborts. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
