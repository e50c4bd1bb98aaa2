import type { Lexer, TokenKind, Tokens } from "./lexer.ts";

/** The tokens of some lines of a text, and the gap before each of them and after the last one. */
export interface Slice {
  readonly texts: readonly string[];
  readonly kinds: readonly TokenKind[];
  /** One more than there are tokens. */
  readonly gaps: readonly string[];
}

/** A text cut into lines and, as far as they are asked for, into tokens. */
export class TokenLines {
  readonly #lexer: Lexer;
  readonly #lines: readonly string[];
  #lineStarts: number[] | undefined;

  constructor(lines: readonly string[], lexer: Lexer) {
    this.#lines = lines;
    this.#lexer = lexer;
  }

  all(): Tokens {
    return this.#lexer.readTo(this.#lexer.source.length);
  }

  /** The tokens that begin in the lines from `start` up to and without `end`. */
  slice(start: number, end: number): Slice {
    const lineStarts = (this.#lineStarts ??= startsOf(this.#lines));
    const [from, to] = [lineStarts[start] as number, lineStarts[end] as number];
    const tokens = this.#lexer.readTo(to);
    const [first, last] = [firstFrom(tokens.starts, from), firstFrom(tokens.starts, to)];
    const gaps: string[] = [];
    let at = from;
    for (let token = first; token < last; token += 1) {
      const tokenStart = tokens.starts[token] as number;
      gaps.push(tokens.source.slice(at, tokenStart));
      at = tokenStart + (tokens.texts[token] as string).length;
    }
    gaps.push(tokens.source.slice(at, to));
    return { texts: tokens.texts.slice(first, last), kinds: tokens.kinds.slice(first, last), gaps };
  }
}

function startsOf(lines: readonly string[]): number[] {
  const starts = [0];
  let at = 0;
  for (const line of lines) starts.push((at += line.length + 1));
  return starts;
}

function firstFrom(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
