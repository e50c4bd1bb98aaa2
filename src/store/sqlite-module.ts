/**
 * The seam to SQLite: the `node:sqlite` API, from Node itself where it has it, else from a package with the same API.
 * Once Node 20 is gone, this file becomes one import.
 */
import { createRequire } from "node:module";

/** The part of the `node:sqlite` API that is used here. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

/** A prepared statement of the `node:sqlite` API. */
export interface SqliteStatement {
  run(...values: readonly (string | number | null)[]): { changes: number | bigint };
  all(...values: readonly (string | number | null)[]): unknown[];
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string) => SqliteDatabase;
}

/** Opens a database file, and creates it where there is none. */
export function openSqlite(path: string): SqliteDatabase {
  return new (loadModule().DatabaseSync)(path);
}

function loadModule(): SqliteModule {
  const require = createRequire(import.meta.url);
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  // Before 22.13 the built-in one is absent or behind a flag.
  if (major > 22 || (major === 22 && minor >= 13)) return withoutWarning(() => require("node:sqlite") as SqliteModule);
  return require("@photostructure/sqlite") as SqliteModule;
}

// Node prints an "experimental" warning for node:sqlite, on the standard error of whoever uses us.
function withoutWarning<Result>(action: () => Result): Result {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}
