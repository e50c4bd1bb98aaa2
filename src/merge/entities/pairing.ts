import { matchCommon } from "../common-sequence.ts";
import { pairLike, type WordCount } from "./likeness.ts";
import { familyOf, type Part } from "./part.ts";

/** Texts as short as this have to be nearly equal to be one that was renamed. */
const FEW_WORDS = 16;
const MOST_PAIRS = 2_500;

/** Which parts of a base and a side are the same thing. -1: the other one has it not. */
export interface Pairing {
  /** For each part of the base, its place in the side. */
  readonly sideOf: Int32Array;
  /** For each part of the side, its place in the base. */
  readonly baseOf: Int32Array;
  /** For each part of the base, whether it stands in the side in the same order as the others that do. */
  readonly isInOrder: Uint8Array;
}

/**
 * Pairs the parts of a base with those of a side: by name, then by name without signature, then what was renamed by its
 * words. Parts without a name are paired by their texts, in order.
 */
export function pairParts(base: readonly Part[], side: readonly Part[]): Pairing {
  const pairing: Pairing = {
    sideOf: new Int32Array(base.length).fill(-1),
    baseOf: new Int32Array(side.length).fill(-1),
    isInOrder: new Uint8Array(base.length),
  };
  pairByIdentity(base, side, pairing);
  pairByName(base, side, pairing);
  pairRenamed(base, side, pairing);
  orderPairs(base, side, pairing);
  return pairing;
}

function pair({ sideOf, baseOf }: Pairing, inBase: number, inSide: number): void {
  sideOf[inBase] = inSide;
  baseOf[inSide] = inBase;
}

function pairByIdentity(base: readonly Part[], side: readonly Part[], pairing: Pairing): void {
  for (const { inBase, inSide } of groupNamed(base, side, pairing, (part) => part.identity)) {
    if (inBase.length > 1 || inSide.length > 1) pairEqualTexts(base, side, pairing, inBase, inSide);
    const [leftInBase, leftInSide] = [unpaired(inBase, pairing.sideOf), unpaired(inSide, pairing.baseOf)];
    for (let at = 0; at < leftInBase.length && at < leftInSide.length; at += 1) {
      pair(pairing, leftInBase[at] as number, leftInSide[at] as number);
    }
  }
}

interface Group {
  readonly inBase: number[];
  readonly inSide: number[];
}

// The named parts that are not paired yet, where both lists have such of one key.
function groupNamed(
  base: readonly Part[],
  side: readonly Part[],
  { sideOf, baseOf }: Pairing,
  keyOf: (part: Part) => string | undefined,
): Group[] {
  const groups = new Map<string, Group>();
  for (const [at, part] of base.entries()) {
    const key = part.entity.name === undefined || sideOf[at] !== -1 ? undefined : keyOf(part);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { inBase: [at], inSide: [] });
    else group.inBase.push(at);
  }
  for (const [at, part] of side.entries()) {
    const key = part.entity.name === undefined || baseOf[at] !== -1 ? undefined : keyOf(part);
    if (key !== undefined) groups.get(key)?.inSide.push(at);
  }
  return [...groups.values()].filter(({ inSide }) => inSide.length > 0);
}

function pairEqualTexts(
  base: readonly Part[],
  side: readonly Part[],
  pairing: Pairing,
  inBase: readonly number[],
  inSide: readonly number[],
): void {
  const places = new Map<string, number[]>();
  for (const at of inSide.toReversed()) {
    const { core } = side[at] as Part;
    const known = places.get(core);
    if (known === undefined) places.set(core, [at]);
    else known.push(at);
  }
  for (const at of inBase) {
    const found = places.get((base[at] as Part).core)?.pop();
    if (found !== undefined) pair(pairing, at, found);
  }
}

function unpaired(places: readonly number[], partners: Int32Array): number[] {
  return places.filter((at) => partners[at] === -1);
}

// A changed signature, or a kind that became a related one. Two `impl` blocks of one type are different things.
function pairByName(base: readonly Part[], side: readonly Part[], pairing: Pairing): void {
  const keyOf = ({ entity }: Part): string | undefined =>
    entity.kind === "implementation" ? undefined : `${familyOf(entity.kind)} ${entity.name}`;
  for (const { inBase, inSide } of groupNamed(base, side, pairing, keyOf)) {
    const [first, second] = [inBase[0] as number, inSide[0] as number];
    if (inBase.length === 1 && inSide.length === 1) pair(pairing, first, second);
  }
}

function pairRenamed(base: readonly Part[], side: readonly Part[], pairing: Pairing): void {
  const groups = groupNamed(base, side, pairing, ({ entity }) => familyOf(entity.kind));
  for (const { inBase, inSide } of groups) {
    const [before, after] = [inBase.map((at) => base[at] as Part), inSide.map((at) => side[at] as Part)];
    for (const [at, other] of pairLike(before, after, leastLikenessOfRenamed, MOST_PAIRS)) {
      pair(pairing, inBase[at] as number, inSide[other] as number);
    }
  }
}

function leastLikenessOfRenamed(a: WordCount, b: WordCount): number {
  return Math.min(a.total, b.total) < FEW_WORDS ? 0.9 : 0.65;
}

function orderPairs(base: readonly Part[], side: readonly Part[], pairing: Pairing): void {
  const [inBase, inSide] = numberParts(base, side, pairing);
  matchCommon(inBase, inSide, (at, other) => {
    pair(pairing, at, other);
    pairing.isInOrder[at] = 1;
  });
}

function numberParts(base: readonly Part[], side: readonly Part[], { baseOf }: Pairing): [Int32Array, Int32Array] {
  const texts = new Map<string, number>();
  const numberOf = (part: Part, alone: number): number => {
    if (part.entity.name !== undefined) return alone;
    const known = texts.get(part.identity);
    if (known !== undefined) return known;
    texts.set(part.identity, alone);
    return alone;
  };
  const inBase = Int32Array.from(base, numberOf);
  const inSide = Int32Array.from(side, (part, at) =>
    baseOf[at] === -1 ? numberOf(part, base.length + at) : (baseOf[at] as number),
  );
  return [inBase, inSide];
}
