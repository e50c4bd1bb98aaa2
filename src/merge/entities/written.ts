import type { Place } from "./arrangement.ts";
import type { PartLists } from "./arrangement.ts";
import { blankLinesOf } from "./merge-part.ts";
import { familyOf, type Part } from "./part.ts";
import { separatorPlace, withSeparator } from "./separator.ts";

/** A part of the result's list, or a piece of it that was merged as text. */
export interface Written {
  readonly text: string;
  /** Nothing where it was merged as text. */
  readonly place: Place | undefined;
}

/** Writes a list's parts one after another, with the blank lines and separators that have to be between them. */
export function writeList(written: readonly Written[], lists: PartLists, separator: "," | undefined): string {
  const texts = written.filter(({ text }) => text !== "").map((one, at) => spaced(one, at === 0, lists));
  return (separator === undefined ? texts : separated(texts, lists, separator)).join("");
}

// What was the first of a list has no blank lines above it, and what was not the first has.
function spaced({ text, place }: Written, isFirst: boolean, lists: PartLists): string {
  if (place === undefined) return text;
  const blank = blankLinesOf(text);
  if (isFirst) {
    const isSpaced = SIDES.some((side) => blankLinesOf(lists[side][0]?.lead ?? "") !== "");
    return isSpaced ? text : text.slice(blank.length);
  }
  return blank === "" && SIDES.some((side) => place[side] === 0) ? missingBlank(place, lists) + text : text;
}

const SIDES = ["base", "ours", "theirs"] as const;

function missingBlank(place: Place, lists: PartLists): string {
  const examples = SIDES.map((side) => exampleOf(place[side], lists[side])).filter((part) => part !== undefined);
  const leads = examples.map(({ lead }) => blankLinesOf(lead));
  const isLong = SIDES.some((side) => lists[side][place[side] ?? -1]?.core.trimEnd().includes("\n"));
  return leads.reduce(
    (longest, lead) => (lead.length > longest.length ? lead : longest),
    leads[0] ?? (isLong ? "\n" : ""),
  );
}

// A part that is not the first of its list shows how much space there is between two.
function exampleOf(at: number | undefined, parts: readonly Part[]): Part | undefined {
  return at === undefined ? undefined : parts[at === 0 ? 1 : at];
}

// Whether the last one has a separator is a choice of its own, merged like any other.
function separated(texts: readonly string[], lists: PartLists, separator: string): string[] {
  const last = texts.findLastIndex((text) => separatorPlace(text) !== undefined);
  return texts.map((text, at) => {
    if (at < last) return withSeparator(text, separator);
    return at === last && endsWithSeparator(lists) ? withSeparator(text, separator) : text;
  });
}

function endsWithSeparator({ base, ours, theirs }: PartLists): boolean {
  const [inBase, inOurs, inTheirs] = [base, ours, theirs].map(hasLastSeparator);
  if (inOurs === undefined || inTheirs === undefined) return inOurs ?? inTheirs ?? inBase ?? false;
  return inOurs === inBase ? inTheirs : inOurs;
}

function hasLastSeparator(parts: readonly Part[]): boolean | undefined {
  return parts.findLast(({ entity }) => entity.kind !== "comment")?.hasSeparator;
}

/** Whether all but the last of a list's parts are followed by a separator. */
export function isSeparated(parts: readonly Part[]): boolean {
  const elements = parts.filter(({ entity }) => entity.kind !== "comment");
  return elements.every(({ hasSeparator }, at) => hasSeparator || at === elements.length - 1);
}

/** The name of something that would be defined more often than in any version, if there is one. */
export function findDuplicate(written: readonly Written[], lists: PartLists): Place | undefined {
  const allowed = new Map<string, number>();
  for (const side of SIDES) {
    for (const [name, count] of countNames(lists[side])) allowed.set(name, Math.max(count, allowed.get(name) ?? 0));
  }
  const counts = new Map<string, number>();
  for (const { place, text } of written) {
    const name = place === undefined || text === "" ? undefined : definedName(finalPart(place, lists));
    if (name === undefined) continue;
    const count = (counts.get(name) ?? 0) + 1;
    if (count > (allowed.get(name) ?? 0)) return place;
    counts.set(name, count);
  }
  return undefined;
}

function countNames(parts: readonly Part[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const part of parts) {
    const name = definedName(part);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function definedName(part: Part | undefined): string | undefined {
  if (part?.entity.name === undefined || part.entity.kind === "imports") return undefined;
  return `${familyOf(part.entity.kind)} ${part.entity.name} ${part.entity.signature}`;
}

// The one whose name the result has: that of the side that renamed it.
function finalPart({ base, ours, theirs }: Place, lists: PartLists): Part | undefined {
  const [before, byOurs, byTheirs] = [lists.base[base ?? -1], lists.ours[ours ?? -1], lists.theirs[theirs ?? -1]];
  if (byOurs === undefined || byTheirs === undefined) return byOurs ?? byTheirs;
  return byOurs.identity === before?.identity ? byTheirs : byOurs;
}
