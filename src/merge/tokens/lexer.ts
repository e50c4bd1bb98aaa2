import type { Language } from "../language.ts";

/**
 * What a token is. `word`: a name, a keyword or a number. `text`: a word of a comment or of prose, whose layout is free.
 * `quoted`: a whole string, or a word of one that holds several lines.
 */
export type TokenKind = "word" | "mark" | "quoted" | "text";

/** A text as tokens, in order. What is between two of them is white space, and what begins the lines of a comment. */
export interface Tokens {
  readonly source: string;
  readonly texts: readonly string[];
  readonly kinds: readonly TokenKind[];
  readonly starts: readonly number[];
}

const NAME = /[\p{L}_$@#][\p{L}\p{N}_$]*|\d[\p{L}\p{N}_]*(?:\.\d[\p{L}\p{N}_]*)*/uy;
const OPERATOR = /=>|->|::|\?\.|\.\.\.|\.\.=?|[=!]==?|<=|>=|&&|\|\||\?\?|\+\+|--|\*\*|[-+*/%&|^]=|./suy;
const SPACE = /\s*/y;
const SPACE_CODE = 32;
/** The first character that is not ASCII. */
const FIRST_OTHER = 128;
/** 1: a name may begin with this character of ASCII; 2: it may go on with it. */
const PLAIN = Uint8Array.from({ length: FIRST_OTHER }, (_, code) => {
  const character = String.fromCharCode(code);
  return /[A-Za-z_$]/.test(character) ? 1 : /\d/.test(character) ? 2 : 0;
});
const CHUNK = /\S{1,400}/y;
/** What ends a sentence or a clause is no part of its last word. */
const STOP = /(?<=\p{L}|\p{N})[.,;:]$/u;
const RUST_CHARACTER = /'(?:\\[^\n]{1,10}?|[^\\'\n])'/y;
// Bounded, so that quotes that end nowhere cost no more than that each.
const LINE_STRING = {
  '"': /"(?:\\.|[^"\\\n]){0,2000}"/y,
  "'": /'(?:\\.|[^'\\\n]){0,2000}'/y,
  "`": /`(?:\\.|[^`\\\n]){0,2000}`/y,
};
const PYTHON_COMMENT = /#+[:!]?/y;
const LINE_COMMENT = /\/\/+!?/y;
const BLOCK_COMMENT = /\/\*(?:[*!](?!\/))?/y;
const LINE_START = /\n[^\S\n]*/y;
const BLANKS = /[^\S\n]+/y;
const BLOCK_PREFIX = /\*(?!\/)[^\S\n]*/y;

/**
 * Cuts a text into tokens. It never fails: what it does not understand is a token of one character.
 *
 * @example
 * tokenize("a(b) // so", "typescript").texts // ["a", "(", "b", ")", "//", "so"]
 */
export function tokenize(source: string, language: Language | undefined): Tokens {
  return new Lexer(source, language).readTo(source.length);
}

/** Cuts a text into tokens as far as they are asked for. */
export class Lexer implements Tokens {
  readonly source: string;
  readonly texts: string[] = [];
  readonly kinds: TokenKind[] = [];
  readonly starts: number[] = [];
  readonly #language: Language | undefined;
  /** Quotes that end nowhere from here on. */
  readonly #unclosed = new Set<string>();
  #at = 0;

  constructor(source: string, language: Language | undefined) {
    this.source = source;
    this.#language = language;
  }

  /** Reads on until all tokens are there that begin before an offset. */
  readTo(offset: number): Tokens {
    // A piece can begin in the middle of a block comment.
    const mayBeInComment = this.#at === 0 && this.#language !== "python" && this.#language !== undefined;
    if (mayBeInComment && /^\s*\*\s/.test(this.source)) this.#readBlock();
    const end = Math.min(offset, this.source.length);
    for (this.#skipSpace(); this.#at < end; this.#skipSpace()) this.#readToken();
    return this;
  }

  #readToken(): void {
    if (this.#language === undefined) return this.#push(this.#match(NAME) ?? this.#match(OPERATOR) ?? "", "text");
    if (this.#readComment() || this.#readString()) return;
    const name = this.#matchPlainName() ?? this.#match(NAME);
    if (name !== undefined) return this.#push(name, "word");
    this.#push(this.#match(OPERATOR) ?? this.source.charAt(this.#at), "mark");
  }

  #readComment(): boolean {
    if (this.#language === "python") return this.#startsWith("#") && this.#readLineComments(PYTHON_COMMENT);
    if (this.#startsWith("//")) return this.#readLineComments(LINE_COMMENT);
    if (!this.#startsWith("/*")) return false;
    this.#push(this.#match(BLOCK_COMMENT) ?? "/*", "text");
    this.#readBlock();
    return true;
  }

  // Lines that only go on with a comment begin with its prefix: that is layout.
  #readLineComments(prefix: RegExp): boolean {
    const first = this.#match(prefix) ?? "";
    this.#push(first, "text");
    for (;;) {
      this.#readChunksOfLine();
      const next = this.#at;
      if (this.#match(LINE_START) === undefined || this.#match(prefix) !== first) {
        this.#at = next;
        return true;
      }
    }
  }

  #readChunksOfLine(): void {
    for (;;) {
      this.#match(BLANKS);
      const chunk = this.#match(CHUNK);
      if (chunk === undefined) return;
      this.#pushProse(chunk, "text");
    }
  }

  #readBlock(): void {
    const close = this.source.indexOf("*/", this.#at);
    const end = close < 0 ? this.source.length : close;
    let isLineStart = this.#at === 0;
    while (this.#at < end) {
      const space = this.#match(SPACE) ?? "";
      isLineStart ||= space.includes("\n");
      if (this.#at >= end) break;
      if (isLineStart) this.#match(BLOCK_PREFIX);
      if (this.#at >= end) break;
      isLineStart = false;
      const chunk = this.#match(CHUNK);
      if (chunk === undefined) {
        isLineStart = this.source.charAt(this.#at) === "\n";
        continue;
      }
      const text = this.#at > end ? chunk.slice(0, chunk.length - (this.#at - end)) : chunk;
      this.#at = Math.min(this.#at, end);
      this.#pushProse(text, "text");
    }
    this.#at = end;
    if (close >= 0) {
      this.#at = end + 2;
      this.#push("*/", "text");
    }
  }

  #readString(): boolean {
    const quote = this.source.charAt(this.#at);
    if (quote !== '"' && quote !== "'" && quote !== "`") return false;
    const language = this.#language;
    if (language === "python" || language === "java") {
      const triple = quote.repeat(3);
      if (quote !== "`" && this.#startsWith(triple))
        return this.#readLong(triple, language === "python" ? "text" : "quoted");
    }
    if (language === "rust" && quote === "'") return this.#pushMatch(RUST_CHARACTER, "quoted");
    if (this.#pushMatch(LINE_STRING[quote], "quoted")) return true;
    const spansLines = quote === "`" || (language === "rust" && quote === '"');
    return spansLines && this.#readLong(quote, "quoted");
  }

  // A string of several lines, word by word.
  #readLong(quote: string, kind: TokenKind): boolean {
    if (this.#unclosed.has(quote)) return false;
    let close = this.source.indexOf(quote, this.#at + quote.length);
    while (close > 0 && this.source.charAt(close - 1) === "\\") close = this.source.indexOf(quote, close + 1);
    if (close < 0) {
      this.#unclosed.add(quote);
      return false;
    }
    this.#at += quote.length;
    this.#push(quote, kind);
    while (this.#at < close) {
      this.#match(SPACE);
      if (this.#at >= close) break;
      const chunk = this.#match(CHUNK) ?? "";
      const text = this.#at > close ? chunk.slice(0, chunk.length - (this.#at - close)) : chunk;
      this.#at = Math.min(this.#at, close);
      this.#push(text, kind);
    }
    this.#at = close + quote.length;
    this.#push(quote, kind);
    return true;
  }

  #pushMatch(pattern: RegExp, kind: TokenKind): boolean {
    const text = this.#match(pattern);
    if (text === undefined) return false;
    this.#push(text, kind);
    return true;
  }

  // A word, and what stands behind it.
  #pushProse(chunk: string, kind: TokenKind): void {
    if (!STOP.test(chunk)) return this.#push(chunk, kind);
    const end = this.#at;
    this.#at -= 1;
    this.#push(chunk.slice(0, -1), kind);
    this.#at = end;
    this.#push(chunk.slice(-1), kind);
  }

  /** Notes a token that ends here. */
  #push(text: string, kind: TokenKind): void {
    this.texts.push(text);
    this.kinds.push(kind);
    this.starts.push(this.#at - text.length);
  }

  #skipSpace(): void {
    const code = this.source.charCodeAt(this.#at);
    if (code <= SPACE_CODE || code >= FIRST_OTHER) this.#match(SPACE);
  }

  /** A name of ASCII letters: most are, and for these no pattern is needed. */
  #matchPlainName(): string | undefined {
    const { source } = this;
    const start = this.#at;
    if (PLAIN[source.charCodeAt(start)] !== 1) return undefined;
    let end = start + 1;
    while (PLAIN[source.charCodeAt(end)] !== undefined && PLAIN[source.charCodeAt(end)] !== 0) end += 1;
    if (source.charCodeAt(end) >= FIRST_OTHER) return undefined;
    this.#at = end;
    return source.slice(start, end);
  }

  #startsWith(text: string): boolean {
    return this.source.startsWith(text, this.#at);
  }

  #match(pattern: RegExp): string | undefined {
    const start = this.#at;
    pattern.lastIndex = start;
    if (!pattern.test(this.source)) return undefined;
    this.#at = pattern.lastIndex;
    return this.source.slice(start, this.#at);
  }
}
