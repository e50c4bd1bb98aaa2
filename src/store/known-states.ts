import type { Statement, Store } from "./port.ts";
import { textOf } from "./statements.ts";

/** What kind of thing a state is of; it comes before the name. */
export type SubjectKind = "file" | "ref";

/** A thing of a repository, and what it was like when it was last told of. */
export interface KnownState {
  readonly name: string;
  readonly state: string;
}

/** The states of one kind that are kept for a repository. */
export async function loadKnownStates(store: Store, repositoryId: string, kind: SubjectKind): Promise<KnownState[]> {
  const rows = await store.read(
    "select subject, state from known_states where repository_id = ? and subject >= ? and subject < ?",
    [repositoryId, `${kind}:`, `${kind};`],
  );
  return rows.map((row) => ({ name: textOf(row, "subject").slice(kind.length + 1), state: textOf(row, "state") }));
}

/** Keeps a state; `undefined` forgets it. */
export function keepKnownState(
  repositoryId: string,
  kind: SubjectKind,
  name: string,
  state: string | undefined,
): Statement {
  const subject = `${kind}:${name}`;
  if (state === undefined) {
    return { sql: "delete from known_states where repository_id = ? and subject = ?", values: [repositoryId, subject] };
  }
  return {
    sql: `insert into known_states (repository_id, subject, state) values (?, ?, ?)
      on conflict (repository_id, subject) do update set state = excluded.state`,
    values: [repositoryId, subject, state],
    expectRows: 1,
  };
}

/** Forgets all states of one kind of a repository. */
export function forgetKnownStates(repositoryId: string, kind: SubjectKind): Statement {
  return {
    sql: "delete from known_states where repository_id = ? and subject >= ? and subject < ?",
    values: [repositoryId, `${kind}:`, `${kind};`],
  };
}
