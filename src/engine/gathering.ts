import type { Cause } from "./cause.ts";

/** What the flow of a trigger is told of an event that matches. */
export interface FlowEvent {
  readonly seq: number;
  /** When it happened. */
  readonly atMs: number;
  /** Of an event that tells of files: those that match. */
  readonly paths?: readonly string[] | undefined;
  readonly cause: Cause | undefined;
}

/** Events that become one firing. However many there are, it stays small. */
export interface Gathering {
  /** The first hundred. */
  readonly seqs: readonly number[];
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly count: number;
  /** The first thousand, each once. */
  readonly paths: readonly string[];
  /** How many paths: after the first thousand, one counts as often as an event tells of it. */
  readonly pathCount: number;
  /** One for each chain. After the first sixteen, chains are told together: as the deepest, with the triggers of all. */
  readonly causes: readonly Cause[];
}

const MOST_SEQS = 100;
const MOST_PATHS = 1000;
const MOST_CAUSES = 16;

/** The gathering with one more event. */
export function gather(before: Gathering | undefined, event: FlowEvent): Gathering {
  const fresh = newPaths(before?.paths ?? [], event.paths ?? []);
  const room = MOST_PATHS - (before?.paths.length ?? 0);
  return {
    seqs: before === undefined ? [event.seq] : withSeq(before.seqs, event.seq),
    firstSeq: before?.firstSeq ?? event.seq,
    lastSeq: event.seq,
    count: (before?.count ?? 0) + 1,
    paths: fresh.length === 0 ? (before?.paths ?? []) : [...(before?.paths ?? []), ...fresh.slice(0, room)],
    pathCount: (before?.pathCount ?? 0) + fresh.length,
    causes: withCause(before?.causes ?? [], event.cause),
  };
}

function withSeq(seqs: readonly number[], seq: number): readonly number[] {
  return seqs.length < MOST_SEQS ? [...seqs, seq] : seqs;
}

function newPaths(known: readonly string[], told: readonly string[]): readonly string[] {
  if (told.length === 0) return told;
  const seen = new Set(known);
  return [...new Set(told)].filter((path) => !seen.has(path));
}

/** No depth and no trigger is ever forgotten: guards against loops rest on them. */
function withCause(causes: readonly Cause[], cause: Cause | undefined): readonly Cause[] {
  if (cause === undefined) return causes;
  const same = causes.findIndex(({ chain }) => chain === cause.chain);
  const at = same >= 0 ? same : causes.length < MOST_CAUSES ? causes.length : MOST_CAUSES - 1;
  const other = causes[at];
  return other === undefined ? [...causes, cause] : causes.with(at, together(other, cause));
}

function together(one: Cause, other: Cause): Cause {
  const deeper = other.depth > one.depth ? other : one;
  return { chain: deeper.chain, depth: deeper.depth, triggers: [...new Set([...one.triggers, ...other.triggers])] };
}
