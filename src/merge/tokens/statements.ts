import type { Language } from "../language.ts";
import type { Slice } from "./slice.ts";

const MOST_ALIKE = 0.7;

const OPERATORS = ". ? : | & + - * / % = < > , => && || ?? ?. ...";
/** What a statement does not begin with. */
const GOES_ON = new Set(`${OPERATORS} ) ] } else catch finally elif except case default`.split(" "));
/** What a statement does not end with. */
const IS_OPEN = new Set(`${OPERATORS} ( [ {`.split(" "));
/** After these, nothing that follows is reached. */
const LEAVES = new Set(["return", "throw", "break", "continue", "raise", "yield", "await", "goto"]);
const PAIRS: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };
const ASSIGNS = new Set(["=", "+=", "-=", "*=", "/=", "++", "--", ":="]);
const DECLARES = new Set([
  "const",
  "let",
  "var",
  "function",
  "class",
  "def",
  "fn",
  "type",
  "interface",
  "enum",
  "struct",
]);

/**
 * Whether two runs of statements can stand one behind the other in either order: each is whole, neither leaves the place
 * where it stands, and neither sets a name that the other has.
 */
export function areIndependent(ours: Slice, theirs: Slice, language: Language | undefined): boolean {
  if (language === undefined || indentationOf(ours) !== indentationOf(theirs)) return false;
  if (!isWhole(ours, language) || !isWhole(theirs, language)) return false;
  if (areAlike(ours.texts, theirs.texts)) return false;
  const [inOurs, inTheirs] = [namesOf(ours), namesOf(theirs)];
  return isDisjoint(inOurs.set, inTheirs.all) && isDisjoint(inTheirs.set, inOurs.all);
}

function indentationOf({ gaps }: Slice): string {
  const [gap = ""] = gaps;
  return gap.slice(gap.lastIndexOf("\n") + 1);
}

function isWhole({ texts, kinds }: Slice, language: Language): boolean {
  const code = texts.filter((_, at) => kinds[at] !== "text");
  const [first = "", last = ""] = [code[0], code.at(-1)];
  if (GOES_ON.has(first)) return false;
  if (IS_OPEN.has(last)) return false;
  if (language !== "python" && kinds.at(-1) === "text") return false;
  const open: string[] = [];
  for (const [at, text] of texts.entries()) {
    if (kinds[at] === "word" && open.length === 0 && LEAVES.has(text)) return false;
    if (kinds[at] !== "mark") continue;
    if (text === "(" || text === "[" || text === "{") open.push(text);
    else if (PAIRS[text] !== undefined && open.pop() !== PAIRS[text]) return false;
  }
  return open.length === 0;
}

// Two variants of one statement are not meant to stand behind each other.
function areAlike(ours: readonly string[], theirs: readonly string[]): boolean {
  const left = new Map<string, number>();
  for (const text of ours) left.set(text, (left.get(text) ?? 0) + 1);
  let common = 0;
  for (const text of theirs) {
    const count = left.get(text) ?? 0;
    if (count === 0) continue;
    left.set(text, count - 1);
    common += 1;
  }
  return (2 * common) / (ours.length + theirs.length) > MOST_ALIKE;
}

interface Names {
  /** What is declared or set. */
  readonly set: ReadonlySet<string>;
  readonly all: ReadonlySet<string>;
}

function namesOf({ texts, kinds }: Slice): Names {
  const [set, all] = [new Set<string>(), new Set<string>()];
  for (const [at, text] of texts.entries()) {
    if (kinds[at] !== "word" || DECLARES.has(text)) continue;
    all.add(text);
    if (DECLARES.has(texts[at - 1] ?? "") || ASSIGNS.has(texts[at + 1] ?? "")) set.add(text);
  }
  return { set, all };
}

function isDisjoint(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const one of some) if (others.has(one)) return false;
  return true;
}
