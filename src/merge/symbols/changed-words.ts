/** Words that stand everywhere and tell nothing. */
const COMMON = new Set(
  `abstract and any as assert async await bool boolean break case catch char class const continue def default delete do
  double elif else enum except export extends false final finally float fn for from func function go goto if impl
  implements import in instanceof int interface is lambda let long match mod module mut namespace new nil none not null
  number object of or package pass private protected pub public raise range readonly return self short static str string
  struct super switch this throw throws trait true try type typeof undefined unknown use var void where while with yield
  the a to and of it be an that on by`.split(/\s+/),
);
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/gu;
const LONGEST_TEXT = 1_000_000;

/** Stands among the words where a constant got another value: two such changes may meet in a third place. */
const CHANGED_VALUE = "#value";
const CONSTANT =
  /^(?:(?:export|pub|const|static|final|var|let|public|private)\s+|\s+(?=[A-Z_]+\b))*([A-Za-z_]\w*)\s*(?::[^=]+)?=(?![=>])/;

/**
 * The words of what is another between two texts, and of what it stands in. Two changes that share no word have
 * nothing to do with each other, which is cheaper to see than what they define and use.
 *
 * @returns nothing where the texts are too long to tell
 * @example
 * changedWords("function f() {\n  one();\n}\n", "function f() {\n  two();\n}\n") // Set { "one", "f", "two" }
 */
export function changedWords(before: string, after: string): Set<string> | undefined {
  if (before.length + after.length > LONGEST_TEXT) return undefined;
  const [old, now] = [before.split("\n"), after.split("\n")];
  const words = new Set<string>();
  const [given, taken] = [new Set<string>(), new Set<string>()];
  collect(old, countLines(now), words, given);
  collect(now, countLines(old), words, taken);
  if ([...given].some((name) => taken.has(name))) words.add(CHANGED_VALUE);
  return words;
}

function countLines(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** Adds the words of lines that the other text has not, or not that often, and of the lines above that hold them. */
function collect(
  lines: readonly string[],
  others: Map<string, number>,
  words: Set<string>,
  constants: Set<string>,
): void {
  // What stands above, each less indented than the one after it.
  const above: { readonly indent: number; readonly line: string; isTold: boolean }[] = [];
  for (const line of lines) {
    if (line.trim() === "") continue;
    const indent = line.length - line.trimStart().length;
    while ((above.at(-1)?.indent ?? -1) >= indent) above.pop();
    const left = others.get(line) ?? 0;
    if (left > 0) others.set(line, left - 1);
    else {
      for (const holder of above) {
        if (!holder.isTold) addWords(holder.line, words);
        holder.isTold = true;
      }
      addWords(line, words);
      const [, constant] = CONSTANT.exec(line) ?? [];
      if (constant !== undefined) constants.add(constant);
    }
    above.push({ indent, line, isTold: left <= 0 });
  }
}

function addWords(line: string, words: Set<string>): void {
  for (const [word] of line.matchAll(WORD)) if (!COMMON.has(word)) words.add(word);
}
