import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

import { hashOf, TriggerBook } from "../../../src/daemon/events/trigger-book.ts";
import { initialFlow, stepFlow, type FlowState } from "../../../src/engine/flow.ts";
import { openSqliteStore } from "../../../src/store/sqlite.ts";
import { insertTrigger, loadTriggerSets, putTriggerSet } from "../../../src/store/trigger-sets.ts";
import { temporaryFolder } from "../../fixtures/repository.ts";
import { REPOSITORY, repositoryRow } from "../../fixtures/store-rows.ts";
import { triggerWith } from "../../fixtures/event-tables.ts";

it("finds what was due at a time that a clock which was set back does not reach", async () => {
  const root = temporaryFolder();
  const store = openSqliteStore(join(root, "store.db"));
  onTestFinished(() => store.close());
  const content = "triggers: []\n";
  writeFileSync(join(root, "anabranch.yaml"), content);
  const spec = await triggerWith("`debounce: 500ms`");
  const wrongMs = 2_000_000_000_000;
  const event = { seq: 1, atMs: wrongMs, cause: undefined };
  const { state, dueMs } = stepFlow(spec.flow, initialFlow(), { type: "event", event, atMs: wrongMs });
  const set = { repositoryId: REPOSITORY, root, content, contentHash: hashOf(content), enabledMs: 1 };
  const chains = { depth: 8, budget: {} };
  const trigger = { id: `${REPOSITORY}/w`, repositoryId: REPOSITORY, spec, state: "active", flow: state } as const;
  await store.commit([
    repositoryRow(),
    putTriggerSet({ ...set, chains, state: "enabled" }),
    insertTrigger({ ...trigger, dueMs, createdMs: 1 }),
  ]);
  const book = new TriggerBook(store);
  for (const row of await loadTriggerSets(store)) await book.read(row);

  const rightMs = 1_900_000_000_000;
  const [due] = book.due(rightMs);
  expect(due?.id).toBe(trigger.id);
  const moved = stepFlow(spec.flow, due?.flow as FlowState, { type: "due", atMs: rightMs });
  expect(moved.dueMs).toBe(rightMs + 500);
  book.install(new Map([[trigger.id, { flow: moved.state, dueMs: moved.dueMs ?? null }]]));
  expect(book.due(rightMs)).toEqual([]);
  expect(book.due(rightMs + 500)).toHaveLength(1);
});
