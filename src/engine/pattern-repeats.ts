import { overlaps, type CharacterSet } from "./character-set.ts";
import type { PatternNode } from "./pattern-reader.ts";

/** More places than that in a repeat are not looked at. */
const MOST_PLACES = 100;

/** Whether everything that a pattern repeats is read in one way only: the next character says how it goes on. */
export function repeatsClearly(node: PatternNode): boolean {
  if (node.type === "one") return true;
  if (node.type !== "repeat") return node.items.every(repeatsClearly);
  return node.max <= 1 ? repeatsClearly(node.item) : new Places().areClear(node);
}

/** Where a part of a pattern can begin and end. A place that can be reached in two ways is there twice. */
interface Ends {
  readonly empty: boolean;
  readonly first: readonly number[];
  readonly last: readonly number[];
}

/** The places of a repeat that stand for one character each, and which may follow which. */
class Places {
  readonly #sets: CharacterSet[] = [];
  readonly #followers: number[][] = [];
  /** Whether it repeats what may be nothing. */
  #loose = false;

  areClear(node: PatternNode): boolean {
    const { first } = this.#read(node);
    return (
      !this.#loose &&
      this.#sets.length <= MOST_PLACES &&
      [first, ...this.#followers].every((places) => this.#areApart(places))
    );
  }

  #areApart(places: readonly number[]): boolean {
    const sets = places.map((place) => this.#sets[place] ?? []);
    return sets.every((set, index) => !sets.slice(index + 1).some((other) => overlaps(set, other)));
  }

  #read(node: PatternNode): Ends {
    // What is known not to be clear is not looked at any further.
    if (this.#loose || this.#sets.length > MOST_PLACES) return { empty: false, first: [], last: [] };
    switch (node.type) {
      case "one":
        return this.#readOne(node.set);
      case "sequence":
        return this.#readSequence(node.items);
      case "choice":
        return this.#readChoice(node.items);
      default:
        return this.#readRepeat(node);
    }
  }

  #readOne(set: CharacterSet): Ends {
    const place = this.#sets.push(set) - 1;
    this.#followers.push([]);
    return { empty: false, first: [place], last: [place] };
  }

  #readSequence(items: readonly PatternNode[]): Ends {
    let whole: Ends = { empty: true, first: [], last: [] };
    for (const item of items) {
      const next = this.#read(item);
      this.#link(whole.last, next.first);
      whole = {
        empty: whole.empty && next.empty,
        first: whole.empty ? [...whole.first, ...next.first] : whole.first,
        last: next.empty ? [...whole.last, ...next.last] : next.last,
      };
    }
    return whole;
  }

  #readChoice(items: readonly PatternNode[]): Ends {
    const ends = items.map((item) => this.#read(item));
    // Two ways to be nothing are two ways.
    if (ends.filter(({ empty }) => empty).length > 1) this.#loose = true;
    return {
      empty: ends.some(({ empty }) => empty),
      first: ends.flatMap(({ first }) => first),
      last: ends.flatMap(({ last }) => last),
    };
  }

  #readRepeat({ item, min, max }: PatternNode & { type: "repeat" }): Ends {
    const ends = this.#read(item);
    if (ends.empty) this.#loose = true;
    if (max > 1) this.#link(ends.last, ends.first);
    return { ...ends, empty: min === 0 };
  }

  #link(from: readonly number[], to: readonly number[]): void {
    for (const place of from) this.#followers[place]?.push(...to);
  }
}
