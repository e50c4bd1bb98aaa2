import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { MIGRATIONS } from "../../src/store/migrations.ts";
import type { SqlRow, Store } from "../../src/store/port.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { expectPinned } from "../fixtures/pinned.ts";
import { temporaryFolder } from "../fixtures/repository.ts";

/** The digest of each step. A step that was released is never edited: a new one is a new line. */
const STEPS = ["500624", "4513bc", "e81d9a", "1799a7"];

async function schemaLinesOf(store: Store): Promise<string[]> {
  const tables = await store.read(
    "select name, strict, wr from pragma_table_list where type = 'table' and name not like 'sqlite_%'",
  );
  const lines = await Promise.all(tables.map((table) => tableLines(store, table)));
  return lines.flat();
}

async function tableLines(store: Store, { name, strict, wr }: SqlRow): Promise<string[]> {
  const columns = await store.read(`select * from pragma_table_xinfo('${name}')`);
  const foreign = await store.read(`select * from pragma_foreign_key_list('${name}') order by id, seq`);
  const indexes = await store.read(`select * from pragma_index_list('${name}')`);
  const indexed = await Promise.all(indexes.map((index) => indexLine(store, index)));
  return [
    `${name}: table${strict === 1 ? ", strict" : ""}${wr === 1 ? ", without rowid" : ""}`,
    ...columns.map((column) => `${name}.${column["name"]}: ${columnText(column)}`),
    ...foreign.map(
      ({ from, table, to, on_delete }) =>
        `${name}.${from} -> ${table}.${to}, on delete ${String(on_delete).toLowerCase()}`,
    ),
    ...indexed.map((text) => `${name}: ${text}`),
  ];
}

function columnText({ type, notnull, dflt_value, pk }: SqlRow): string {
  const parts = [
    String(type).toLowerCase(),
    notnull === 1 ? "not null" : "",
    dflt_value === null ? "" : `default ${dflt_value}`,
    pk === 0 ? "" : `primary key ${pk}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

async function indexLine(store: Store, { name, unique, origin, partial }: SqlRow): Promise<string> {
  const columns = await store.read(`select name from pragma_index_info('${name}') order by seqno`);
  const title = origin === "c" ? `index ${name}` : origin === "pk" ? "primary key" : "constraint";
  const kind = `${unique === 1 ? ", unique" : ""}${partial === 1 ? ", partial" : ""}`;
  return `${title} on ${columns.map((column) => column["name"]).join(", ")}${kind}`;
}

describe("the database is pinned", () => {
  it("by every table, column, reference and index after all migrations", async () => {
    const store = openSqliteStore(join(temporaryFolder(), "store.db"));
    const lines = await schemaLinesOf(store);
    await store.close();
    expectPinned("database.txt", lines);
  });

  it("by the text of every migration", () => {
    const digests = MIGRATIONS.map((step) => createHash("sha256").update(step).digest("hex").slice(0, 6));
    expect(digests).toEqual(STEPS);
  });
});
