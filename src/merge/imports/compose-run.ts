import { findAdditions, type Additions } from "./find-additions.ts";
import { insertStatements } from "./insert-statements.ts";
import { commentsOf, leadsOf, mergeLead } from "./lead.ts";
import { matchStatements, ownersOf, type Partners } from "./match-statements.ts";
import type { ImportRun, ImportStatement } from "./statement.ts";
import { writeStatement } from "./write-statement.ts";
import type { Runs } from "./wanted-names.ts";

/** A run that was put together. */
interface ComposedRun {
  readonly text: string;
  /** Whether no statement and no place holds edits of both sides. */
  readonly isDisjoint: boolean;
}

/** What both sides made of the base: the host's text is kept, and the guest's changes are put into it. */
export interface Composition {
  readonly base: ImportRun;
  readonly host: ImportRun;
  readonly guest: ImportRun;
  readonly wanted: ReadonlySet<string>;
  /** Whether the guest's statements go before the host's where both have new ones. */
  readonly isGuestFirst: boolean;
  readonly hostInGuest: Partners;
  readonly guestInHost: Partners;
  readonly hostInBase: Partners;
  readonly guestInBase: Partners;
  /** Statements that the host has of its own. */
  readonly hostOnly: ReadonlySet<ImportStatement>;
}

/** A statement of the result. */
export interface Slot {
  readonly statement: ImportStatement;
  readonly text: string;
}

/** Puts the changes of one side into the text of the other one. Nothing: that cannot be done without a doubt. */
export function composeRun(runs: Runs, wanted: ReadonlySet<string>): ComposedRun | undefined {
  const composition = compositionOf(runs, wanted);
  if (hasLostEdits(composition)) return undefined;
  const tail = mergeLead({ base: runs.base.tail, host: composition.host.tail, guest: composition.guest.tail });
  const additions = findAdditions(composition);
  const kept = keepStatements(composition, additions);
  const inserted = kept === undefined ? undefined : insertStatements(composition, additions, kept.slots);
  const leads = inserted === undefined ? undefined : leadsOf(composition, inserted.slots);
  if (tail === undefined || kept === undefined || inserted === undefined || leads === undefined) return undefined;
  const text = inserted.slots.map((slot, at) => (leads[at] ?? "") + slot.text).join("") + tail;
  return { text, isDisjoint: kept.isDisjoint && inserted.isDisjoint };
}

// The side that changed the order of statements is the one whose text is kept: the other's changes find their place.
function compositionOf({ base, ours, theirs }: Runs, wanted: ReadonlySet<string>): Composition {
  const isOursHost = !isReordered(base, theirs) || isReordered(base, ours);
  const [host, guest] = isOursHost ? [ours, theirs] : [theirs, ours];
  const guestInHost = matchStatements(guest, host);
  const hostInGuest = new Map([...guestInHost].map(([inGuest, inHost]) => [inHost, inGuest]));
  const hostInBase = matchStatements(host, base);
  return {
    base,
    host,
    guest,
    wanted,
    isGuestFirst: !isOursHost,
    guestInHost,
    hostInGuest,
    hostInBase,
    guestInBase: matchStatements(guest, base),
    hostOnly: new Set(host.statements.filter((each) => !hostInGuest.has(each) && !hostInBase.has(each))),
  };
}

function isReordered(base: ImportRun, side: ImportRun): boolean {
  const places = new Map(
    base.statements.flatMap(({ names }) => names.map(({ key }) => key)).map((key, at) => [key, at]),
  );
  const order = side.statements
    .map(({ names }) => names.map(({ key }) => places.get(key) ?? -1).find((place) => place >= 0))
    .filter((place) => place !== undefined);
  return order.some((place, at) => at > 0 && place < (order[at - 1] as number));
}

// Whether a statement is gone although one side changed its comments or options.
function hasLostEdits({ base, host, guest, wanted, hostInBase, guestInBase }: Composition): boolean {
  const inHost = new Map([...hostInBase].map(([side, before]) => [before, side]));
  const inGuest = new Map([...guestInBase].map(([side, before]) => [before, side]));
  const [hostOwners, guestOwners] = [ownersOf(host), ownersOf(guest)];
  return base.statements.some((before) => {
    if (before.names.some(({ key }) => wanted.has(key))) return false;
    const isGone = [hostOwners, guestOwners].map((owners) => before.names.every(({ key }) => !owners.has(key)));
    return [inHost, inGuest].some((partners, at) => {
      const side = partners.get(before);
      if (side === undefined || isGone[at] === true) return false;
      return side.frame !== before.frame || commentsOf(side.lead) !== commentsOf(before.lead);
    });
  });
}

function keepStatements(
  composition: Composition,
  { joined }: Additions,
): { readonly slots: readonly Slot[]; readonly isDisjoint: boolean } | undefined {
  const { host, hostInGuest, hostInBase, wanted } = composition;
  const slots: Slot[] = [];
  let isDisjoint = true;
  for (const statement of host.statements) {
    const added = joined.get(statement) ?? [];
    if (added.length === 0 && statement.names.every(({ key }) => !wanted.has(key))) continue;
    const [its, before] = [hostInGuest.get(statement), hostInBase.get(statement)];
    const text = writeStatement({ statement, its, before, added, wanted, isFirst: composition.isGuestFirst });
    if (text === undefined) return undefined;
    slots.push({ statement, text });
    isDisjoint &&= text === statement.text || text === its?.text || before === undefined;
  }
  return { slots, isDisjoint };
}
