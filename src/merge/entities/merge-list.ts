import type { PolicyDrop, Step } from "../resolution.ts";
import { arrange, type Meeting, type PartLists, type Place, type Span, type Stretch } from "./arrangement.ts";
import {
  conflictBetween,
  joinConflicts,
  mergeAsText,
  mergedAs,
  mergeTrivially,
  type ConflictOutcome,
  type ListVersions,
  type Merging,
  type Outcome,
  type Piece,
  type Versions,
} from "./context.ts";
import { conflictOfPart, mergePart, type Offsets } from "./merge-part.ts";
import { pairParts } from "./pairing.ts";
import { readParts, type Part, type PartVersions } from "./part.ts";
import { withSeparator } from "./separator.ts";
import { isSorted, sortPlaces } from "./sorting.ts";
import { findDuplicate, isSeparated, writeList, type Written } from "./written.ts";

/** Merges three versions of a list of entities: what each of them became, and their order. */
export function mergeList(list: ListVersions, merging: Merging): Outcome {
  const whole = wholeOf(list, merging);
  const trivial = mergeTrivially({ base: whole.base.text, ours: whole.ours.text, theirs: whole.theirs.text });
  if (trivial !== undefined) return mergedAs(trivial);
  const lists = readLists(list, merging);
  const isReadable = list.separator === undefined || Object.values(lists).every(isSeparated);
  if (!isReadable) return mergeAsText(whole, undefined, merging);
  return mergeParts({ ...list, lists }, merging);
}

function wholeOf({ bodies }: ListVersions, { texts }: Merging): Versions<Piece> {
  const pieceOf = (text: string, { start, end }: Span): Piece => ({ text: text.slice(start, end), offset: start });
  return {
    base: pieceOf(texts.base, bodies.base),
    ours: pieceOf(texts.ours, bodies.ours),
    theirs: pieceOf(texts.theirs, bodies.theirs),
  };
}

function readLists({ bodies, separator }: ListVersions, { texts }: Merging): PartLists {
  return {
    base: readParts(texts.base, bodies.base.entities, separator),
    ours: readParts(texts.ours, bodies.ours.entities, separator),
    theirs: readParts(texts.theirs, bodies.theirs.entities, separator),
  };
}

interface List extends ListVersions {
  readonly lists: PartLists;
}

function mergeParts(list: List, merging: Merging): Outcome {
  const { lists } = list;
  const stretches = arrange(lists, pairParts(lists.base, lists.ours), pairParts(lists.base, lists.theirs));
  if ("placedTwice" in stretches) return placeConflict(list, stretches.placedTwice, merging);
  const progress: Progress = { written: [], steps: [{ resolver: "entities", class: "A" }], drops: [], conflicts: [] };
  const order = { isSorted: isSorted(lists) };
  for (const stretch of stretches) mergeStretch(stretch, list, order, merging, progress);
  if (progress.conflicts.length > 0) return joinConflicts(progress.conflicts);
  const duplicate = findDuplicate(progress.written, lists);
  if (duplicate !== undefined) return placeConflict(list, duplicate, merging);
  return mergedAs(writeList(progress.written, lists, list.separator), progress.steps, progress.drops);
}

interface Progress {
  readonly written: Written[];
  readonly steps: Step[];
  readonly drops: PolicyDrop[];
  readonly conflicts: ConflictOutcome[];
}

interface Order {
  readonly isSorted: boolean;
}

function mergeStretch(stretch: Stretch, list: List, order: Order, merging: Merging, progress: Progress): void {
  const own: Progress = { written: [], steps: [], drops: [], conflicts: [] };
  const offsets = offsetsOf(list, stretch);
  if (isReplacedTwice(stretch)) own.conflicts.push(conflictBetween(piecesOf(stretch, list), merging, false));
  for (const item of stretch.items) {
    if ("base" in item) mergePlace(item, offsets, list, merging, own);
    else mergeMeeting(item, offsets, list, order, merging, own);
  }
  const asText = own.conflicts.length > 0 ? mergeStretchAsText(stretch, list, merging, own) : undefined;
  const result = asText ?? own;
  progress.written.push(...result.written);
  progress.steps.push(...result.steps);
  progress.drops.push(...result.drops);
  progress.conflicts.push(...result.conflicts);
}

// Whether what both inserted may be their two answers to what both took out.
function isReplacedTwice({ items }: Stretch): boolean {
  const places = items.flatMap((item) => ("base" in item ? [item] : [...item.ours, ...item.theirs]));
  const isSome = (hasBase: boolean, hasOurs: boolean, hasTheirs: boolean): boolean =>
    places.some(
      ({ base, ours, theirs }) =>
        (base !== undefined) === hasBase && (ours !== undefined) === hasOurs && (theirs !== undefined) === hasTheirs,
    );
  return isSome(true, false, false) && isSome(false, true, false) && isSome(false, false, true);
}

