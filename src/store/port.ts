/** A value a statement can hold. JSON goes in and comes out as text. */
export type SqlValue = string | number | null;

/** One row as a database gives it. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** One statement of a transaction. */
export interface Statement {
  readonly sql: string;
  readonly values?: readonly SqlValue[] | undefined;
  /** How many rows it must change or return; anything else undoes the whole transaction. */
  readonly expectRows?: number | undefined;
}

/**
 * The database, as everything above it sees it.
 *
 * Invariants every driver keeps:
 * 1. A transaction is a list of statements; all take effect or none, and nothing comes between them.
 * 2. When {@link Store.commit} resolves, the transaction survives a kill of this process and a loss of power.
 * 3. `events.seq` grows in commit order: who has read up to N never misses a smaller number later.
 * 4. A statement that changes another number of rows than it expects undoes its own transaction only.
 */
export interface Store {
  /**
   * Commits a transaction and returns the rows of each statement that has a `returning` clause.
   * Transactions that meet are made durable together.
   *
   * @throws {AnabranchError} `STORE_CONFLICT` when a row count is not as expected, `DISK_FULL`, `READ_ONLY`.
   */
  commit(statements: readonly Statement[]): Promise<SqlRow[][]>;
  /** Reads the committed state. */
  read(sql: string, values?: readonly SqlValue[]): Promise<SqlRow[]>;
  /** Calls `listener` after transactions became durable. Returns the way to stop that. */
  onCommit(listener: () => void): () => void;
  /** A thorough check of the database's own structures: the problems found. */
  findProblems(): Promise<string[]>;
  close(): Promise<void>;
}
