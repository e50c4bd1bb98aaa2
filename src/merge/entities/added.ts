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

/** A statement that both added, each at another place among what else they have: it would be there twice, or misplaced. */
export function findAddedTwice(
  lists: PartLists,
  ours: Pairing,
  theirs: Pairing,
  { addedInTheirs, addedInOurs }: AddedPairing,
): Place | undefined {
  const byOurs = addedStatements(lists.ours, ours, theirs, addedInTheirs);
  const byTheirs = addedStatements(lists.theirs, theirs, ours, addedInOurs);
  const others = new Map(byTheirs.alone.map((one) => [(lists.theirs[one.at] as Part).identity, one]));
  for (const one of byOurs.alone) {
    const other = others.get((lists.ours[one.at] as Part).identity);
    if (other !== undefined) return { base: undefined, ours: one.at, theirs: other.at };
  }
  const busy = new Set([...byOurs.alone, ...byTheirs.alone].map(({ between }) => between));
  for (const [at, one] of byOurs.paired) {
    const other = byTheirs.paired.get(addedInTheirs[at] as number);
    if (other === undefined || one.before === other.before) continue;
    if (one.between !== other.between || busy.has(one.between)) {
      return { base: undefined, ours: one.at, theirs: other.at };
    }
  }
  return undefined;
}

/** A statement that one side added, and where. */
interface AddedStatement {
  readonly at: number;
  /** The place in the base before which it stands. */
  readonly before: number;
  /** The same, among what both sides have kept. */
  readonly between: number;
}

interface AddedStatements {
  /** Those that only one side has. */
  readonly alone: readonly AddedStatement[];
  /** Those that both have, by their place. */
  readonly paired: ReadonlyMap<number, AddedStatement>;
}

function addedStatements(
  parts: readonly Part[],
  pairing: Pairing,
  other: Pairing,
  partners: Int32Array,
): AddedStatements {
  const alone: AddedStatement[] = [];
  const paired = new Map<number, AddedStatement>();
  let [before, between] = [0, 0];
  for (const [at, part] of parts.entries()) {
    const base = pairing.baseOf[at] as number;
    if (base === -1 && part.entity.name === undefined) {
      if (partners[at] === -1) alone.push({ at, before, between });
      else paired.set(at, { at, before, between });
    }
    if (base === -1 || pairing.isInOrder[base] !== 1) continue;
    before = base + 1;
    if (other.isInOrder[base] === 1) between = base + 1;
  }
  return { alone, paired };
}
