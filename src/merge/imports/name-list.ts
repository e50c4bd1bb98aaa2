import { blankEnd, commentEnd, lineEnd, stringEnd, type Lexis } from "./scan.ts";

/** A name of a list, with what stands around it. */
export interface ListItem {
  /** White space and comments before it. */
  readonly lead: string;
  readonly spec: string;
  /** What follows its comma up to the end of the line, if nothing but a comment does. */
  readonly trail: string;
}

/** What stands between two brackets: names with commas between them. */
export interface NameList {
  /** The rest of the line that the bracket stands on. */
  readonly head: string;
  readonly items: readonly ListItem[];
  readonly tail: string;
  readonly hasLastComma: boolean;
}

const BRACKETS: Readonly<Record<string, number>> = { "(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1 };

/** Reads what stands between two brackets. Written again, it is the same text. */
export function readList(text: string, lexis: Lexis): NameList {
  const head = restOfLine(text, 0, lexis);
  const items: ListItem[] = [];
  let at = head.length;
  let hasLastComma = false;
  for (;;) {
    const start = blankEnd(text, at, lexis);
    if (start >= text.length) break;
    const end = specEnd(text, start, lexis);
    const spec = text.slice(start, end).trimEnd();
    const after = start + spec.length;
    // What stands between the name and its comma is kept only where there is no comma.
    hasLastComma = text[end] === ",";
    const from = hasLastComma ? end + 1 : after;
    const between = hasLastComma ? text.slice(after, end).trim() : "";
    const trail = restOfLine(text, from, lexis);
    items.push({ lead: text.slice(at, start), spec: between === "" ? spec : `${spec} ${between}`, trail });
    at = from + trail.length;
    if (!hasLastComma) break;
  }
  return { head, items, tail: text.slice(at), hasLastComma };
}

/** Writes a list: commas between all, and after the last one where the list has that. */
export function writeList({ head, items, tail, hasLastComma }: NameList): string {
  const parts = items.map(({ lead, spec, trail }, at) => {
    const comma = at < items.length - 1 || hasLastComma ? "," : "";
    return lead + spec + comma + trail;
  });
  return head + parts.join("") + tail;
}

/** A list without one of its names. */
export function removeItem(list: NameList, at: number): NameList {
  const items = [...list.items];
  const [removed] = items.splice(at, 1);
  const next = items[at];
  // The first name of a line hands its place on.
  if (removed !== undefined && next !== undefined && !next.lead.includes("\n") && !removed.trail.includes("\n")) {
    items[at] = { ...next, lead: removed.lead };
  }
  const before = items[at - 1];
  if (removed?.trail.includes("\n") === true && before !== undefined && before.trail === "" && !isOneALine(list)) {
    items[at - 1] = { ...before, trail: "\n" };
  }
  return { ...list, items };
}

/** A list with one more name, written as its neighbours are. */
export function insertItem(list: NameList, at: number, { lead, spec, trail }: ListItem): NameList | undefined {
  const items = [...list.items];
  const comment = (lead + trail).trim();
  if (isOneALine(list)) {
    const indent = indentOf(items[0]?.lead ?? list.tail);
    const leadLines = lead.trim() === "" ? "" : `${indent}${lead.trim()}\n`;
    const after = trail.trim() === "" ? "\n" : `${trail.trimEnd()}\n`;
    items.splice(at, 0, { lead: leadLines + indent, spec, trail: after });
    return { ...list, items };
  }
  if (comment !== "") return undefined;
  const [before, next] = [items[at - 1], items[at]];
  if (before === undefined) {
    items.splice(0, 0, { lead: next?.lead ?? "", spec, trail: "" });
    if (next !== undefined) items[1] = { ...next, lead: " " };
    return { ...list, items };
  }
  if (before.trail.trim() !== "") return undefined;
  items[at - 1] = { ...before, trail: "" };
  items.splice(at, 0, { lead: " ", spec, trail: before.trail });
  return { ...list, items };
}

/** Whether each name has a line of its own. */
function isOneALine({ head, items }: NameList): boolean {
  return head.includes("\n") && items.every(({ trail }) => trail.includes("\n"));
}

function indentOf(lead: string): string {
  return /[ \t]*$/.exec(lead)?.[0] ?? "";
}

function specEnd(text: string, start: number, lexis: Lexis): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const character = text[at] as string;
    if (character === "," && depth === 0) return at;
    const comment = commentEnd(text, at, lexis);
    if (comment !== undefined) {
      if (depth === 0 && !text.slice(comment).trimStart().startsWith(",")) return at;
      at = comment;
      continue;
    }
    depth += BRACKETS[character] ?? 0;
    at = stringEnd(text, at, lexis) ?? at + 1;
  }
  return text.length;
}

// From here to the end of the line, with the line feed, if nothing but white space and comments stand there.
function restOfLine(text: string, from: number, lexis: Lexis): string {
  let at = from;
  for (;;) {
    while (text[at] === " " || text[at] === "\t") at += 1;
    const end = commentEnd(text, at, lexis);
    if (end === undefined) break;
    if (text.slice(at, end).includes("\n")) return "";
    at = end;
  }
  return text[at] === "\n" ? text.slice(from, lineEnd(text, from) + 1) : "";
}

/** A name with nothing beside it. */
export function bareItem(spec: string): ListItem {
  return { lead: "", spec, trail: "" };
}
