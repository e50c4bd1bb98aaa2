const NOWHERE = 1_000_000_000;

/** Steps from each end after which the search through a part takes the furthest point it has reached. */
const STEP_LIMIT = 256;

/** Called for each pair of elements of a common subsequence, in no set order. */
type Report = (inA: number, inB: number) => void;

/** A part of both sequences: `a` from `aStart` to `aEnd` against `b` from `bStart` to `bEnd`. */
interface Part {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

type Point = readonly [inA: number, inB: number];

/**
 * Finds a longest common subsequence by Myers' O(ND) search from both ends, in linear space.
 *
 * Where the two ends of a part are more than twice {@link STEP_LIMIT} steps apart, the part is cut at the furthest point
 * reached: what is found is still a common subsequence, but perhaps not a longest one. So the time is
 * O((N + M) × STEP_LIMIT), whatever the sequences are.
 */
export function matchCommon(a: Int32Array, b: Int32Array, report: Report): void {
  const search = new Search(a, b);
  const open: Part[] = [{ aStart: 0, aEnd: a.length, bStart: 0, bEnd: b.length }];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const rest = reportEnds(a, b, part, report);
    if (rest.aStart === rest.aEnd || rest.bStart === rest.bEnd) continue;
    const [inA, inB] = search.findCut(rest);
    open.push({ ...rest, aStart: inA, bStart: inB }, { ...rest, aEnd: inA, bEnd: inB });
  }
}

function reportEnds(a: Int32Array, b: Int32Array, part: Part, report: Report): Part {
  let { aStart, aEnd, bStart, bEnd } = part;
  while (aStart < aEnd && bStart < bEnd && a[aStart] === b[bStart]) {
    report(aStart, bStart);
    aStart += 1;
    bStart += 1;
  }
  while (aStart < aEnd && bStart < bEnd && a[aEnd - 1] === b[bEnd - 1]) {
    aEnd -= 1;
    bEnd -= 1;
    report(aEnd, bEnd);
  }
  return { aStart, aEnd, bStart, bEnd };
}

/**
 * The search through one part at a time. A point is kept as its place `x` in `a`, by diagonal: `x` minus its place in
 * `b`, both counted from the part's start. Each step is one deletion or insertion and whatever equals after it.
 */
class Search {
  readonly #a: Int32Array;
  readonly #b: Int32Array;
  /** The largest `x` reached from the start, per diagonal. */
  readonly #forward: Int32Array;
  /** The smallest `x` reached from the end, per diagonal. */
  readonly #backward: Int32Array;
  #aStart = 0;
  #bStart = 0;
  #width = 0;
  #height = 0;

  constructor(a: Int32Array, b: Int32Array) {
    this.#a = a;
    this.#b = b;
    this.#forward = new Int32Array(a.length + b.length + 3);
    this.#backward = new Int32Array(a.length + b.length + 3);
  }

  /** A point inside a part whose ends differ, on a shortest way through it if that is within the limit. */
  findCut(part: Part): Point {
    this.#enter(part);
    for (let steps = 0; steps < STEP_LIMIT; steps += 1) {
      const cut = this.#stepForward(steps) ?? this.#stepBackward(steps);
      if (cut !== undefined) return cut;
    }
    return this.#furthestPoint(STEP_LIMIT - 1);
  }

