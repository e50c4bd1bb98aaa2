import type { FourSources } from "./line-ledger.ts";
import type { TokenReader } from "./line-tokens.ts";
import type { SourceLine } from "./source-lines.ts";

const LEAST_LIKENESS = 0.5;

/**
 * Whether a side's line stands where it replaced one of the base that the other side has no more either. Only of such a
 * line may a policy drop one version: elsewhere nobody contradicted it.
 */
export function isContested(
  sources: FourSources,
  tokens: TokenReader,
  line: SourceLine,
  side: "ours" | "theirs",
): boolean {
  const other = keysOf(sources[side === "ours" ? "theirs" : "ours"].lines);
  let best: SourceLine | undefined;
  let most = LEAST_LIKENESS;
  for (const replaced of findReplaced(sources, line, side)) {
    const likeness = tokens.similarity(line.text, replaced.text);
    if (likeness >= most) [best, most] = [replaced, likeness];
  }
  return best !== undefined && !other.has(best.key);
}

// The lines of the base, gone on that side, that follow the last common line before it.
function findReplaced(sources: FourSources, line: SourceLine, side: "ours" | "theirs"): SourceLine[] {
  const [base, own] = [sources.base.lines, sources[side].lines];
  const [inBase, inOwn] = [keysOf(base), keysOf(own)];
  let at = own.findIndex(({ key }) => key === line.key) - 1;
  while (at >= 0 && !inBase.has(own[at]?.key ?? "")) at -= 1;
  const anchor = own[at]?.key;
  const start = anchor === undefined ? 0 : base.findIndex(({ key }) => key === anchor) + 1;
  let end = start;
  while (end < base.length && !inOwn.has(base[end]?.key ?? "")) end += 1;
  return base.slice(start, end);
}

function keysOf(lines: readonly SourceLine[]): ReadonlySet<string> {
  return new Set(lines.map(({ key }) => key));
}
