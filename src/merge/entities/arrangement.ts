import { findAddedTwice, pairAdded, type AddedPairing } from "./added.ts";
import type { Pairing } from "./pairing.ts";
import type { Part } from "./part.ts";

/** Where one thing stands in each version, and thereby what became of it. */
export interface Place {
  readonly base: number | undefined;
  readonly ours: number | undefined;
  readonly theirs: number | undefined;
}

/** Parts of three lists, from start to end. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What both sides put at one point of the base; each has its own order. */
export interface Meeting {
  readonly ours: readonly Place[];
  readonly theirs: readonly Place[];
}

/** A stretch of three lists between things that stayed where they were, or one such thing. */
export interface Stretch {
  readonly base: Span;
  readonly ours: Span;
  readonly theirs: Span;
  /** In the order of the result. Places and meetings. */
  readonly items: readonly (Place | Meeting)[];
  /** Whether something came from elsewhere, went elsewhere, or stands elsewhere on the other side. */
  readonly isTangled: boolean;
}

export interface PartLists {
  readonly base: readonly Part[];
  readonly ours: readonly Part[];
  readonly theirs: readonly Part[];
}

interface Pairings extends AddedPairing {
  readonly ours: Pairing;
  readonly theirs: Pairing;
}

/** A part that both sides put somewhere, each elsewhere. */
export interface PlacedTwice {
  readonly placedTwice: Place;
}

/** Puts three lists into one order. */
export function arrange(lists: PartLists, ours: Pairing, theirs: Pairing): readonly Stretch[] | PlacedTwice {
  const pairings = { ours, theirs, ...pairAdded(lists, ours, theirs) };
  const placedTwice = findMovedTwice(lists, pairings) ?? findAddedTwice(lists, ours, theirs, pairings);
  if (placedTwice !== undefined) return { placedTwice };
  const stretches: Stretch[] = [];
  let start = { base: 0, ours: 0, theirs: 0 };
  for (let at = 0; at <= lists.base.length; at += 1) {
    if (at < lists.base.length && !isAnchor(lists, pairings, at)) continue;
    const isEnd = at === lists.base.length;
    const inOurs = isEnd ? lists.ours.length : (ours.sideOf[at] as number);
    const inTheirs = isEnd ? lists.theirs.length : (theirs.sideOf[at] as number);
    const stretch = arrangeStretch(lists, pairings, {
      base: { start: start.base, end: at },
      ours: { start: start.ours, end: inOurs },
      theirs: { start: start.theirs, end: inTheirs },
    });
    if (stretch.items.length > 0 || stretch.isTangled) stretches.push(stretch);
    if (!isEnd) stretches.push(anchorStretch({ base: at, ours: inOurs, theirs: inTheirs }));
    start = { base: at + 1, ours: inOurs + 1, theirs: inTheirs + 1 };
  }
  return stretches;
}

// What has no name and was changed by both is no anchor: where it cannot be merged, its surroundings may help.
function isAnchor({ base, ours, theirs }: PartLists, pairings: Pairings, at: number): boolean {
  if (pairings.ours.isInOrder[at] !== 1 || pairings.theirs.isInOrder[at] !== 1) return false;
  const part = base[at] as Part;
  if (part.entity.name !== undefined) return true;
  const byOurs = ours[pairings.ours.sideOf[at] as number]?.text;
  const byTheirs = theirs[pairings.theirs.sideOf[at] as number]?.text;
  return byOurs === part.text || byTheirs === part.text || byOurs === byTheirs;
}

function anchorStretch(place: { base: number; ours: number; theirs: number }): Stretch {
  const spanOf = (at: number): Span => ({ start: at, end: at + 1 });
  return {
    base: spanOf(place.base),
    ours: spanOf(place.ours),
    theirs: spanOf(place.theirs),
    items: [place],
    isTangled: false,
  };
}

function isMoved(pairing: Pairing, inBase: number): boolean {
  return pairing.sideOf[inBase] !== -1 && pairing.isInOrder[inBase] !== 1;
}

function findMovedTwice(lists: PartLists, { ours, theirs }: Pairings): Place | undefined {
  for (let base = 0; base < lists.base.length; base += 1) {
    if (!isMoved(ours, base) || !isMoved(theirs, base)) continue;
    const [inOurs, inTheirs] = [ours.sideOf[base] as number, theirs.sideOf[base] as number];
    const before = lists.ours[inOurs - 1]?.identity;
    if (before !== lists.theirs[inTheirs - 1]?.identity) return { base, ours: inOurs, theirs: inTheirs };
  }
  return undefined;
}

type Spans = Pick<Stretch, "base" | "ours" | "theirs">;

function arrangeStretch(lists: PartLists, pairings: Pairings, spans: Spans): Stretch {
  const ours = insertionsOf(pairings.ours, spans.base, spans.ours);
  const theirs = insertionsOf(pairings.theirs, spans.base, spans.theirs);
  const items: (Place | Meeting)[] = [];
  let isTangled = ours.isTangled || theirs.isTangled || hasPartnerOutside(pairings, spans);
  for (let at = spans.base.start; at <= spans.base.end; at += 1) {
    pushMeetings(items, lists, pairings, ours.after.get(at) ?? [], theirs.after.get(at) ?? []);
    if (at === spans.base.end) break;
    if (isMoved(pairings.ours, at) || isMoved(pairings.theirs, at)) isTangled = true;
    else items.push(placeOfBase(pairings, at));
  }
  return { ...spans, items, isTangled };
}

