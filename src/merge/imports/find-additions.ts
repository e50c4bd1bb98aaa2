import type { Composition } from "./compose-run.ts";
import { onlyOfForm, ownersOf } from "./match-statements.ts";
import type { ImportedName, ImportStatement } from "./statement.ts";

/** Names that the guest added, by the statement of the host that takes them, and those that need one of their own. */
export interface Additions {
  readonly joined: ReadonlyMap<ImportStatement, readonly ImportedName[]>;
  readonly own: ReadonlyMap<ImportStatement, readonly ImportedName[]>;
}

/** Finds where the names go that only the guest has: into a statement of their form that has names of theirs. */
export function findAdditions(composition: Composition): Additions {
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
