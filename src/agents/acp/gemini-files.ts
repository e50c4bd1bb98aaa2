import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { delay, type Clock } from "../../base/clock.ts";

const MINUTE_MS = 60_000;

/**
 * Waits until Gemini can take a conversation up. It names the file of one by the minute and the id, and when it loads
 * one in the minute in which it was begun, it begins that same file anew: what was said in it would be lost.
 */
export async function awaitGeminiFile(
  environment: Readonly<Record<string, string>>,
  conversation: string,
  clock: Clock,
): Promise<void> {
  const home = environment["GEMINI_CLI_HOME"] ?? environment["HOME"] ?? "/";
  const projects = join(home, ".gemini/tmp");
  const wallMs = clock.wallMs();
  const minute = new Date(wallMs).toISOString().slice(0, 16).replace(":", "-");
  const name = `session-${minute}-${conversation.slice(0, 8)}.jsonl`;
  for (const project of await namesIn(projects)) {
    const names = await namesIn(join(projects, project, "chats"));
    if (names.includes(name)) return delay(clock, MINUTE_MS - (wallMs % MINUTE_MS));
  }
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
