import { existsSync, realpathSync } from "node:fs";
import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { delay, type Clock } from "../../base/clock.ts";
import type { AgentPlace, Conversation } from "../port.ts";
import { fieldsOf, listOf, numberOf, parseFields, textOf, type Fields } from "../fields.ts";

const TAIL_BYTES = 512 * 1024;
const MOST_CONVERSATIONS = 50;
const MOST_IN_USE = 10;
const [MOST_LOOKS, LOOK_EVERY_MS] = [20, 100];
const LONGEST_FOLDER_NAME = 200;
const TITLE_LENGTH = 80;
const TRANSCRIPT = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$/;

/** The conversations that Claude Code keeps of a folder, newest first. */
export async function listConversations(place: AgentPlace, directory: string): Promise<Conversation[]> {
  const worked = realPath(directory);
  const newest = await newestTranscripts(place, directory);
  const read = await Promise.all(newest.slice(0, MOST_CONVERSATIONS).map(readTail));
  return read.filter((one) => one?.directory === worked).filter((one) => one !== undefined);
}

/**
 * The conversation of a folder in which a tool is in use, by the id of that use. Claude Code may write down a little
 * later what it is doing, so it is looked for a few times.
 */
export async function findConversationUsing(
  place: AgentPlace,
  directory: string,
  toolUse: string,
  clock: Clock,
): Promise<string | undefined> {
  for (let looks = 1; ; looks += 1) {
    const found = await lookForUse(place, directory, toolUse);
    if (found !== undefined || looks === MOST_LOOKS) return found;
    await delay(clock, LOOK_EVERY_MS);
  }
}

async function lookForUse(place: AgentPlace, directory: string, toolUse: string): Promise<string | undefined> {
  const newest = await newestTranscripts(place, directory);
  for (const { id, path } of newest.slice(0, MOST_IN_USE)) {
    const blocks = (await lastEntries(path)).flatMap((entry) => listOf(fieldsOf(entry["message"])["content"]));
    if (blocks.some((block) => fieldsOf(block)["type"] === "tool_use" && fieldsOf(block)["id"] === toolUse)) return id;
  }
  return undefined;
}

/** Whether Claude Code keeps a conversation, of whatever folder. */
export async function knowsConversation({ environment }: AgentPlace, conversation: string): Promise<boolean> {
  const projects = projectsOf(environment);
  return (await namesIn(projects)).some((folder) => existsSync(join(projects, folder, `${conversation}.jsonl`)));
}

function realPath(directory: string): string {
  return existsSync(directory) ? realpathSync(directory) : directory;
}

async function newestTranscripts({ environment }: AgentPlace, directory: string): Promise<Transcript[]> {
  const projects = projectsOf(environment);
  const folders = (await namesIn(projects)).filter((name) => mayBeOf(name, realPath(directory)));
  const files = await Promise.all(folders.map((folder) => transcriptsIn(join(projects, folder))));
  return files.flat().toSorted((one, other) => other.updatedMs - one.updatedMs);
}

function projectsOf(environment: Readonly<Record<string, string>>): string {
  return join(environment["CLAUDE_CONFIG_DIR"] ?? join(environment["HOME"] ?? "/", ".claude"), "projects");
}

/** Different folders may have one name, so what is in it decides. A long name ends in something made up. */
function mayBeOf(name: string, directory: string): boolean {
  const plain = directory.replace(/[^a-zA-Z0-9]/g, "-");
  return plain.length <= LONGEST_FOLDER_NAME ? name === plain : name.startsWith(plain.slice(0, LONGEST_FOLDER_NAME));
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

interface Transcript {
  readonly id: string;
  readonly path: string;
  readonly updatedMs: number;
}

async function transcriptsIn(folder: string): Promise<Transcript[]> {
  const found = (await namesIn(folder)).map(async (name): Promise<Transcript[]> => {
    const [, id] = TRANSCRIPT.exec(name) ?? [];
    if (id === undefined) return [];
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    return facts?.isFile() === true ? [{ id, path, updatedMs: Math.round(facts.mtimeMs) }] : [];
  });
  return (await Promise.all(found)).flat();
}

/** Reads the end of a transcript, where everything is that matters now. */
async function readTail({ id, path, updatedMs }: Transcript): Promise<Conversation | undefined> {
  let directory: string | undefined;
  let [model, contextTokens]: [string | undefined, number | undefined] = [undefined, undefined];
  const titles: Record<string, string> = {};
  for (const entry of await lastEntries(path)) {
    if (entry["isSidechain"] === true) continue;
    directory = textOf(entry["cwd"]) ?? directory;
    const kind = textOf(entry["type"]) ?? "";
    const title = textOf(entry[TITLES[kind] ?? ""]);
    if (title !== undefined) titles[kind] = title;
    const message = fieldsOf(entry["message"]);
    const usage = fieldsOf(message["usage"]);
    if (kind !== "assistant" && message["role"] !== "assistant") continue;
    if (message["model"] === "<synthetic>") continue;
    model = textOf(message["model"]) ?? model;
    contextTokens = CONTEXT.reduce((sum, name) => sum + numberOf(usage[name]), 0);
  }
  if (directory === undefined) return undefined;
  const title = Object.keys(TITLES)
    .map((kind) => titles[kind])
    .find((text) => text !== undefined);
  return { id, updatedMs, model, contextTokens, title: title && shorten(title), directory };
}

const CONTEXT = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"];

// What a conversation is called, the best first, and where it stands.
const TITLES: Readonly<Record<string, string>> = {
  "custom-title": "customTitle",
  "ai-title": "aiTitle",
  summary: "summary",
  "last-prompt": "lastPrompt",
};

function shorten(title: string): string {
  const line = title.replace(/\s+/g, " ").trim();
  return line.length > TITLE_LENGTH ? `${line.slice(0, TITLE_LENGTH - 1)}…` : line;
}

async function lastEntries(path: string): Promise<Fields[]> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return [];
  try {
    return await entriesOf(file);
  } finally {
    await file.close();
  }
}

async function entriesOf(file: FileHandle): Promise<Fields[]> {
  const { size } = await file.stat();
  const from = Math.max(0, size - TAIL_BYTES);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
  const lines = buffer.toString("utf8", 0, bytesRead).split("\n");
  return lines
    .slice(from === 0 ? 0 : 1)
    .map(parseFields)
    .filter((entry) => entry !== undefined);
}
