import { rangeOf, type EditRange } from "./edit-range.ts";
import type { FourSources, Page } from "./line-ledger.ts";
import { SCOPE_SEPARATOR, type SourceLines } from "./source-lines.ts";

/** Shorter pieces of text may occur by chance. */
const SHORTEST = 7;

interface Flat {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly result: string;
}

/** The four texts, or one definition of them, without any white space: a line that was only wrapped is still in them. */
export class FlatTexts {
  readonly #texts: Flat;
  readonly #sources: FourSources;
  readonly #scopes = new Map<string, Flat>();

  constructor(texts: Flat, sources: FourSources) {
    this.#texts = {
      base: flatten(texts.base),
      ours: flatten(texts.ours),
      theirs: flatten(texts.theirs),
      result: flatten(texts.result),
    };
    this.#sources = sources;
  }

  /** Whether a line is there as often as the two edits say, however the lines are wrapped. */
  isBalanced(key: string, page: Page): boolean {
    if (key.length < SHORTEST) return false;
    const texts = this.#textsOf(page);
    const { fewest, most } = rangeIn(texts, key);
    const inResult = countOf(texts.result, key);
    return fewest <= inResult && inResult <= most;
  }

  /** Whether the result has a line at all, however it is wrapped. */
  has(key: string, page: Page): boolean {
    return this.#textsOf(page).result.includes(key);
  }

  #textsOf({ scope }: Page): Flat {
    if (scope === undefined || scope === "") return this.#texts;
    let texts = this.#scopes.get(scope);
    if (texts === undefined) {
      const { base, ours, theirs, result } = this.#sources;
      const inScope = (source: SourceLines): string => flattenScope(source, scope);
      texts = { base: inScope(base), ours: inScope(ours), theirs: inScope(theirs), result: inScope(result) };
      this.#scopes.set(scope, texts);
    }
    return texts;
  }
}

function flatten(text: string): string {
  return text.replace(/\s+/g, "");
}

function flattenScope({ all }: SourceLines, scope: string): string {
  const inner = scope + SCOPE_SEPARATOR;
  const isIn = (path: string): boolean => path === scope || path.startsWith(inner);
  return flatten(all.map((line) => (isIn(line.scope) ? line.text : "")).join(""));
}

function rangeIn({ base, ours, theirs }: Flat, key: string): EditRange {
  return rangeOf({ base: countOf(base, key), ours: countOf(ours, key), theirs: countOf(theirs, key) });
}

function countOf(text: string, piece: string): number {
  let count = 0;
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + piece.length)) count += 1;
  return count;
}
