/** What led to an event or a run: the chain of triggers behind it. What nobody's trigger has led to has no cause. */
export interface Cause {
  /** Names the chain: made when its first trigger fired, kept through everything that follows from that. */
  readonly chain: string;
  /** How many triggers have fired on the way here. Nothing sets it back: no timer, restart or event of a task's own. */
  readonly depth: number;
  /** The triggers that have fired on the way here, each once, the first one first: `REPOSITORY/NAME`. */
  readonly triggers: readonly string[];
}

/** How deep a chain may go where the repository's file says nothing. */
export const DEFAULT_DEPTH = 8;

/** Why a trigger does not fire on an event that it would otherwise fire on. */
export type Stop = "own-work" | "depth";

/**
 * Whether a trigger may fire on what was caused so.
 * @param again whether it may fire on what it has led to itself
 */
export function stopOf(trigger: string, cause: Cause | undefined, again: boolean, mostDepth: number): Stop | undefined {
  if (cause === undefined) return undefined;
  if (!again && cause.triggers.includes(trigger)) return "own-work";
  return cause.depth >= mostDepth ? "depth" : undefined;
}

/** The cause of what a trigger's firing leads to. Of several events the deepest counts, and the triggers of all. */
export function causeOfFiring(trigger: string, events: readonly (Cause | undefined)[], newChain: () => string): Cause {
  const known = events.filter((cause) => cause !== undefined);
  const deepest = known.reduce<Cause | undefined>(
    (most, cause) => (most === undefined || cause.depth > most.depth ? cause : most),
    undefined,
  );
  return {
    chain: deepest?.chain ?? newChain(),
    depth: (deepest?.depth ?? 0) + 1,
    triggers: [...new Set([...(deepest?.triggers ?? []), ...known.flatMap(({ triggers }) => triggers), trigger])],
  };
}
