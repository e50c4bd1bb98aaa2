/** Two lists of lines as numbers: equal lines have equal numbers. Lines that only one list has are left out. */
export interface NumberedLines {
  readonly a: Int32Array;
  readonly b: Int32Array;
  /** Where each number of `a` stands in the list it came from. */
  readonly placesInA: Int32Array;
  readonly placesInB: Int32Array;
}

/** Numbers the lines of `a` from `aStart` to `aEnd`, and those of `b` from `bStart` to `bEnd`. */
export function numberLines(
  a: readonly string[],
  [aStart, aEnd]: readonly [number, number],
  b: readonly string[],
  [bStart, bEnd]: readonly [number, number],
): NumberedLines {
  const numbers = new Map<string, number>();
  for (let at = aStart; at < aEnd; at += 1) {
    const line = a[at] as string;
    if (!numbers.has(line)) numbers.set(line, numbers.size);
  }
  const isShared = new Uint8Array(numbers.size);
  const inB = new Int32Array(bEnd - bStart);
  const placesInB = new Int32Array(bEnd - bStart);
  let shared = 0;
  for (let at = bStart; at < bEnd; at += 1) {
    const number = numbers.get(b[at] as string);
    if (number === undefined) continue;
    isShared[number] = 1;
    inB[shared] = number;
    placesInB[shared] = at;
    shared += 1;
  }
  const inA = new Int32Array(aEnd - aStart);
  const placesInA = new Int32Array(aEnd - aStart);
  let kept = 0;
  for (let at = aStart; at < aEnd; at += 1) {
    const number = numbers.get(a[at] as string) as number;
    if (isShared[number] === 0) continue;
    inA[kept] = number;
    placesInA[kept] = at;
    kept += 1;
  }
  return {
    a: inA.subarray(0, kept),
    b: inB.subarray(0, shared),
    placesInA: placesInA.subarray(0, kept),
    placesInB: placesInB.subarray(0, shared),
  };
}