function mergePlace(place: Place, offsets: Offsets, list: List, merging: Merging, progress: Progress): void {
  const outcome = mergePart(partsOf(place, list.lists), offsets, list.scope, merging);
  if (outcome.status === "conflict") {
    progress.conflicts.push(outcome);
    return;
  }
  progress.written.push({ text: outcome.text, place });
  progress.steps.push(...outcome.steps);
  progress.drops.push(...outcome.drops);
}

function partsOf({ base, ours, theirs }: Place, lists: PartLists): PartVersions {
  const partOf = (parts: readonly Part[], at: number | undefined): Part | undefined =>
    at === undefined ? undefined : parts[at];
  return { base: partOf(lists.base, base), ours: partOf(lists.ours, ours), theirs: partOf(lists.theirs, theirs) };
}

// Things that have names can stand in any order. Of statements only one side may have brought some.
function mergeMeeting(
  meeting: Meeting,
  offsets: Offsets,
  list: List,
  order: Order,
  merging: Merging,
  progress: Progress,
): void {
  const areStatements = hasStatement(meeting.ours, list.lists) && hasStatement(meeting.theirs, list.lists);
  if (list.isOrdered && areStatements) {
    const pieceFrom = (side: "ours" | "theirs"): Piece => {
      const parts = meeting[side].map((place) => list.lists[side][place[side] ?? -1] as Part);
      return { text: parts.map(({ text }) => text).join(""), offset: parts[0]?.entity.start ?? offsets[side] };
    };
    const base = { text: "", offset: offsets.base };
    const pieces = { base, ours: pieceFrom("ours"), theirs: pieceFrom("theirs") };
    progress.conflicts.push(conflictBetween(pieces, merging, false));
    return;
  }
  const places = [...meeting.ours, ...meeting.theirs];
  const arranged = order.isSorted ? sortPlaces(places, list.lists) : places;
  for (const place of arranged) mergePlace(place, offsets, list, merging, progress);
  progress.steps.push({ resolver: "entities", class: "B" });
}

function hasStatement(places: readonly Place[], lists: PartLists): boolean {
  return places.some((place) => {
    const { base, ours, theirs } = partsOf(place, lists);
    const part = base ?? ours ?? theirs;
    return part !== undefined && part.entity.name === undefined && !INNER_ATTRIBUTE.test(part.core);
  });
}

// `#![feature(x)]` of Rust: a statement whose order has no meaning.
const INNER_ATTRIBUTE = /^#!\[[^\n]*\]\s*$/;

// Nothing may have gone from there or come there: as text it would be there twice, or nowhere.
function mergeStretchAsText(
  stretch: Stretch,
  list: List,
  merging: Merging,
  { conflicts }: Progress,
): Progress | undefined {
  const isOnePart = stretch.items.length === 1 && spanLength(stretch.base) === 1;
  if (isOnePart || stretch.isTangled || conflicts.some(({ isFinal }) => isFinal)) return undefined;
  const outcome = mergeAsText(piecesOf(stretch, list), undefined, merging);
  if (outcome.status === "conflict") return { written: [], steps: [], drops: [], conflicts: [outcome] };
  const { text, steps, drops } = outcome;
  return { written: [{ text, place: undefined }], steps: [...steps], drops: [...drops], conflicts: [] };
}

function piecesOf({ base, ours, theirs }: Stretch, list: List): Versions<Piece> {
  return {
    base: pieceOfSpan(list, "base", base),
    ours: pieceOfSpan(list, "ours", ours),
    theirs: pieceOfSpan(list, "theirs", theirs),
  };
}

function spanLength({ start, end }: Span): number {
  return end - start;
}

function pieceOfSpan(list: List, side: keyof PartLists, { start, end }: Span): Piece {
  const { separator } = list;
  const parts = list.lists[side].slice(start, end);
  const texts = parts.map(({ text }) => (separator === undefined ? text : withSeparator(text, separator)));
  return { text: texts.join(""), offset: offsetOf(list, side, start) };
}

function offsetsOf(list: List, { base, ours, theirs }: Stretch): Offsets {
  return {
    base: offsetOf(list, "base", base.start),
    ours: offsetOf(list, "ours", ours.start),
    theirs: offsetOf(list, "theirs", theirs.start),
  };
}

function offsetOf({ lists, bodies }: List, side: keyof PartLists, at: number): number {
  return lists[side][at]?.entity.start ?? bodies[side].end;
}

function placeConflict(list: List, place: Place, merging: Merging): ConflictOutcome {
  const offsets = { base: list.bodies.base.start, ours: list.bodies.ours.start, theirs: list.bodies.theirs.start };
  return conflictOfPart(partsOf(place, list.lists), offsets, list.scope, merging);
}
