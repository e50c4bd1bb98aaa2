/** The words and signs of a line, and how often each is there. */
export interface LineTokens {
  readonly list: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  /** Each two that follow each other. */
  readonly pairs: ReadonlySet<string>;
}

const TOKEN = /[\p{L}_$][\p{L}\p{N}_$]*|\d[\w.]*|=>|[=!<>]=+|&&|\|\||[^\s,;]/gu;

/** Reads the tokens of lines, of each line once. */
export class TokenReader {
  readonly #known = new Map<string, LineTokens>();

  read(line: string): LineTokens {
    let tokens = this.#known.get(line);
    if (tokens === undefined) this.#known.set(line, (tokens = readTokens(line)));
    return tokens;
  }

  /** From 0 for lines that have nothing in common to 1 for lines of the same words, signs aside. */
  similarity(a: string, b: string): number {
    const [first, second] = [this.read(a), this.read(b)];
    let [shared, size] = [0, 0];
    for (const [token, count] of first.counts) {
      if (!isTelling(token)) continue;
      size += count;
      shared += Math.min(count, second.counts.get(token) ?? 0);
    }
    for (const [token, count] of second.counts) if (isTelling(token)) size += count;
    return size === 0 ? 0 : (2 * shared) / size;
  }
}

function readTokens(line: string): LineTokens {
  const list = line.match(TOKEN) ?? [];
  const counts = new Map<string, number>();
  const pairs = new Set<string>();
  for (const [at, token] of list.entries()) {
    counts.set(token, (counts.get(token) ?? 0) + 1);
    if (at > 0) pairs.add(`${list[at - 1] ?? ""} ${token}`);
  }
  return { list, counts, pairs };
}

function isTelling(token: string): boolean {
  return token.length > 1 || !/[(){}[\].:'"`@#\\]/.test(token);
}
