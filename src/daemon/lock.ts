import { AnabranchError } from "../base/errors.ts";
import { openSqlite, type SqliteDatabase } from "../store/sqlite-module.ts";

/**
 * Takes the lock that makes this the only daemon of its state directory. It is an exclusive transaction on a file of
 * its own: the system gives it up when the process dies, however it dies. The file's mere existence means nothing.
 *
 * @returns what gives the lock back
 * @throws {AnabranchError} `DAEMON_RUNNING`
 */
export function takeLock(path: string): () => void {
  let database: SqliteDatabase | undefined;
  try {
    database = openSqlite(path);
    database.exec("pragma busy_timeout = 0");
    database.exec("begin exclusive");
    const held = database;
    return () => held.close();
  } catch (cause) {
    database?.close();
    if (/locked|busy/i.test(String(cause))) {
      throw new AnabranchError("DAEMON_RUNNING", {
        message: "a daemon is running already for this user and state directory",
        hint: "anabranch daemon status",
      });
    }
    throw new AnabranchError("READ_ONLY", {
      message: `${path} cannot be written: ${String(cause)}`,
      hint: "make the state directory writable, or choose another one with ANABRANCH_HOME",
      cause,
    });
  }
}
