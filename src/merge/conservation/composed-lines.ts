import { rangeOf } from "./edit-range.ts";
import type { Imbalance, LineEntry, Page } from "./line-ledger.ts";
import type { LineTokens, TokenReader } from "./line-tokens.ts";

/** So alike two lines must be to be taken for versions of one. */
const LEAST_LIKENESS = 0.5;
const LEAST_LIKENESS_OF_ONE = 0.7;
const MOST_CANDIDATES = 4;
/** Beyond so many changed lines in one definition nobody can tell what became of which. */
const MOST_LINES = 400;

type Side = "ours" | "theirs";

/** Finds lines that were put together from both sides' versions of a line. */
export class ComposedLines {
  readonly #tokens: TokenReader;
  readonly #whole: Page;
  readonly #changed = new Map<Page, readonly LineEntry[]>();

  constructor(tokens: TokenReader, whole: Page) {
    this.#tokens = tokens;
    this.#whole = whole;
  }

  /** The line of the result that has all that a side's missing line brought, and nothing that no version has. */
  find({ entry, page }: Imbalance, side: Side): LineEntry | undefined {
    const changed = this.#changedIn(page);
    if (changed.length > MOST_LINES) return undefined;
    const other = side === "ours" ? "theirs" : "ours";
    const results = this.#mostLike(entry, changed, (one) => one.result > one.base);
    if (results.length === 0) return undefined;
    const [base] = this.#mostLike(entry, changed, (one) => one[side] < one.base);
    const isKept = base !== undefined && base[other] >= base.base;
    const others = isKept ? [base] : this.#mostLike(base ?? entry, changed, (one) => one[other] > one.base);
    for (const [at, second] of others.entries()) {
      const found = results.find(
        (result) =>
          ((at === 0 && this.#isSecond(entry, second, result)) || this.#isForeign(result)) &&
          this.#isJoined({ base, first: entry, second, result }),
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Whether the result has a line of the other side that is like one: it stands for a line that was only wrapped. */
  hasLike({ entry, page }: Imbalance): boolean {
    const changed = this.#changedIn(page);
    if (changed.length > MOST_LINES) return false;
    const isOther = (one: LineEntry): boolean => one.result > 0 && Math.max(one.ours, one.theirs) > one.base;
    return this.#mostLike(entry, changed, isOther).length > 0;
  }

  /**
   * The lines that one side removed and the other changed, and that the result has as changed: the removal is undone.
   */
  findUndone(page: Page): LineEntry[] {
    const changed = this.#changedIn(page);
    if (changed.length > MOST_LINES) return [];
    const undone: LineEntry[] = [];
    for (const entry of changed) {
      if (entry.ours >= entry.base || entry.theirs >= entry.base) continue;
      const [byOurs, byTheirs] = (["ours", "theirs"] as const).map(
        (side) => this.#mostLike(entry, changed, (one) => one[side] > one.base)[0],
      );
      if ((byOurs === undefined) === (byTheirs === undefined)) continue;
      const successor = byOurs ?? byTheirs;
      if (successor !== undefined && successor.result > successor.base) undone.push(successor);
    }
    return undone;
  }

  /** Whether a line is a part of a line of the base that a side changed: then it was shortened, not wrapped. */
  isShortened({ entry, page }: Imbalance): boolean {
    const { key } = entry.line;
    const isLonger = (one: LineEntry): boolean => one.base > Math.min(one.ours, one.theirs) && one.line.key !== key;
    return this.#changedIn(page).some((one) => isLonger(one) && one.line.key.includes(key));
  }

  /** Whether the other side's line stands for both. It has to be more like the missing one than a composed line. */
  #isSecond(missing: LineEntry, second: LineEntry, result: LineEntry): boolean {
    return result === second && this.#tokens.similarity(missing.line.text, result.line.text) >= LEAST_LIKENESS_OF_ONE;
  }

  #isForeign({ line }: LineEntry): boolean {
    const { base = 0, ours = 0, theirs = 0 } = this.#whole.entries.get(line.key) ?? {};
    return base + ours + theirs === 0;
  }

  #changedIn(page: Page): readonly LineEntry[] {
    let changed = this.#changed.get(page);
    if (changed === undefined) {
      changed = [...page.entries.values()].filter(
        ({ base, ours, theirs, result, line }) =>
          !line.isImport && !(base === ours && base === theirs && base === result),
      );
      this.#changed.set(page, changed);
    }
    return changed;
  }

  #mostLike(
    entry: LineEntry,
    among: readonly LineEntry[],
    isCandidate: (one: LineEntry) => boolean,
  ): readonly LineEntry[] {
    return among
      .filter((one) => one !== entry && isCandidate(one))
      .map((one) => ({ one, likeness: this.#tokens.similarity(entry.line.text, one.line.text) }))
      .filter(({ likeness }) => likeness >= LEAST_LIKENESS)
      .sort((a, b) => b.likeness - a.likeness)
      .slice(0, MOST_CANDIDATES)
      .map(({ one }) => one);
  }

  #isJoined(lines: {
    readonly base: LineEntry | undefined;
    readonly first: LineEntry;
    readonly second: LineEntry;
    readonly result: LineEntry;
  }): boolean {
    const read = (entry: LineEntry | undefined): LineTokens => this.#tokens.read(entry?.line.text ?? "");
    const [base, first, second, result] = [lines.base, lines.first, lines.second, lines.result].map(read) as [
      LineTokens,
      LineTokens,
      LineTokens,
      LineTokens,
    ];
    const all = new Set([base, first, second, result].flatMap(({ list }) => list));
    for (const token of all) {
      const at = (tokens: LineTokens): number => tokens.counts.get(token) ?? 0;
      const { fewest, most } = rangeOf({ base: at(base), ours: at(first), theirs: at(second) });
      if (at(result) < fewest || at(result) > most) return false;
    }
    // Only where the two edits touch can tokens follow each other that do so in no version.
    const isOnlyFirst = lines.second === lines.base;
    let seams = 0;
    for (const pair of result.pairs)
      if (!base.pairs.has(pair) && !first.pairs.has(pair) && !second.pairs.has(pair)) seams += 1;
    return seams <= (isOnlyFirst ? 0 : 2);
  }
}
