/** Whether a side's change holds all of the other side's: it took away the same tokens, and added the same, and more. */
export function containsChange(
  base: readonly string[],
  larger: readonly string[],
  smaller: readonly string[],
): boolean {
  // What one side only took away, and the other replaced, is contested; a full stop is not.
  if (smaller.length === 0 && (base.length !== 1 || base[0] !== ".")) return false;
  if (smaller.length > larger.length) return false;
  if (!isSubsequence(smaller, larger)) return false;
  const left = countTokens(larger);
  const keptBySmaller = countTokens(smaller);
  for (const [token, count] of countTokens(base)) {
    const kept = keptBySmaller.get(token) ?? 0;
    if (kept < count && (left.get(token) ?? 0) > kept) return false;
  }
  return true;
}

function isSubsequence(smaller: readonly string[], larger: readonly string[]): boolean {
  let at = 0;
  for (const token of larger) if (token === smaller[at]) at += 1;
  return at === smaller.length;
}

function countTokens(tokens: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}
