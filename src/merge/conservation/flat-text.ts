import { rangeOf, type EditRange } from "./edit-range.ts";

/** Shorter pieces of text may occur by chance. */
const SHORTEST = 7;

/** The four texts without any white space: a line that was only wrapped or joined is still in them. */
export class FlatTexts {
  readonly #texts: Readonly<Record<"base" | "ours" | "theirs" | "result", string>>;

  constructor(texts: {
    readonly base: string;
    readonly ours: string;
    readonly theirs: string;
    readonly result: string;
  }) {
    this.#texts = {
      base: flatten(texts.base),
      ours: flatten(texts.ours),
      theirs: flatten(texts.theirs),
      result: flatten(texts.result),
    };
  }

  /** Whether a line is there as often as the two edits say, however the lines are wrapped. */
  isBalanced(key: string): boolean {
    if (key.length < SHORTEST) return false;
    const { fewest, most } = this.#range(key);
    const inResult = countOf(this.#texts.result, key);
    return fewest <= inResult && inResult <= most;
  }

  /** Whether the result has a line at all, however it is wrapped. */
  has(key: string): boolean {
    return this.#texts.result.includes(key);
  }

  #range(key: string): EditRange {
    const { base, ours, theirs } = this.#texts;
    return rangeOf({ base: countOf(base, key), ours: countOf(ours, key), theirs: countOf(theirs, key) });
  }
}

function flatten(text: string): string {
  return text.replace(/\s+/g, "");
}

function countOf(text: string, piece: string): number {
  let count = 0;
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + piece.length)) count += 1;
  return count;
}
