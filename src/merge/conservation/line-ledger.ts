import { rangeOf, type EditRange } from "./edit-range.ts";
import type { LineCount } from "./line-count.ts";
import type { SourceLine, SourceLines } from "./source-lines.ts";

/** The four sources that are compared. */
export interface FourSources {
  readonly base: SourceLines;
  readonly ours: SourceLines;
  readonly theirs: SourceLines;
  readonly result: SourceLines;
}

/** How often one line stands in each of the four, in one scope or in all. */
export interface LineEntry extends LineCount {
  readonly line: SourceLine;
}

/** The lines of one definition, or of the whole file. */
export interface Page {
  /** `undefined`: the whole file. */
  readonly scope: string | undefined;
  readonly entries: ReadonlyMap<string, LineEntry>;
  /** Whether only one side has it. */
  readonly isNew: boolean;
}

/** A line of which the result has too few or too many. */
export interface Imbalance {
  readonly entry: LineEntry;
  readonly page: Page;
  readonly type: "short" | "over";
  readonly count: number;
}

const VERSIONS = ["base", "ours", "theirs", "result"] as const;

/** Counts lines in the whole file, and in each definition that all four have. */
export class LineLedger {
  readonly whole: Page;
  readonly scopes: readonly Page[];

  constructor(sources: FourSources) {
    this.whole = { scope: undefined, entries: countAll(sources), isNew: false };
    this.scopes = countScopes(sources);
  }

  /** What does not add up: where a definition is known in all versions, in it; otherwise in the whole file. */
  findImbalances(): Imbalance[] {
    const found: Imbalance[] = [];
    const known = new Map<string, number>();
    for (const page of this.scopes) {
      for (const entry of page.entries.values()) {
        const imbalance = weigh(entry, page, rangeIn(page, entry, this.whole));
        if (imbalance === undefined) continue;
        found.push(imbalance);
        const key = `${imbalance.type} ${entry.line.key}`;
        known.set(key, (known.get(key) ?? 0) + imbalance.count);
      }
    }
    for (const entry of this.whole.entries.values()) {
      const imbalance = weigh(entry, this.whole, rangeOf(entry));
      if (imbalance === undefined) continue;
      const rest = imbalance.count - (known.get(`${imbalance.type} ${entry.line.key}`) ?? 0);
      if (rest > 0) found.push({ ...imbalance, count: rest });
    }
    return found;
  }
}

function countAll(sources: FourSources): Map<string, LineEntry> {
  const entries = new Map<string, LineEntry>();
  for (const version of VERSIONS) for (const line of sources[version].lines) countIn(entries, line)[version] += 1;
  return entries;
}

function countScopes(sources: FourSources): Page[] {
  const { base, ours, theirs, result } = sources;
  const pages = new Map<string, Map<string, LineEntry>>();
  for (const scope of result.scopes) {
    const [inOurs, inTheirs] = [ours.scopes.has(scope), theirs.scopes.has(scope)];
    const isNew = !base.scopes.has(scope) && inOurs !== inTheirs;
    if (isNew || (base.scopes.has(scope) && inOurs && inTheirs)) pages.set(scope, new Map());
  }
  for (const version of VERSIONS) {
    for (const line of sources[version].lines) {
      const entries = pages.get(line.scope);
      if (entries !== undefined) countIn(entries, line)[version] += 1;
    }
  }
  return [...pages].map(([scope, entries]) => ({ scope, entries, isNew: !base.scopes.has(scope) }));
}

function countIn(entries: Map<string, LineEntry>, line: SourceLine): LineEntry {
  let entry = entries.get(line.key);
  if (entry === undefined) entries.set(line.key, (entry = { line, base: 0, ours: 0, theirs: 0, result: 0 }));
  return entry;
}

// What one side made new may hold what it moved there; so the other side's edits of those lines may be in it as well.
function rangeIn({ isNew }: Page, entry: LineEntry, whole: Page): EditRange {
  const range = rangeOf(entry);
  const { base = 0, ours = 0, theirs = 0 } = whole.entries.get(entry.line.key) ?? {};
  if (!isNew) return range;
  const others = Math.max(0, base - ours, base - theirs);
  const added = Math.max(0, ours - base, theirs - base);
  return { fewest: Math.max(0, range.fewest - others), most: range.most + added };
}

function weigh(entry: LineEntry, page: Page, { fewest, most }: EditRange): Imbalance | undefined {
  const { result, line, base, ours, theirs } = entry;
  // What is imported twice is one import.
  const limit = line.isImport ? Math.min(most, Math.max(base, ours, theirs)) : most;
  if (result < fewest) return { entry, page, type: "short", count: fewest - result };
  if (result > limit) return { entry, page, type: "over", count: result - limit };
  return undefined;
}
