import { matchCommon } from "./common-sequence.ts";
import { keepShared, numberLines } from "./lines.ts";

const NONE = new Int32Array();

/** The lines of the base from `baseStart` to `baseEnd` became those of the side from `sideStart` to `sideEnd`. */
export interface Edit {
  readonly baseStart: number;
  readonly baseEnd: number;
  readonly sideStart: number;
  readonly sideEnd: number;
}

/**
 * The edits that make `side` out of `base`, in order; between two of them stands at least one common line.
 *
 * An edit that could stand in several places, because lines repeat, stands in the last one, or where it meets another.
 */
export function findEdits(base: readonly string[], side: readonly string[]): Edit[] {
  const [baseNumbers = NONE, sideNumbers = NONE] = numberLines(base, side);
  return findNumberedEdits(baseNumbers, sideNumbers);
}

/** {@link findEdits}, of lines that have been numbered together. */
export function findNumberedEdits(base: Int32Array, side: Int32Array): Edit[] {
  const shortest = Math.min(base.length, side.length);
  let start = 0;
  while (start < shortest && base[start] === side[start]) start += 1;
  let end = 0;
  while (end < shortest - start && base[base.length - 1 - end] === side[side.length - 1 - end]) end += 1;
  const [baseEnd, sideEnd] = [base.length - end, side.length - end];
  if (start === baseEnd && start === sideEnd) return [];

  const pairs = matchLines(base.subarray(start, baseEnd), side.subarray(start, sideEnd));
  return settleEdits(base, side, editsBetween(pairs, start, baseEnd, sideEnd));
}

// For each line of the base, the line of the side that it matches, or -1.
function matchLines(base: Int32Array, side: Int32Array): Int32Array {
  const pairs = new Int32Array(base.length).fill(-1);
  if (base.length === 0 || side.length === 0) return pairs;
  const shared = keepShared(base, side);
  matchCommon(shared.base.numbers, shared.side.numbers, (inBase, inSide) => {
    pairs[shared.base.places[inBase] as number] = shared.side.places[inSide] as number;
  });
  return pairs;
}

function editsBetween(pairs: Int32Array, start: number, baseEnd: number, sideEnd: number): Edit[] {
  const edits: Edit[] = [];
  let [baseStart, sideStart] = [start, start];
  for (let at = 0; at <= pairs.length; at += 1) {
    if (at < pairs.length && (pairs[at] as number) < 0) continue;
    const match = at === pairs.length ? sideEnd : start + (pairs[at] as number);
    const place = at === pairs.length ? baseEnd : start + at;
    if (place > baseStart || match > sideStart) edits.push({ baseStart, baseEnd: place, sideStart, sideEnd: match });
    [baseStart, sideStart] = [place + 1, match + 1];
  }
  return edits;
}

function settleEdits(base: Int32Array, side: Int32Array, edits: readonly Edit[]): Edit[] {
  const settled: Edit[] = [];
  const open = edits.toReversed();
  for (let edit = open.pop(); edit !== undefined; edit = open.pop()) {
    const before = settled.at(-1);
    const raised = slideUp(base, side, edit, before?.baseEnd ?? edit.baseStart);
    if (before !== undefined && raised.baseStart === before.baseEnd) {
      settled.pop();
      open.push(join(before, raised));
      continue;
    }
    const next = open.at(-1);
    const slid = slideDown(base, side, edit, next?.baseStart ?? base.length);
    if (next !== undefined && slid.baseEnd === next.baseStart) {
      open.pop();
      open.push(join(slid, next));
    } else {
      settled.push(slid);
    }
  }
  return settled;
}

// What is only inserted or only deleted can stand one line further where the line it leaves equals the one it takes.
function slideUp(base: Int32Array, side: Int32Array, edit: Edit, limit: number): Edit {
  const lines = slidingLines(base, side, edit);
  if (lines === undefined) return edit;
  let by = 0;
  while (edit.baseStart - by > limit && lines.text[lines.start - by - 1] === lines.text[lines.end - by - 1]) by += 1;
  return moved(edit, -by);
}

function slideDown(base: Int32Array, side: Int32Array, edit: Edit, limit: number): Edit {
  const lines = slidingLines(base, side, edit);
  if (lines === undefined) return edit;
  let by = 0;
  while (edit.baseEnd + by < limit && lines.text[lines.start + by] === lines.text[lines.end + by]) by += 1;
  return moved(edit, by);
}

function slidingLines(
  base: Int32Array,
  side: Int32Array,
  edit: Edit,
): { readonly text: Int32Array; readonly start: number; readonly end: number } | undefined {
  if (edit.sideStart === edit.sideEnd) return { text: base, start: edit.baseStart, end: edit.baseEnd };
  if (edit.baseStart === edit.baseEnd) return { text: side, start: edit.sideStart, end: edit.sideEnd };
  return undefined;
}

function moved(edit: Edit, by: number): Edit {
  return {
    baseStart: edit.baseStart + by,
    baseEnd: edit.baseEnd + by,
    sideStart: edit.sideStart + by,
    sideEnd: edit.sideEnd + by,
  };
}

function join(first: Edit, second: Edit): Edit {
  return { ...first, baseEnd: second.baseEnd, sideEnd: second.sideEnd };
}
