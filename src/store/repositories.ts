import { AnabranchError } from "../base/errors.ts";
import type { SqlRow, Statement, Store } from "./port.ts";
import { numberOf, textOf } from "./statements.ts";

/** A repository of the user's that Anabranch has worked on. */
export interface RepositoryRow {
  readonly id: string;
  /** The git directory that all its worktrees share: what tells repositories apart. */
  readonly commonDirectory: string;
  /** The worktree it was first seen in. */
  readonly root: string;
  readonly createdMs: number;
}

/** Adds a repository unless it is known; the row that stands is found with {@link findRepositoryRow}. */
export function ensureRepository(row: RepositoryRow): Statement {
  return {
    sql: "insert into repositories (id, common_directory, root, created_ms) values (?, ?, ?, ?) on conflict (common_directory) do nothing",
    values: [row.id, row.commonDirectory, row.root, row.createdMs],
  };
}

/** The repository with this common git directory, if it is known. */
export async function findRepositoryRow(store: Store, commonDirectory: string): Promise<RepositoryRow | undefined> {
  const [row] = await store.read("select * from repositories where common_directory = ?", [commonDirectory]);
  return row === undefined ? undefined : parseRepository(row);
}

/** The repository with this id: whoever has the id has it from a row that refers to it. */
export async function requireRepositoryRow(store: Store, id: string): Promise<RepositoryRow> {
  const [row] = await store.read("select * from repositories where id = ?", [id]);
  if (row === undefined)
    throw new AnabranchError("STORE_CORRUPT", { message: `there is no repository ${id}`, hint: "anabranch doctor" });
  return parseRepository(row);
}

/** All known repositories. */
export async function loadRepositories(store: Store): Promise<RepositoryRow[]> {
  return (await store.read("select * from repositories order by created_ms")).map(parseRepository);
}

function parseRepository(row: SqlRow): RepositoryRow {
  return {
    id: textOf(row, "id"),
    commonDirectory: textOf(row, "common_directory"),
    root: textOf(row, "root"),
    createdMs: numberOf(row, "created_ms"),
  };
}
