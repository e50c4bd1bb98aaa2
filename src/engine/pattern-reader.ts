import { complement, EVERYTHING, union, type CharacterSet } from "./character-set.ts";

/** What a regular expression is made of. Places without a character, such as `^` and `\b`, are left out. */
export type PatternNode =
  | { readonly type: "one"; readonly set: CharacterSet }
  | { readonly type: "sequence"; readonly items: readonly PatternNode[] }
  | { readonly type: "choice"; readonly items: readonly PatternNode[] }
  | { readonly type: "repeat"; readonly item: PatternNode; readonly min: number; readonly max: number };

/** A regular expression that has been read. */
export interface ReadPattern {
  readonly node: PatternNode;
  /** Whether it can match at the start of a text only. */
  readonly anchored: boolean;
  /** What it uses of what makes a matcher try without end. */
  readonly forbidden: string | undefined;
}

/** Reads the source of a regular expression that is valid with the flag `u`. */
export function readPattern(source: string): ReadPattern {
  return new PatternReader(source).read();
}

const range = (from: string, to: string): CharacterSet => [[from.codePointAt(0) ?? 0, to.codePointAt(0) ?? 0]];
const single = (code: number): CharacterSet => [[code, code]];
const DIGITS = range("0", "9");
const WORDS = union([range("a", "z"), range("A", "Z"), DIGITS, range("_", "_")]);
const SPACES = union([
  [[9, 13]],
  ...[0x20, 0xa0, 0x16_80, 0x20_28, 0x20_29, 0x20_2f, 0x20_5f, 0x30_00, 0xfe_ff].map(single),
  [[0x20_00, 0x20_0a]],
]);
const NEWLINES = union([10, 13, 0x20_28, 0x20_29].map(single));
const CLASSES: Readonly<Record<string, CharacterSet>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORDS,
  W: complement(WORDS),
  s: SPACES,
  S: complement(SPACES),
  // What has a property is not looked up: it may be anything.
  p: EVERYTHING,
  P: EVERYTHING,
};
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, v: 11, f: 12, b: 8, "0": 0 };
const EMPTY: PatternNode = { type: "sequence", items: [] };

class PatternReader {
  readonly #source: string;
  #at = 0;
  #forbidden: string | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  read(): ReadPattern {
    const anchored = /^\^[^|]*$/.test(this.#source);
    return { node: this.#readChoice(), anchored, forbidden: this.#forbidden };
  }

  /** @param pattern with the flag `y` */
  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (found === null) return undefined;
    this.#at += found[0].length;
    return found;
  }

  #readChoice(): PatternNode {
    const items = [this.#readSequence()];
    while (this.#take(/\|/uy) !== undefined) items.push(this.#readSequence());
    return items.length === 1 ? (items[0] ?? EMPTY) : { type: "choice", items };
  }

  #readSequence(): PatternNode {
    const items: PatternNode[] = [];
    while (this.#at < this.#source.length && !/[|)]/.test(this.#source[this.#at] ?? "")) {
      const item = this.#readItem();
      if (item !== undefined) items.push(this.#readRepeat(item));
    }
    return { type: "sequence", items };
  }

  #readRepeat(item: PatternNode): PatternNode {
    const [whole, few = "", times = "", comma = "", most = ""] =
      this.#take(/(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/uy) ?? [];
    if (whole === undefined) return item;
    if (few !== "") return { type: "repeat", item, min: few === "+" ? 1 : 0, max: few === "?" ? 1 : Infinity };
    const min = Number(times);
    return { type: "repeat", item, min, max: comma === "" ? min : most === "" ? Infinity : Number(most) };
  }

  #readItem(): PatternNode | undefined {
    if (this.#take(/\^|\$|\\[bB]/uy) !== undefined) return undefined;
    const open = this.#take(/\((?:\?(?::|<?[=!]|<[^>]*>))?/uy)?.[0];
    if (open !== undefined) return this.#readGroup(open);
    if (this.#take(/\[/uy) !== undefined) return { type: "one", set: this.#readClass() };
    if (this.#take(/\./uy) !== undefined) return { type: "one", set: complement(NEWLINES) };
    if (this.#take(/\\(?:[1-9]\d*|k<[^>]*>)/uy) !== undefined) {
      this.#forbidden ??= "refers to a group (\\1)";
      return EMPTY;
    }
    return { type: "one", set: this.#readCharacter() };
  }

  #readGroup(open: string): PatternNode {
    if (/[=!]$/.test(open)) this.#forbidden ??= "looks ahead or behind";
    const inner = this.#readChoice();
    this.#at += 1;
    return inner;
  }

  #readClass(): CharacterSet {
    const negated = this.#take(/\^/uy) !== undefined;
    const sets: CharacterSet[] = [];
    while (this.#take(/\]/uy) === undefined) {
      const from = this.#readCharacter();
      const to = this.#take(/-(?!\])/uy) === undefined ? from : this.#readCharacter();
      sets.push([[from[0]?.[0] ?? 0, to.at(-1)?.[1] ?? 0]], from, to);
    }
    return negated ? complement(union(sets)) : union(sets);
  }

  /** One character, or an escape that stands for one of several. */
  #readCharacter(): CharacterSet {
    const [plain] = this.#take(/[^\\]/uy) ?? [];
    if (plain !== undefined) return single(plain.codePointAt(0) ?? 0);
    const [, letter = ""] = this.#take(/\\([dDwWsS]|[pP](?=\{))/uy) ?? [];
    if (letter !== "") {
      if (/p/i.test(letter)) this.#take(/\{[^}]*\}/uy);
      return CLASSES[letter] ?? EVERYTHING;
    }
    const pair = this.#take(/\\u([dD][89abAB][\da-fA-F]{2})\\u([dD][c-fC-F][\da-fA-F]{2})/uy);
    if (pair !== undefined) return single(String.fromCharCode(hexOf(pair[1]), hexOf(pair[2])).codePointAt(0) ?? 0);
    const coded = this.#take(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|u\{([\da-fA-F]+)\})/uy);
    if (coded !== undefined) return single(hexOf(coded[1] ?? coded[2] ?? coded[3]));
    const [, control = ""] = this.#take(/\\c([A-Za-z])/uy) ?? [];
    if (control !== "") return single((control.codePointAt(0) ?? 0) % 32);
    const [, escaped = ""] = this.#take(/\\([\s\S])/uy) ?? [];
    return single(CONTROLS[escaped] ?? escaped.codePointAt(0) ?? 0);
  }
}

function hexOf(digits: string | undefined): number {
  return Number.parseInt(digits ?? "0", 16);
}
