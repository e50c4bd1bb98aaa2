import type { NewEvent } from "../store/events.ts";
import type { Statement } from "../store/port.ts";

/**
 * Where sources bring their events. It resolves once they are durable, together with `also`, such as how far a source
 * has read; the same event, by its key, is kept once.
 */
export type EventSink = (events: readonly NewEvent[], also?: readonly Statement[]) => Promise<void>;

/** Something outside that events come from. */
export interface WatchedSource<Wish> {
  /** What is wanted from now on, all of it; what was wanted before and is not any more is let go. */
  want(wishes: readonly Wish[]): Promise<void>;
  /** Lets go of everything. */
  close(): Promise<void>;
}
