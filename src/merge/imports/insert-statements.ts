import type { Composition, Slot } from "./compose-run.ts";
import type { Additions } from "./find-additions.ts";
import { blankLinesOf } from "./lead.ts";
import { commonOrder, placeOf } from "./order.ts";
import type { ImportedName, ImportRun, ImportStatement } from "./statement.ts";

const MOST_STEPS = 10_000_000;

/** The host's run while statements of the guest are put into it. */
interface Insertion {
  readonly slots: Slot[];
  readonly composition: Composition;
  readonly guestSlots: readonly Slot[];
  readonly order: ReturnType<typeof commonOrder>;
}

/** Puts the guest's new statements where they belong. Nothing: their order among the host's new ones has a meaning. */
export function insertStatements(
  composition: Composition,
  { own }: Additions,
  kept: readonly Slot[],
): { readonly slots: readonly Slot[]; readonly isDisjoint: boolean } | undefined {
  const { guest, host } = composition;
  if (own.size * (kept.length + own.size) > MOST_STEPS || haveEffectsAtOnePlace(composition)) return undefined;
  const sortKeys = [host, guest].map(({ statements }) => statements.map(({ sortKey }) => sortKey));
  const insertion: Insertion = {
    slots: [...kept],
    composition,
    guestSlots: guest.statements.map((statement) => ({ statement, text: statement.text })),
    order: commonOrder(...sortKeys),
  };
  let isDisjoint = true;
  for (const [at, { statement }] of insertion.guestSlots.entries()) {
    const added = own.get(statement);
    if (added === undefined) continue;
    const text = textOfOwn(statement, added);
    if (text === undefined) return undefined;
    isDisjoint = insertSlot(insertion, at, { statement, text }) && isDisjoint;
  }
  return { slots: insertion.slots, isDisjoint };
}

// Whether both sides have new statements that do something, between the same two that they have in common.
function haveEffectsAtOnePlace({ host, guest, hostInGuest, guestInHost }: Composition): boolean {
  const places = new Set(effectPlaces(host, (statement) => (hostInGuest.has(statement) ? statement : undefined)));
  return effectPlaces(guest, (statement) => guestInHost.get(statement)).some((place) => places.has(place));
}

function effectPlaces(
  { statements }: ImportRun,
  commonOf: (statement: ImportStatement) => ImportStatement | undefined,
): (ImportStatement | undefined)[] {
  const places: (ImportStatement | undefined)[] = [];
  let place: ImportStatement | undefined;
  for (const statement of statements) {
    const common = commonOf(statement);
    if (common !== undefined) place = common;
    else if (statement.hasEffect) places.push(place);
  }
  return places;
}

function textOfOwn(statement: ImportStatement, added: readonly ImportedName[]): string | undefined {
  const removed = new Set(statement.names.filter((name) => !added.includes(name)).map(({ key }) => key));
  if (removed.size === 0) return statement.text;
  return statement.rewrite?.({ removed, added: [], from: undefined, isFirst: false });
}

// Whether no new statement of the host stands beside it.
function insertSlot(insertion: Insertion, at: number, slot: Slot): boolean {
  const { slots, composition, guestSlots, order } = insertion;
  const place = placeOf<Slot>({
    placed: slots,
    from: guestSlots,
    at,
    keyOf: ({ statement }) => composition.guestInHost.get(statement) ?? statement,
    compare: order && ((a, b) => order(a.statement.sortKey, b.statement.sortKey)),
    isFirst: composition.isGuestFirst,
    opensGroup: ({ statement }) => blankLinesOf(statement.lead) !== "",
  });
  const beside = [slots[place - 1], slots[place]];
  slots.splice(place, 0, slot);
  return !beside.some((each) => each !== undefined && composition.hostOnly.has(each.statement));
}
