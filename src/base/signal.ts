/**
 * A "look again" signal: any number of {@link Signal.raise} calls before the listener runs become one call.
 * Lost, doubled or reordered signals are harmless, because the listener reads state instead of messages.
 */
export interface Signal {
  raise(): void;
}

/** A signal whose listener runs in a later turn of the event loop, never twice at once. */
export function createSignal(listener: () => Promise<void>): Signal {
  let state: "idle" | "raised" | "running" | "again" = "idle";
  const run = async (): Promise<void> => {
    state = "running";
    try {
      await listener();
    } finally {
      const again = (state as string) === "again";
      state = "idle";
      if (again) raise();
    }
  };
  const raise = (): void => {
    if (state === "raised" || state === "again") return;
    if (state === "running") {
      state = "again";
      return;
    }
    state = "raised";
    setImmediate(() => void run());
  };
  return { raise };
}