function placeOfBase({ ours, theirs }: Pairings, base: number): Place {
  return { base, ours: known(ours.sideOf[base]), theirs: known(theirs.sideOf[base]) };
}

function known(at: number | undefined): number | undefined {
  return at === -1 ? undefined : at;
}

// By the place in the base before which they stand: what a side added there, or moved to there.
function insertionsOf(
  pairing: Pairing,
  inBase: Span,
  inSide: Span,
): { readonly after: ReadonlyMap<number, number[]>; readonly isTangled: boolean } {
  const after = new Map<number, number[]>();
  let [slot, isTangled] = [inBase.start, false];
  for (let at = inSide.start; at < inSide.end; at += 1) {
    const base = pairing.baseOf[at] as number;
    if (base !== -1 && pairing.isInOrder[base] === 1) {
      slot = base + 1;
      continue;
    }
    if (base !== -1) isTangled = true;
    const others = after.get(slot);
    if (others === undefined) after.set(slot, [at]);
    else others.push(at);
  }
  return { after, isTangled };
}

function hasPartnerOutside({ addedInTheirs, addedInOurs }: Pairings, { ours, theirs }: Spans): boolean {
  const isOutside = (partner: number, { start, end }: Span): boolean =>
    partner !== -1 && (partner < start || partner >= end);
  for (let at = ours.start; at < ours.end; at += 1) {
    if (isOutside(addedInTheirs[at] as number, theirs)) return true;
  }
  for (let at = theirs.start; at < theirs.end; at += 1) {
    if (isOutside(addedInOurs[at] as number, ours)) return true;
  }
  return false;
}

// What both added stands between what one of them added before and after it.
function pushMeetings(
  items: (Place | Meeting)[],
  lists: PartLists,
  pairings: Pairings,
  ours: readonly number[],
  theirs: readonly number[],
): void {
  const cuts = findCuts(lists, pairings, ours, theirs);
  let fromTheirs = 0;
  let meeting: { ours: Place[]; theirs: Place[] } = { ours: [], theirs: [] };
  const flush = (): void => {
    pushMeeting(items, meeting);
    meeting = { ours: [], theirs: [] };
  };
  for (const at of ours) {
    const place = placeOfOurs(pairings, at);
    const cut = cuts.get(at);
    if (cut === undefined) {
      meeting.ours.push(place);
      continue;
    }
    meeting.theirs.push(...placesOfTheirs(pairings, theirs.slice(fromTheirs, cut)));
    fromTheirs = cut + 1;
    flush();
    items.push(place);
  }
  meeting.theirs.push(...placesOfTheirs(pairings, theirs.slice(fromTheirs)));
  flush();
}

// By a part of ours, where theirs has it too: statements, and of what has a name what stands in one order with all else.
function findCuts(
  { ours: parts }: PartLists,
  { addedInTheirs }: Pairings,
  ours: readonly number[],
  theirs: readonly number[],
): ReadonlyMap<number, number> {
  const places = new Map(theirs.map((at, index) => [at, index]));
  const shared = ours.flatMap((at) => {
    const found = places.get(addedInTheirs[at] as number);
    return found === undefined ? [] : [{ at, found }];
  });
  const lowestFrom = shared.map(({ found }) => found);
  for (let at = shared.length - 2; at >= 0; at -= 1) {
    lowestFrom[at] = Math.min(lowestFrom[at] as number, lowestFrom[at + 1] as number);
  }
  let highest = -1;
  const cuts = new Map<number, number>();
  for (const [index, { at, found }] of shared.entries()) {
    const isSteady = highest < found && found <= (lowestFrom[index] as number);
    highest = Math.max(highest, found);
    if (isSteady || parts[at]?.entity.name === undefined) cuts.set(at, found);
  }
  return cuts;
}

function pushMeeting(items: (Place | Meeting)[], { ours, theirs }: Meeting): void {
  if (ours.length > 0 && theirs.length > 0) items.push({ ours, theirs });
  else items.push(...ours, ...theirs);
}

function placeOfOurs(pairings: Pairings, at: number): Place {
  const base = pairings.ours.baseOf[at] as number;
  if (base !== -1) return placeOfBase(pairings, base);
  return { base: undefined, ours: at, theirs: known(pairings.addedInTheirs[at]) };
}

// What ours has moved or added too stands where ours has it.
function placesOfTheirs(pairings: Pairings, places: readonly number[]): Place[] {
  return places.flatMap((at) => {
    if (pairings.addedInOurs[at] !== -1) return [];
    const base = pairings.theirs.baseOf[at] as number;
    if (base === -1) return [{ base: undefined, ours: undefined, theirs: at }];
    return isMoved(pairings.ours, base) ? [] : [placeOfBase(pairings, base)];
  });
}
