/** Three versions of the blank lines and comments before one statement. */
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
