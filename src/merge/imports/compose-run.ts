import { commentsOf, mergeLead } from "./lead.ts";
import { matchStatements, onlyOfForm, ownersOf, type Partners } from "./match-statements.ts";
import { commonOrder, placeOf } from "./order.ts";
import type { ImportedName, ImportRun, ImportStatement } from "./statement.ts";
import { writeStatement } from "./write-statement.ts";
import type { Runs } from "./wanted-names.ts";

const MOST_STEPS = 10_000_000;

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
}

/** A statement of the result. */
interface Slot {
  readonly statement: ImportStatement;
  readonly lead: string;
  readonly text: string;
}

/** Puts the changes of one side into the text of the other one. Nothing: that cannot be done without a doubt. */
export function composeRun(runs: Runs, wanted: ReadonlySet<string>): ComposedRun | undefined {
  const composition = compositionOf(runs, wanted);
  if (hasLostEdits(composition)) return undefined;
  const tail = mergeLead({ base: runs.base.tail, host: composition.host.tail, guest: composition.guest.tail });
  const additions = findAdditions(composition);
  const kept = keepStatements(composition, additions);
  if (tail === undefined || kept === undefined) return undefined;
  const slots = insertStatements(composition, additions, kept.slots);
  if (slots === undefined) return undefined;
  const text = slots.slots.map((slot) => slot.lead + slot.text).join("") + tail;
  return { text, isDisjoint: kept.isDisjoint && slots.isDisjoint };
}

