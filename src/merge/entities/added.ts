import { matchCommon } from "../common-sequence.ts";
import type { PartLists, Place } from "./arrangement.ts";
import type { Pairing } from "./pairing.ts";
import type { Part } from "./part.ts";

/** Which parts that only one side has are the same thing as one that only the other side has. -1: none. */
export interface AddedPairing {
  /** For each part of ours, its place in theirs. */
  readonly addedInTheirs: Int32Array;
  /** For each part of theirs, its place in ours. */
  readonly addedInOurs: Int32Array;
}

/** Pairs what both sides added. What has a name is one thing wherever it stands; statements are so only in one order. */
export function pairAdded(lists: PartLists, ours: Pairing, theirs: Pairing): AddedPairing {
  const addedInTheirs = new Int32Array(lists.ours.length).fill(-1);
  const addedInOurs = new Int32Array(lists.theirs.length).fill(-1);
  const pair = (inOurs: number, inTheirs: number): void => {
    addedInTheirs[inOurs] = inTheirs;
    addedInOurs[inTheirs] = inOurs;
  };
  const [byOurs, byTheirs] = [addedBy(lists.ours, ours), addedBy(lists.theirs, theirs)];
  pairByIdentity(byOurs.named, byTheirs.named, lists, pair);
  pairInOrder(byOurs.statements, byTheirs.statements, lists, pair);
  return { addedInTheirs, addedInOurs };
}

interface Added {
  readonly named: readonly number[];
  readonly statements: readonly number[];
}

function addedBy(parts: readonly Part[], { baseOf }: Pairing): Added {
  const added: { named: number[]; statements: number[] } = { named: [], statements: [] };
  for (const [at, { entity }] of parts.entries()) {
    if (baseOf[at] === -1) (entity.name === undefined ? added.statements : added.named).push(at);
  }
  return added;
}

type Pair = (inOurs: number, inTheirs: number) => void;

function pairByIdentity(ours: readonly number[], theirs: readonly number[], lists: PartLists, pair: Pair): void {
  const places = new Map<string, number[]>();
  for (const at of theirs.toReversed()) {
    const { identity } = lists.theirs[at] as Part;
    const known = places.get(identity);
    if (known === undefined) places.set(identity, [at]);
    else known.push(at);
  }
  for (const at of ours) {
    const found = places.get((lists.ours[at] as Part).identity)?.pop();
    if (found !== undefined) pair(at, found);
  }
}

function pairInOrder(ours: readonly number[], theirs: readonly number[], lists: PartLists, pair: Pair): void {
  const numbers = new Map<string, number>();
  const numberOf = ({ identity }: Part): number => {
    const known = numbers.get(identity) ?? numbers.size;
    numbers.set(identity, known);
    return known;
  };
  const inOurs = Int32Array.from(ours, (at) => numberOf(lists.ours[at] as Part));
  const inTheirs = Int32Array.from(theirs, (at) => numberOf(lists.theirs[at] as Part));
  matchCommon(inOurs, inTheirs, (at, other) => pair(ours[at] as number, theirs[other] as number));
}

/** A statement that both added, each in another order with what else both added: it would be there twice. */
export function findAddedTwice(
  lists: PartLists,
  ours: Pairing,
  theirs: Pairing,
  { addedInTheirs, addedInOurs }: AddedPairing,
): Place | undefined {
  const inTheirs = unpairedStatements(lists.theirs, theirs, addedInOurs);
  for (const [identity, at] of unpairedStatements(lists.ours, ours, addedInTheirs)) {
    const other = inTheirs.get(identity);
    if (other !== undefined) return { base: undefined, ours: at, theirs: other };
  }
  return undefined;
}

function unpairedStatements(parts: readonly Part[], pairing: Pairing, partners: Int32Array): Map<string, number> {
  const { statements } = addedBy(parts, pairing);
  return new Map(statements.filter((at) => partners[at] === -1).map((at) => [(parts[at] as Part).identity, at]));
}
