import { closeSync, openSync, readdirSync, readSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

import type { Conversation } from "../port.ts";
import { fieldsOf, listOf, numberOf, parseFields, textOf, type Fields } from "./wire.ts";

const MOST_FILES = 400;
const MOST_CONVERSATIONS = 50;
const PIECE_BYTES = 64 * 1024;
// The first line holds the whole instructions of the agent.
const HEAD_BYTES = 512 * 1024;
const TITLE_LENGTH = 120;

/** The conversations that were had in a folder, newest first, by the files that codex keeps of each. */
export function findConversations(
  environment: Readonly<Record<string, string>>,
  directory: string,
): Promise<Conversation[]> {
  const home = environment["CODEX_HOME"] ?? join(environment["HOME"] ?? "/", ".codex");
  const wanted = realPath(directory);
  const found: Conversation[] = [];
  let looked = 0;
  for (const path of rolloutsIn(join(home, "sessions"), 3)) {
    if (looked >= MOST_FILES || found.length >= MOST_CONVERSATIONS) break;
    looked += 1;
    const conversation = readRollout(path, wanted);
    if (conversation !== undefined) found.push(conversation);
  }
  return Promise.resolve(found.toSorted((one, other) => other.updatedMs - one.updatedMs));
}

/** The files below folders for years, months and days, the newest first. */
function* rolloutsIn(folder: string, depth: number): Generator<string> {
  const names = namesIn(folder).toSorted().toReversed();
  for (const name of names) {
    if (depth > 0) yield* rolloutsIn(join(folder, name), depth - 1);
    else if (/^rollout-.*\.jsonl$/.test(name)) yield join(folder, name);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readRollout(path: string, directory: string): Conversation | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const head = readPiece(file, 0, PIECE_BYTES);
    const meta = metaIn(head);
    const [id, cwd] = [textOf(meta["id"]), textOf(meta["cwd"])];
    if (id === undefined || cwd === undefined || realPath(cwd) !== directory) return undefined;
    const { size, mtimeMs } = statSync(path);
    const beginning = linesOf(readPiece(file, 0, Math.min(size, HEAD_BYTES)));
    const end = linesOf(readPiece(file, Math.max(0, size - PIECE_BYTES), PIECE_BYTES));
    return { id, directory: cwd, updatedMs: Math.round(mtimeMs), ...describe(beginning, end) };
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** The first line may go on for long after what is looked for in it. */
function metaIn(head: string): Fields {
  const [line = ""] = head.split("\n", 1);
  const whole = parseFields(line);
  if (whole !== undefined) return fieldsOf(whole["payload"]);
  const field = (name: string): string | undefined => {
    const value = new RegExp(`"${name}":("(?:[^"\\\\]|\\\\.)*")`).exec(line)?.[1];
    return value === undefined ? undefined : textOf(parseFields(`{"value":${value}}`)?.["value"]);
  };
  return { id: field("id"), cwd: field("cwd") };
}

function describe(beginning: readonly Fields[], end: readonly Fields[]): Partial<Conversation> {
  const payloads = [...beginning, ...end].map((line) => ({ type: line["type"], payload: fieldsOf(line["payload"]) }));
  const title = payloads.map(({ payload }) => saidByUser(payload)).find((text) => text !== undefined);
  const model = payloads.findLast(({ type }) => type === "turn_context")?.payload["model"];
  const counted = payloads.findLast(({ payload }) => payload["type"] === "token_count")?.payload["info"];
  const tokens = numberOf(fieldsOf(fieldsOf(counted)["last_token_usage"])["total_tokens"]);
  return {
    ...(textOf(model) === undefined ? {} : { model: textOf(model) }),
    ...(tokens > 0 ? { contextTokens: tokens } : {}),
    ...(title === undefined ? {} : { title: shorten(title) }),
  };
}

/** What a person wrote, as it is kept by today's versions or by earlier ones. */
function saidByUser(payload: Fields): string | undefined {
  if (payload["type"] === "user_message") return textOf(payload["message"]);
  const item = fieldsOf(payload["item"]);
  if (payload["type"] !== "item_completed" || item["type"] !== "UserMessage") return undefined;
  return textOf(fieldsOf(listOf(item["content"])[0])["text"]);
}

function linesOf(text: string): Fields[] {
  return text.split("\n").flatMap((line) => {
    const fields = parseFields(line);
    return fields === undefined ? [] : [fields];
  });
}

function readPiece(file: number, at: number, sizeBytes: number): string {
  const buffer = Buffer.alloc(sizeBytes);
  return buffer.toString("utf8", 0, readSync(file, buffer, 0, sizeBytes, at));
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > TITLE_LENGTH ? `${line.slice(0, TITLE_LENGTH)}…` : line;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