// The side that changed the order of statements is the one whose text is kept: the other's changes find their place.
function compositionOf({ base, ours, theirs }: Runs, wanted: ReadonlySet<string>): Composition {
  const isOursHost = !isReordered(base, theirs) || isReordered(base, ours);
  const [host, guest] = isOursHost ? [ours, theirs] : [theirs, ours];
  const guestInHost = matchStatements(guest, host);
  return {
    base,
    host,
    guest,
    wanted,
    isGuestFirst: !isOursHost,
    guestInHost,
    hostInGuest: new Map([...guestInHost].map(([inGuest, inHost]) => [inHost, inGuest])),
    hostInBase: matchStatements(host, base),
    guestInBase: matchStatements(guest, base),
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

/** Names that the guest added, by the statement of the host that takes them, and those that need one of their own. */
interface Additions {
  readonly joined: ReadonlyMap<ImportStatement, readonly ImportedName[]>;
  readonly own: ReadonlyMap<ImportStatement, readonly ImportedName[]>;
}

function findAdditions(composition: Composition): Additions {
  const { host, guest, wanted, guestInHost } = composition;
  const owners = ownersOf(host);
  const [forms, guestForms] = [onlyOfForm(host), onlyOfForm(guest)];
  const joined = new Map<ImportStatement, readonly ImportedName[]>();
  const own = new Map<ImportStatement, readonly ImportedName[]>();
  for (const statement of guest.statements) {
    const added = statement.names.filter(({ key }) => wanted.has(key) && !owners.has(key));
    if (added.length === 0) continue;
    const sharing = statement.names.map(({ key }) => owners.get(key));
    const only = guestForms.get(statement.form) === undefined ? undefined : forms.get(statement.form);
    const target = [guestInHost.get(statement), ...sharing, only].find(
      (other) => other?.form === statement.form && other.rewrite !== undefined,
    );
    if (target === undefined) own.set(statement, added);
    else joined.set(target, [...(joined.get(target) ?? []), ...added]);
  }
  return { joined, own };
}

function keepStatements(
  composition: Composition,
  { joined }: Additions,
): { readonly slots: Slot[]; readonly isDisjoint: boolean } | undefined {
  const { host, hostInGuest, hostInBase, wanted } = composition;
  const slots: Slot[] = [];
  let isDisjoint = true;
  let blanks = "";
  for (const statement of host.statements) {
    const added = joined.get(statement) ?? [];
    if (added.length === 0 && statement.names.every(({ key }) => !wanted.has(key))) {
      blanks = blankLinesOf(statement.lead);
      continue;
    }
    const [its, before] = [hostInGuest.get(statement), hostInBase.get(statement)];
    const text = writeStatement({ statement, its, before, added, wanted, isFirst: composition.isGuestFirst });
    const lead =
      its === undefined ? statement.lead : mergeLead({ base: before?.lead, host: statement.lead, guest: its.lead });
    if (text === undefined || lead === undefined) return undefined;
    const isNew = its === undefined && blankLinesOf(lead) === "";
    slots.push({ statement, lead: isNew ? blanks + lead : lead, text });
    blanks = "";
    isDisjoint &&= text === statement.text || text === its?.text || before === undefined;
  }
  return { slots, isDisjoint };
}

/** The host's run while statements of the guest are put into it. */
interface Insertion {
  readonly slots: Slot[];
  readonly composition: Composition;
  readonly hostOnly: ReadonlySet<ImportStatement>;
  readonly guestSlots: readonly Slot[];
  readonly order: ReturnType<typeof commonOrder>;
}

function insertStatements(
  composition: Composition,
  { own }: Additions,
  kept: readonly Slot[],
): { readonly slots: readonly Slot[]; readonly isDisjoint: boolean } | undefined {
  const { guest, host, hostInGuest, hostInBase } = composition;
  if (own.size * (kept.length + own.size) > MOST_STEPS) return undefined;
  const sortKeys = [host, guest].map(({ statements }) => statements.map(({ sortKey }) => sortKey));
  const insertion: Insertion = {
    slots: [...kept],
    composition,
    hostOnly: new Set(host.statements.filter((each) => !hostInGuest.has(each) && !hostInBase.has(each))),
    guestSlots: guest.statements.map((statement) => ({ statement, lead: statement.lead, text: statement.text })),
    order: commonOrder(...sortKeys),
  };
  let isDisjoint = true;
  for (const [at, slot] of insertion.guestSlots.entries()) {
    const added = own.get(slot.statement);
    if (added === undefined) continue;
    const text = textOfOwn(slot.statement, added);
    const inserted = text === undefined ? undefined : insertSlot(insertion, at, { ...slot, text });
    if (inserted === undefined) return undefined;
    isDisjoint &&= inserted === "alone";
  }
  return { slots: insertion.slots, isDisjoint };
}

function textOfOwn(statement: ImportStatement, added: readonly ImportedName[]): string | undefined {
  const removed = new Set(statement.names.filter((name) => !added.includes(name)).map(({ key }) => key));
  if (removed.size === 0) return statement.text;
  return statement.rewrite?.({ removed, added: [], from: undefined, isFirst: false });
}

function insertSlot(insertion: Insertion, at: number, slot: Slot): "alone" | "beside" | undefined {
  const { slots, composition, hostOnly, guestSlots, order } = insertion;
  const place = placeOf<Slot>({
    placed: slots,
    from: guestSlots,
    at,
    keyOf: ({ statement }) => composition.guestInHost.get(statement) ?? statement,
    compare: order && ((a, b) => order(a.statement.sortKey, b.statement.sortKey)),
    isFirst: composition.isGuestFirst,
  });
  const [before, after] = [slots[place - 1], slots[place]].map((each) =>
    each !== undefined && hostOnly.has(each.statement) ? each : undefined,
  );
  const beside = [before, after].filter((each) => each !== undefined);
  if (slot.statement.hasEffect && beside.some(({ statement }) => statement.hasEffect)) return undefined;
  const isSame = before?.lead === slot.lead;
  if (after?.lead === slot.lead) slots[place] = { ...after, lead: indentOf(after.lead) };
  slots.splice(place, 0, isSame ? { ...slot, lead: indentOf(slot.lead) } : slot);
  return beside.length === 0 ? "alone" : "beside";
}

function blankLinesOf(lead: string): string {
  return /^(?:[ \t]*\n)*/.exec(lead)?.[0] ?? "";
}

function indentOf(lead: string): string {
  return /[ \t]*$/.exec(lead)?.[0] ?? "";
}
