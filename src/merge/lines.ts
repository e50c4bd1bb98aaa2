/**
 * The lines of a text, without their ends.
 *
 * @example
 * linesOf("a\nb\n") // ["a", "b"]
 */
export function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/**
 * Numbers the lines of several lists: equal lines get equal numbers, from 0 up.
 * Comparing numbers is all that the search for edits then does.
 */
export function numberLines(first: readonly string[], ...others: readonly (readonly string[])[]): Int32Array[] {
  const numbering: Numbering = { numbers: new Map(), first, places: [], numbered: new Int32Array(first.length) };
  for (let at = 0; at < first.length; at += 1) {
    const number = numberOf(numbering, first[at] as string);
    if (number === numbering.places.length) numbering.places.push(at);
    numbering.numbered[at] = number;
  }
  return [numbering.numbered, ...others.map((lines) => numberOther(numbering, lines))];
}

interface Numbering {
  readonly numbers: Map<string, number>;
  readonly first: readonly string[];
  /** The first place of each number in the first list. */
  readonly places: number[];
  readonly numbered: Int32Array;
}

// Most lines stand in the first list after the same line as here: those need not be looked up.
function numberOther(numbering: Numbering, lines: readonly string[]): Int32Array {
  const { first, places, numbered } = numbering;
  const result = new Int32Array(lines.length);
  let next = 0;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] as string;
    if (line === first[next]) {
      result[at] = numbered[next] as number;
      next += 1;
      continue;
    }
    const number = numberOf(numbering, line);
    result[at] = number;
    next = (places[number] ?? next - 1) + 1;
  }
  return result;
}

function numberOf({ numbers }: Numbering, line: string): number {
  const known = numbers.get(line);
  if (known !== undefined) return known;
  const number = numbers.size;
  numbers.set(line, number);
  return number;
}

/** The part of a numbered list that another one has lines in common with. */
export interface SharedLines {
  readonly numbers: Int32Array;
  /** Where each of them stands in the list. */
  readonly places: Int32Array;
}

/** Leaves out of two lists the lines that only one of them has. */
export function keepShared(
  base: Int32Array,
  side: Int32Array,
): { readonly base: SharedLines; readonly side: SharedLines } {
  return { base: keepMarked(base, markNumbers(side)), side: keepMarked(side, markNumbers(base)) };
}

function markNumbers(list: Int32Array): Uint8Array {
  let largest = -1;
  for (let at = 0; at < list.length; at += 1) largest = Math.max(largest, list[at] as number);
  const marks = new Uint8Array(largest + 1);
  for (let at = 0; at < list.length; at += 1) marks[list[at] as number] = 1;
  return marks;
}

function keepMarked(list: Int32Array, marks: Uint8Array): SharedLines {
  const numbers = new Int32Array(list.length);
  const places = new Int32Array(list.length);
  let kept = 0;
  for (let at = 0; at < list.length; at += 1) {
    const number = list[at] as number;
    if (marks[number] !== 1) continue;
    numbers[kept] = number;
    places[kept] = at;
    kept += 1;
  }
  return { numbers: numbers.subarray(0, kept), places: places.subarray(0, kept) };
}

/** Appends a range of lines to others. There may be more of them than a call can have arguments. */
export function appendLines(to: string[], from: readonly string[], start: number, end: number): void {
  for (let at = start; at < end; at += 1) to.push(from[at] as string);
}
