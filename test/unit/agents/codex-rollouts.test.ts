import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { findConversations } from "../../../src/agents/codex/rollouts.ts";

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "rollouts-")));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, "work"));
});

function keep(day: string, id: string, lines: readonly (object | string)[], seconds: number): void {
  const path = join(home, "sessions", day, `rollout-${day.replaceAll("/", "-")}T10-00-00-${id}.jsonl`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  utimesSync(path, seconds, seconds);
}

const meta = (id: string, cwd: string, more: object = {}): object => ({
  type: "session_meta",
  payload: { id, cwd, ...more },
});
const said = (text: string): object => ({
  type: "event_msg",
  payload: { type: "item_completed", item: { type: "UserMessage", content: [{ type: "text", text }] } },
});

describe("the conversations of codex", () => {
  it("are those of a folder, the newest first, also where the folder is named by a link", async () => {
    symlinkSync(join(home, "work"), join(home, "link"));
    keep("2026/11/25", "old", [meta("old", join(home, "work")), said("fix the\n  bug")], 1000);
    keep("2026/11/26", "new", [meta("new", join(home, "link"))], 3000);
    keep("2026/11/26", "other", [meta("other", "/elsewhere")], 4000);
    const counted = { type: "token_count", info: { last_token_usage: { total_tokens: 777 } } };
    const context = { type: "turn_context", payload: { model: "gpt-x" } };
    keep(
      "2025/01/01",
      "mid",
      [meta("mid", join(home, "work")), context, { type: "event_msg", payload: counted }],
      2000,
    );
    const found = await findConversations({ CODEX_HOME: home }, join(home, "link"));
    expect(found.map(({ id }) => id)).toEqual(["new", "mid", "old"]);
    expect(found[1]).toMatchObject({ model: "gpt-x", contextTokens: 777, updatedMs: 2_000_000 });
    expect(found[2]).toMatchObject({ title: "fix the bug", directory: join(home, "work") });
  });

  it("are found behind instructions of any length, and past files that are broken", async () => {
    const long = { base_instructions: { text: "x".repeat(200_000) } };
    keep("2026/11/26", "long", [meta("long", join(home, "work"), long), said("hello")], 1000);
    keep("2026/11/26", "empty", [], 1000);
    keep("2026/11/26", "broken", ["{", "\u0000\u0001", '{"type":"session_meta","payload":[]}'], 1000);
    keep("2026/11/26", "torn", [meta("torn", join(home, "work")), '{"type":"event_msg","payl'], 900);
    writeFileSync(join(home, "sessions/2026/11/notes.txt"), "not a day");
    mkdirSync(join(home, "sessions/2026/11/26/rollout-folder.jsonl"));
    const found = await findConversations({ CODEX_HOME: home }, join(home, "work"));
    expect(found.map(({ id, title }) => [id, title])).toEqual([
      ["long", "hello"],
      ["torn", undefined],
    ]);
  });

  it("are none where codex was never used", async () => {
    expect(await findConversations({ HOME: join(home, "nobody") }, home)).toEqual([]);
    expect(await findConversations({}, "/no/such/folder")).toEqual([]);
  });
});
