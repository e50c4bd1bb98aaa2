import type { Pick } from "./pick.ts";

const SEPARATORS = new Set([",", "|"]);
const OPENING = new Set(["(", "[", "{"]);
const CLOSING = new Set([")", "]", "}"]);
const AFTER_NAME = new Set([":", "=", "=>", "(", "{"]);

/** Some elements of a list as one side inserted them: `, a, b` or `a, b,`. Each has its separator with it. */
interface Inserted {
  readonly separator: string;
  readonly isLed: boolean;
  readonly elements: readonly (readonly Pick[])[];
  /** The separator after the last element, where each element has one before it too. */
  readonly tail: readonly Pick[];
}

/**
 * Unites what both sides inserted at one place of a list: the elements of ours, then those of theirs, and once what both
 * inserted. `undefined`: these are no elements of a list, or two of them bear one name.
 */
export function uniteElements(ours: readonly Pick[], theirs: readonly Pick[]): Pick[] | undefined {
  const [left, right] = [readInserted(ours), readInserted(theirs)];
  if (left === undefined || right === undefined) return undefined;
  if (left.separator !== right.separator || left.isLed !== right.isLed) return undefined;
  const [known, others] = [left, right].map(byName);
  // What a list has twice is no name for one thing.
  if (known?.size !== left.elements.length || others?.size !== right.elements.length) return undefined;
  const added: (readonly Pick[])[] = [];
  for (const [name, element] of others) {
    const same = known.get(name);
    if (same === undefined) added.push(element);
    else if (textOf(same) !== textOf(element)) return undefined;
  }
  const tail = right.tail.length > 0 ? right.tail : left.tail;
  return [...left.elements, ...added, tail].flat();
}

function byName({ elements }: Inserted): ReadonlyMap<string, readonly Pick[]> {
  return new Map(elements.map((element) => [nameOf(element), element]));
}

function readInserted(picks: readonly Pick[]): Inserted | undefined {
  const [first, last] = [picks[0]?.text ?? "", picks.at(-1)?.text ?? ""];
  const separator = SEPARATORS.has(first) ? first : last;
  if (!SEPARATORS.has(separator) || picks.length < 2) return undefined;
  const isLed = first === separator;
  const hasTail = isLed && last === separator;
  const elements = splitElements(hasTail ? picks.slice(0, -1) : picks, separator, isLed);
  // What comes behind a comment may be part of it.
  if (isLed && elements?.some((element) => element.at(-1)?.kind === "text") === true) return undefined;
  return elements && { separator, isLed, elements, tail: hasTail ? picks.slice(-1) : [] };
}

function splitElements(picks: readonly Pick[], separator: string, isLed: boolean): Pick[][] | undefined {
  const elements: Pick[][] = [];
  let depth = 0;
  let isOpen = false;
  for (const pick of picks) {
    if (pick.kind === "mark") {
      if (OPENING.has(pick.text)) depth += 1;
      if (CLOSING.has(pick.text) && --depth < 0) return undefined;
      if (depth === 0 && pick.text === ";") return undefined;
    }
    const isSeparator = depth === 0 && pick.kind === "mark" && pick.text === separator;
    if (!isOpen || (isLed && isSeparator)) elements.push([]);
    elements.at(-1)?.push(pick);
    isOpen = isLed || !isSeparator;
  }
  return depth === 0 && elements.every(({ length }) => length > 1) ? elements : undefined;
}

// The name of `a: 1`, `a = 1`, `"a": 1`, `a(b) {…}` and `a => b`; of anything else all of it.
function nameOf(element: readonly Pick[]): string {
  const code = element.filter(({ kind, text }) => kind !== "text" && !SEPARATORS.has(text));
  const end = code.findIndex(({ kind, text }) => kind === "mark" && AFTER_NAME.has(text));
  return textOf(end > 0 ? code.slice(0, end) : code);
}

function textOf(element: readonly Pick[]): string {
  return element.map(({ text }) => text).join(" ");
}
