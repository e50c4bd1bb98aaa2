import { onTestFinished } from "vitest";

import type { AgentAdapter, AgentEvent, Gate, OpenOptions, Session, TurnEnd } from "../../src/agents/port.ts";
import { systemClock } from "../../src/base/clock.ts";
import { until } from "../fixtures/until.ts";
import type { Place } from "./places.ts";

/** A session under test, with everything it said. */
export interface Recorded {
  readonly session: Session;
  readonly events: readonly AgentEvent[];
  /** Says something, and resolves with the end of the turn that this begins. */
  turn(text: string): Promise<TurnEnd>;
  /** Resolves with the end of turn number `count`. */
  ended(count: number): Promise<TurnEnd>;
  ends(): TurnEnd[];
  /** The events of one type. */
  of<Type extends AgentEvent["type"]>(type: Type): Extract<AgentEvent, { type: Type }>[];
}

/** Lets everything go on. */
const openGate: Gate = () => Promise.resolve({ allow: true });

/** Opens a session as the daemon does; it is closed when the test is over. */
export async function record(
  adapter: AgentAdapter,
  place: Place,
  options: Pick<OpenOptions, "cwd"> & Partial<OpenOptions>,
): Promise<Recorded> {
  const events: AgentEvent[] = [];
  const session = await adapter.open({
    environment: place.environment,
    program: place.program,
    model: place.model,
    permission: "workspace",
    toolServers: {},
    clock: systemClock,
    gate: openGate,
    onEvent: (event) => events.push(event),
    ...options,
  });
  onTestFinished(() => session.close());
  const of: Recorded["of"] = (type) =>
    events.filter((event): event is Extract<AgentEvent, { type: typeof type }> => event.type === type);
  const ends = (): TurnEnd[] => of("turn.end");
  const ended = async (count: number): Promise<TurnEnd> => {
    await until(() => ends().length >= count, `turn ${count} ends`, 60_000).catch((cause: unknown) => {
      throw new Error(`turn ${count} does not end; so far: ${JSON.stringify(events)}`, { cause });
    });
    return ends()[count - 1] as TurnEnd;
  };
  return {
    session,
    events,
    ends,
    ended,
    of,
    async turn(text) {
      const count = ends().length + 1;
      await session.send({ text, when: "later" });
      return ended(count);
    },
  };
}
