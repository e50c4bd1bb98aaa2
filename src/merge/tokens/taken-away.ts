import type { Tokens } from "./lexer.ts";

interface WordCount {
  base: number;
  ours: number;
  theirs: number;
}

/**
 * Whether one side did away with a name, as by renaming it, and the other side used it once more: then text that has
 * both edits would name what is gone.
 *
 * @example
 * usesWhatIsGone({ base: "let a; f(a)", ours: "let b; f(b)", theirs: "let a; f(a, a)" }) // true
 */
export function usesWhatIsGone(versions: {
  readonly base: Tokens;
  readonly ours: Tokens;
  readonly theirs: Tokens;
}): boolean {
  const counts = new Map<string, WordCount>();
  for (const version of ["base", "ours", "theirs"] as const) {
    const { texts, kinds } = versions[version];
    for (let at = 0; at < texts.length; at += 1) {
      if (kinds[at] !== "word") continue;
      const word = texts[at] as string;
      let count = counts.get(word);
      if (count === undefined) counts.set(word, (count = { base: 0, ours: 0, theirs: 0 }));
      count[version] += 1;
    }
  }
  for (const { base, ours, theirs } of counts.values()) {
    if (base > 0 && ((ours === 0 && theirs > base) || (theirs === 0 && ours > base))) return true;
  }
  return false;
}
