import { AnabranchError, isAnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import { migrateSqlite } from "./migrations.ts";
import type { SqlRow, SqlValue, Statement, Store } from "./port.ts";
import { openSqlite, type SqliteDatabase, type SqliteStatement } from "./sqlite-module.ts";

interface Waiting {
  readonly statements: readonly Statement[];
  readonly resolve: (rows: SqlRow[][]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens the SQLite store and brings its schema up to date.
 *
 * Transactions are queued and written once per turn of the event loop, so that all that meet share one flush to disk.
 *
 * @param path of the database file
 * @throws {AnabranchError} `STORE_CORRUPT`, `STORE_LOCKED`, `STORE_NEWER`, `DISK_FULL`, `READ_ONLY`
 */
export function openSqliteStore(path: string): Store {
  const database = attempt(path, () => openDatabase(path));
  const prepared = new Map<string, SqliteStatement>();
  const listeners = new Set<() => void>();
  let queue: Waiting[] = [];
  let closed = false;

  const prepare = (sql: string): SqliteStatement => {
    let statement = prepared.get(sql);
    if (statement === undefined) prepared.set(sql, (statement = database.prepare(sql)));
    return statement;
  };

  const flush = (): void => {
    const group = queue;
    queue = [];
    if (group.length === 0) return;
    const settle = commitGroup(database, prepare, group, path);
    for (const listener of listeners) listener();
    for (const settleOne of settle) settleOne();
  };

  return {
    commit(statements) {
      if (closed) return Promise.reject(new AnabranchError("INTERNAL", { message: "the store is closed" }));
      return new Promise((resolve, reject) => {
        if (queue.push({ statements, resolve, reject }) === 1) setImmediate(flush);
      });
    },
    async read(sql, values = []) {
      return attempt(path, () => prepare(sql).all(...values) as SqlRow[]);
    },
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async findProblems() {
      try {
        const rows = database.prepare("pragma integrity_check").all() as SqlRow[];
        return rows.map((row) => String(row["integrity_check"])).filter((line) => line !== "ok");
      } catch (cause) {
        const error = translate(cause, path);
        if (error.code === "STORE_CORRUPT") return [error.message];
        throw error;
      }
    },
    async close() {
      if (queue.length > 0) flush();
      closed = true;
      gather(database);
      database.close();
    },
  };
}

function openDatabase(path: string): SqliteDatabase {
  const database = openSqlite(path);
  try {
    database.exec("pragma busy_timeout = 2000");
    database.exec("pragma journal_mode = wal");
    database.exec("pragma synchronous = full");
    database.exec("pragma foreign_keys = on");
    migrateSqlite(database, path);
    return database;
  } catch (cause) {
    database.close();
    throw cause;
  }
}

/** Writes a group of transactions and returns, for each, the call that tells its owner. */
function commitGroup(
  database: SqliteDatabase,
  prepare: (sql: string) => SqliteStatement,
  group: readonly Waiting[],
  path: string,
): (() => void)[] {
  try {
    database.exec("begin immediate");
    const settle = group.map((waiting) => runTransaction(database, prepare, waiting, path));
    faultPoint("store.commit.before");
    database.exec("commit");
    faultPoint("store.commit.after");
    return settle;
  } catch (cause) {
    rollBack(database);
    const error = translate(cause, path);
    return group.map((waiting) => () => waiting.reject(error));
  }
}

function runTransaction(
  database: SqliteDatabase,
  prepare: (sql: string) => SqliteStatement,
  { statements, resolve, reject }: Waiting,
  path: string,
): () => void {
  database.exec("savepoint one");
  try {
    const rows = statements.map((statement) => runStatement(prepare(statement.sql), statement));
    database.exec("release one");
    return () => resolve(rows);
  } catch (cause) {
    undoTransaction(database, cause);
    const error = translate(cause, path);
    return () => reject(error);
  }
}

// A full disk has already undone everything, savepoint included: then the whole group has failed, and that is why.
function undoTransaction(database: SqliteDatabase, cause: unknown): void {
  try {
    database.exec("rollback to one");
    database.exec("release one");
  } catch {
    throw cause;
  }
}

function runStatement(prepared: SqliteStatement, statement: Statement): SqlRow[] {
  const values: readonly SqlValue[] = statement.values ?? [];
  const returning = /\breturning\b/i.test(statement.sql);
  const rows = returning ? (prepared.all(...values) as SqlRow[]) : [];
  const count = returning ? rows.length : Number(prepared.run(...values).changes);
  if (statement.expectRows !== undefined && count !== statement.expectRows) {
    throw new AnabranchError("STORE_CONFLICT", {
      message: `a statement met ${count} rows instead of ${statement.expectRows}: ${statement.sql}`,
      data: { sql: statement.sql, count, expected: statement.expectRows },
    });
  }
  return rows;
}

// Where statements outlive a closed connection, closing it leaves the newest transactions in a file beside.
function gather(database: SqliteDatabase): void {
  try {
    database.exec("pragma wal_checkpoint(truncate)");
  } catch {
    // They are as safe there.
  }
}

function rollBack(database: SqliteDatabase): void {
  try {
    database.exec("rollback");
  } catch {
    // SQLite rolls back by itself after some errors.
  }
}

function attempt<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    throw translate(cause, path);
  }
}

function translate(cause: unknown, path: string): AnabranchError {
  if (isAnabranchError(cause)) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/database or disk is full|disk I\/O error/i.test(text)) {
    return new AnabranchError("DISK_FULL", {
      message: `the database ${path} cannot grow: ${text}`,
      hint: "free some disk space; running tasks go on, and nothing that was acknowledged is lost",
      cause,
    });
  }
  if (/readonly database|attempt to write a readonly|unable to open database/i.test(text)) {
    return new AnabranchError("READ_ONLY", {
      message: `the database ${path} cannot be written: ${text}`,
      hint: `make ${path} and its folder writable, or choose another place with ANABRANCH_HOME`,
      cause,
    });
  }
  if (/locked|busy/i.test(text)) {
    return new AnabranchError("STORE_LOCKED", {
      message: `the database ${path} is locked by another program`,
      hint: "close whatever has it open, then: anabranch daemon restart",
      cause,
    });
  }
  if (/not a database|malformed|corrupt/i.test(text)) {
    return new AnabranchError("STORE_CORRUPT", {
      message: `the database ${path} is damaged: ${text}`,
      // What is not yet in the database itself is in the files beside it, which would be taken for a new one's.
      hint: `move it away to start anew (mkdir ${path}.damaged; mv ${path} ${path}-* ${path}.damaged); snapshots of all work stay in the vaults`,
      cause,
    });
  }
  return new AnabranchError("INTERNAL", { message: `the database ${path} refused: ${text}`, cause });
}
