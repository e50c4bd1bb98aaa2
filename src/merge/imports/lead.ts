import type { Composition, Slot } from "./compose-run.ts";
import type { ImportRun, ImportStatement } from "./statement.ts";

/** Three versions of the blank lines and comments before one statement, or after the last one. */
export interface Leads {
  readonly base: string | undefined;
  readonly host: string;
  readonly guest: string;
}

/** Merges what stands before a statement; blank lines follow the host where both changed something. */
export function mergeLead({ base, host, guest }: Leads): string | undefined {
  if (host === guest || guest === base) return host;
  if (host === base) return guest;
  const [before, mine, its] = [commentsOf(base ?? ""), commentsOf(host), commentsOf(guest)];
  if (mine === its || its === before) return host;
  return mine === before ? guest : undefined;
}

/** The comments of a lead, without white space. */
export function commentsOf(lead: string): string {
  return lead.replace(/\s+/g, "");
}

/** The blank lines that a lead begins with. */
export function blankLinesOf(lead: string): string {
  return /^(?:[ \t]*\n)*/.exec(lead)?.[0] ?? "";
}

/**
 * What stands before each statement of the result. The blank lines between two statements are those of the version in
 * which the two are neighbours.
 */
export function leadsOf(composition: Composition, slots: readonly Slot[]): string[] | undefined {
  const { host, guest, guestInHost, hostInGuest, hostInBase, hostOnly } = composition;
  const inHost = neighboursOf(host, slots, (statement) => statement);
  const inGuest = neighboursOf(guest, slots, (statement) => guestInHost.get(statement) ?? statement);
  const leads: string[] = [];
  let [previous, isPreviousNew]: [ImportStatement | undefined, "host" | "guest" | undefined] = [undefined, undefined];
  for (const { statement } of slots) {
    const [mine, its] = [inHost.get(statement), inGuest.get(statement)];
    const before = hostInBase.get(statement);
    const partner = mine === undefined ? statement : hostInGuest.get(statement);
    const rest = mergeLead({
      base: mine === undefined ? undefined : restOf(before?.lead),
      host: restOf((mine === undefined ? partner : statement)?.lead) ?? "",
      guest: restOf((partner ?? statement).lead) ?? "",
    });
    if (rest === undefined) return undefined;
    const isNew = mine === undefined ? "guest" : hostOnly.has(statement) ? "host" : undefined;
    const isSecond = isPreviousNew !== undefined && isNew !== undefined && isNew !== isPreviousNew;
    const blanks = blanksBetween({ previous, mine, its, before: before && blankLinesOf(before.lead) });
    const hasGroup = blankLinesOf(leads.at(-1) ?? "") !== "";
    leads.push((isSecond && hasGroup && !blanks.isSure ? "" : blanks.lines) + rest);
    [previous, isPreviousNew] = [statement, isNew];
  }
  return leads;
}

/** What a statement follows in one version, of what is in the result, and with which blank lines between them. */
interface Neighbour {
  readonly previous: ImportStatement | undefined;
  readonly blanks: string;
  readonly isNext: boolean;
}

function neighboursOf(
  run: ImportRun,
  slots: readonly Slot[],
  identityOf: (statement: ImportStatement) => ImportStatement,
): ReadonlyMap<ImportStatement, Neighbour> {
  const present = new Set(slots.map(({ statement }) => statement));
  const neighbours = new Map<ImportStatement, Neighbour>();
  let previous: ImportStatement | undefined;
  let [skipped, isNext] = ["", true];
  for (const each of run.statements) {
    const [statement, blanks] = [identityOf(each), blankLinesOf(each.lead)];
    const most = blanks.length >= skipped.length ? blanks : skipped;
    if (!present.has(statement)) {
      [skipped, isNext] = [most, false];
      continue;
    }
    neighbours.set(statement, { previous, blanks: isNext ? blanks : most, isNext });
    [previous, skipped, isNext] = [statement, "", true];
  }
  return neighbours;
}

interface Between {
  readonly previous: ImportStatement | undefined;
  readonly mine: Neighbour | undefined;
  readonly its: Neighbour | undefined;
  readonly before: string | undefined;
}

function blanksBetween({ previous, mine, its, before }: Between): { readonly lines: string; readonly isSure: boolean } {
  const sure = [mine, its].filter((each) => each !== undefined && each.previous === previous && each.isNext);
  const [first, second] = sure.length > 0 ? sure : [mine, its].filter((each) => each?.previous === previous);
  const lines = second !== undefined && first?.blanks === before ? second.blanks : first?.blanks;
  return { lines: lines ?? mine?.blanks ?? its?.blanks ?? "", isSure: sure.length > 0 };
}

function restOf(lead: string | undefined): string | undefined {
  return lead?.slice(blankLinesOf(lead).length);
}