  #enter({ aStart, aEnd, bStart, bEnd }: Part): void {
    this.#aStart = aStart;
    this.#bStart = bStart;
    this.#width = aEnd - aStart;
    this.#height = bEnd - bStart;
    const zero = this.#height + 1;
    const last = zero + this.#width - this.#height;
    this.#forward[zero - 1] = -NOWHERE;
    this.#forward[zero + 1] = 0;
    this.#backward[last - 1] = this.#width;
    this.#backward[last + 1] = NOWHERE;
  }

  // Both searches look at the diagonals from `lowest` to `highest`, counted from their own corner.
  #lowest(steps: number): number {
    return -steps + 2 * Math.max(0, steps - this.#height);
  }

  #highest(steps: number): number {
    return steps - 2 * Math.max(0, steps - this.#width);
  }

  #stepForward(steps: number): Point | undefined {
    const [a, b, aStart, bStart] = [this.#a, this.#b, this.#aStart, this.#bStart];
    const [width, height, forward, backward] = [this.#width, this.#height, this.#forward, this.#backward];
    const zero = height + 1;
    const delta = width - height;
    const [lowest, highest] = [this.#lowest(steps), this.#highest(steps)];
    if (steps > 0 && steps <= height) forward[zero + lowest - 1] = -NOWHERE;
    if (steps > 0 && steps <= width) forward[zero + highest + 1] = -NOWHERE;
    const canMeet = (delta & 1) !== 0;
    for (let diagonal = lowest; diagonal <= highest; diagonal += 2) {
      const deleted = (forward[zero + diagonal - 1] as number) + 1;
      const inserted = forward[zero + diagonal + 1] as number;
      const canInsert = inserted >= 0 && inserted - diagonal <= height;
      let x = deleted <= width && (deleted > inserted || !canInsert) ? deleted : canInsert ? inserted : -NOWHERE;
      if (x < 0) {
        forward[zero + diagonal] = -NOWHERE;
        continue;
      }
      while (x < width && x - diagonal < height && a[aStart + x] === b[bStart + x - diagonal]) x += 1;
      forward[zero + diagonal] = x;
      if (canMeet && Math.abs(diagonal - delta) < steps && x >= (backward[zero + diagonal] as number)) {
        return [aStart + x, bStart + x - diagonal];
      }
    }
    return undefined;
  }

  #stepBackward(steps: number): Point | undefined {
    const [a, b, aStart, bStart] = [this.#a, this.#b, this.#aStart, this.#bStart];
    const [width, height, forward, backward] = [this.#width, this.#height, this.#forward, this.#backward];
    const zero = height + 1;
    const delta = width - height;
    const [lowest, highest] = [delta - this.#highest(steps), delta - this.#lowest(steps)];
    if (steps > 0 && steps <= width) backward[zero + lowest - 1] = NOWHERE;
    if (steps > 0 && steps <= height) backward[zero + highest + 1] = NOWHERE;
    const canMeet = (delta & 1) === 0;
    for (let diagonal = highest; diagonal >= lowest; diagonal -= 2) {
      const deleted = (backward[zero + diagonal + 1] as number) - 1;
      const inserted = backward[zero + diagonal - 1] as number;
      const canInsert = inserted <= width && inserted - diagonal >= 0;
      let x = deleted >= 0 && (deleted < inserted || !canInsert) ? deleted : canInsert ? inserted : NOWHERE;
      if (x > width) {
        backward[zero + diagonal] = NOWHERE;
        continue;
      }
      while (x > 0 && x - diagonal > 0 && a[aStart + x - 1] === b[bStart + x - diagonal - 1]) x -= 1;
      backward[zero + diagonal] = x;
      if (canMeet && Math.abs(diagonal) <= steps && x <= (forward[zero + diagonal] as number)) {
        return [aStart + x, bStart + x - diagonal];
      }
    }
    return undefined;
  }

  #furthestPoint(steps: number): Point {
    const [width, height] = [this.#width, this.#height];
    const zero = height + 1;
    const delta = width - height;
    let best: Point = [0, 0];
    let progress = -1;
    for (let own = this.#lowest(steps); own <= this.#highest(steps); own += 2) {
      const x = this.#forward[zero + own] as number;
      if (2 * x - own > progress && x >= 0) {
        progress = 2 * x - own;
        best = [this.#aStart + x, this.#bStart + x - own];
      }
      const back = this.#backward[zero + delta - own] as number;
      const backProgress = width + height - (2 * back - (delta - own));
      if (backProgress > progress && back <= width) {
        progress = backProgress;
        best = [this.#aStart + back, this.#bStart + back - (delta - own)];
      }
    }
    return best;
  }
}
