import { AnabranchError } from "../base/errors.ts";
import { AGENT_SCHEMA } from "./agent-schema.ts";
import { EVENT_SCHEMA } from "./event-schema.ts";
import { INITIAL_SCHEMA } from "./schema.ts";
import { LANDING_SCHEMA } from "./landing-schema.ts";
import type { SqliteDatabase } from "./sqlite-module.ts";

/**
 * The steps from an empty database to today's, in order. They only ever move forward:
 * a step that was released is never edited, and a new one is appended.
 */
export const MIGRATIONS: readonly string[] = [INITIAL_SCHEMA, LANDING_SCHEMA, AGENT_SCHEMA, EVENT_SCHEMA];

/**
 * Brings a database up to date, each step in a transaction of its own.
 * @throws {AnabranchError} `STORE_NEWER` when a newer version of Anabranch has already moved it further.
 */
export function migrateSqlite(database: SqliteDatabase, path: string): void {
  database.exec("create table if not exists migrations (number integer primary key) strict");
  const rows = database.prepare("select coalesce(max(number), 0) as done from migrations").all() as { done: number }[];
  const done = rows[0]?.done ?? 0;
  if (done > MIGRATIONS.length) {
    throw new AnabranchError("STORE_NEWER", {
      message: `the database ${path} is of version ${done}; this program knows up to version ${MIGRATIONS.length}`,
      hint: "npm install -g anabranch@latest, or choose another place with ANABRANCH_HOME",
      data: { found: done, known: MIGRATIONS.length },
    });
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < done) continue;
    database.exec("begin immediate");
    database.exec(sql);
    database.prepare("insert into migrations (number) values (?)").run(index + 1);
    database.exec("commit");
  }
}
