import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

import { putDeadLetter, loadDeadLetters, replayDeadLetter } from "../../../src/store/dead-letters.ts";
import { acknowledgeInbox, loadInbox, PERSON, putInboxAgain } from "../../../src/store/inbox.ts";
import { putOutbox, updateOutbox } from "../../../src/store/outbox.ts";
import { removePast } from "../../../src/store/past.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { REPOSITORY, repositoryRow } from "../../fixtures/store-rows.ts";

it("what was sent, read or replayed long ago goes, however much it is, and nothing that waits or is new", async () => {
  const store = openSqliteStore(join(temporaryFolder(), "a.db"));
  onTestFinished(() => store.close());
  const sent = (id: string) => ({ id, key: id, repositoryId: REPOSITORY, target: "me", createdMs: 1 });
  const record = { kind: "failed", title: "it failed" };
  await store.commit([repositoryRow()]);
  for (let index = 0; index < 450; index += 1) {
    await store.commit([putOutbox({ ...sent(`o${index}`), record })]);
    await store.commit([
      updateOutbox({ id: `o${index}`, version: 1 }, { state: "sent", endedMs: index < 449 ? 10 : 1000 }),
    ]);
  }
  await store.commit([putOutbox({ ...sent("waiting"), record })]);
  const letter = (id: string) => ({
    id,
    key: id,
    repositoryId: REPOSITORY,
    kind: "start" as const,
    record: { title: "it did not start", reason: { code: "INTERNAL" as const, message: "no" } },
    createdMs: 10,
  });
  await store.commit([putDeadLetter(letter("open")), putDeadLetter(letter("replayed"))]);
  const replayed = (await loadDeadLetters(store, 10)).find(({ id }) => id === "replayed");
  if (replayed !== undefined) await store.commit([replayDeadLetter(replayed, 10)]);
  const entry = (id: string) =>
    putInboxAgain({
      id,
      key: id,
      repositoryId: REPOSITORY,
      addressee: PERSON,
      kind: "dead-letter",
      run: undefined,
      task: undefined,
      record: { title: id, command: "anabranch ls" },
      createdMs: 1,
    });
  await store.commit([entry("unread"), entry("read")]);
  await store.commit([acknowledgeInbox({ address: PERSON, leftBeforeMs: undefined }, ["read"], 10)]);

  expect(await removePast(store, 500, new AbortController().signal)).toBe(449 + 1 + 1);
  expect(await store.read("select id from outbox order by id")).toEqual([{ id: "o449" }, { id: "waiting" }]);
  expect((await loadDeadLetters(store, 10)).map(({ id }) => id)).toEqual(["open"]);
  expect(await removePast(store, 500, new AbortController().signal)).toBe(0);
  expect(
    (await loadInbox(store, { address: PERSON, leftBeforeMs: undefined }, { limit: 10 })).map(({ id }) => id),
  ).toEqual(["unread"]);
});
