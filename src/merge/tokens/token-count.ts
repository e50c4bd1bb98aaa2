/** The tokens of three versions and of what was made of them. */
export interface CountedTokens {
  readonly base: readonly string[];
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  readonly result: readonly string[];
}

interface TokenCount {
  base: number;
  ours: number;
  theirs: number;
  result: number;
}

/**
 * Whether a result has each token that a side added, and none that a side took away, counted. Where both sides added one,
 * or both took it away, they may have meant the same.
 */
export function keepsEveryToken(tokens: CountedTokens): boolean {
  return [...countTokens(tokens).values()].every(({ base, ours, theirs, result }) => {
    const [byOurs, byTheirs] = [ours - base, theirs - base];
    const both = byOurs + byTheirs;
    const fewest = byOurs > 0 && byTheirs > 0 ? Math.max(byOurs, byTheirs) : both;
    const most = byOurs < 0 && byTheirs < 0 ? Math.min(byOurs, byTheirs) : both;
    return result - base >= fewest && result - base <= most;
  });
}

function countTokens(tokens: CountedTokens): ReadonlyMap<string, TokenCount> {
  const counts = new Map<string, TokenCount>();
  for (const version of ["base", "ours", "theirs", "result"] as const) {
    for (const token of tokens[version]) {
      let count = counts.get(token);
      if (count === undefined) counts.set(token, (count = { base: 0, ours: 0, theirs: 0, result: 0 }));
      count[version] += 1;
    }
  }
  return counts;
}
