import { RequestError } from "@agentclientprotocol/sdk/unstable";
import { chmod, lstat, mkdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize, relative } from "node:path";

import { systemCodeOf } from "../../base/errors.ts";
import { newId, systemRandom } from "../../base/ids.ts";
import type { AgentEvent, GateAnswer, ToolRequest } from "../port.ts";
import type { ToolCalls } from "./tool-calls.ts";

/** What the files of a session need of it. */
export interface DelegatedFileContext {
  /** The workspace, or as much of it as is known. */
  readonly root: string;
  /** Whether an agent is told that a file which is not there is empty. */
  readonly missingIsEmpty: () => boolean;
  readonly tools: ToolCalls;
  readonly ask: (request: ToolRequest) => Promise<GateAnswer>;
  readonly emit: (event: AgentEvent) => void;
}

const LARGEST_BYTES = 64 * 1024 * 1024;
const REFUSED = -32_603;

/**
 * The files that an agent reads and writes through us, so that each is known and can be refused. A file is replaced by
 * rename, keeps its mode, and is never written through a link that leads out of the workspace.
 */
export class DelegatedFiles {
  readonly #context: DelegatedFileContext;
  readonly #asked = new Set<string>();
  #serial = 0;

  constructor(context: DelegatedFileContext) {
    this.#context = context;
  }

  /** Whether the agent has asked us for this file, or for what stands there. */
  knows(path: string): boolean {
    return this.#asked.has(path);
  }

  /** @throws {RequestError} where it is not there or was refused */
  async read({ path: given, line, limit }: ReadCall): Promise<string> {
    const path = absolute(given);
    this.#asked.add(path);
    return passOn(path, async () => {
      const real = await landing(path);
      await this.#permit("read", path, real);
      if (this.#context.missingIsEmpty() && !(await isThere(real))) return "";
      const { size } = await requireFile(real);
      if (size > LARGEST_BYTES) throw new RequestError(REFUSED, `${path} is larger than ${LARGEST_BYTES} bytes`);
      const text = await readFile(real, "utf8");
      this.#context.emit({ type: "file", access: "read", path });
      return portion(text, line ?? undefined, limit ?? undefined);
    });
  }

  /** @throws {RequestError} where it cannot be or was refused */
  async write({ path: given, content }: { readonly path: string; readonly content: string }): Promise<void> {
    const path = absolute(given);
    await passOn(path, async () => {
      const real = await landing(path);
      await this.#requireInside(path, real);
      await this.#permit("write", path, real);
      await replace(real, content);
      this.#context.tools.wrote(path);
    });
  }

  async #requireInside(path: string, real: string): Promise<void> {
    const { root } = this.#context;
    if (!isInside(root, path) || isInside(await realpath(root), real)) return;
    throw new RequestError(REFUSED, `${path} leads out of your workspace, to ${real}. Write only below ${root}.`);
  }

  async #permit(access: "read" | "write", path: string, real: string): Promise<void> {
    const { tools, ask } = this.#context;
    const ruling = access === "write" ? tools.rulingFor(path) : undefined;
    this.#serial += 1;
    const known = tools.requestFor(path);
    const answer =
      ruling ??
      (await ask({
        id: known?.id ?? `${access}-${this.#serial}`,
        tool: known?.tool ?? access,
        action: access,
        paths: [...new Set([path, real])],
        summary: `${access} ${path}`,
      }));
    if (!answer.allow) throw new RequestError(REFUSED, answer.reason);
  }
}

interface ReadCall {
  readonly path: string;
  readonly line?: number | null | undefined;
  readonly limit?: number | null | undefined;
}

function absolute(path: string): string {
  if (!isAbsolute(path)) throw RequestError.invalidParams({ path }, "a path must be absolute");
  return normalize(path);
}

/** Where a path really leads. What is not there yet is where its folder really is. */
async function landing(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (systemCodeOf(cause) !== "ENOENT" || dirname(path) === path) throw cause;
    if (await isThere(path)) throw new RequestError(REFUSED, `${path} is a link that leads nowhere`);
    return join(await landing(dirname(path)), basename(path));
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function requireFile(path: string): Promise<{ readonly size: number; readonly mode: number }> {
  const found = await stat(path);
  // A pipe would never end, and a device is no text.
  if (!found.isFile()) throw new RequestError(REFUSED, `${path} is not a file`);
  return found;
}

async function replace(path: string, content: string): Promise<void> {
  const before = await requireFile(path).catch((cause: unknown) => {
    if (systemCodeOf(cause) === "ENOENT") return undefined;
    throw cause;
  });
  await mkdir(dirname(path), { recursive: true });
  const draft = join(dirname(path), `.${basename(path).slice(0, 100)}.${newId(systemRandom)}`);
  try {
    await writeFile(draft, content, { flag: "wx", mode: 0o666 });
    if (before !== undefined) await chmod(draft, before.mode & 0o7777);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw cause;
  }
}

function portion(text: string, line: number | undefined, limit: number | undefined): string {
  if (line === undefined && limit === undefined) return text;
  const from = Math.max(0, (line ?? 1) - 1);
  return text
    .split("\n")
    .slice(from, limit === undefined ? undefined : from + limit)
    .join("\n");
}

function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== ".." && !inside.startsWith("../") && !isAbsolute(inside);
}

/** The protocol's words for what the disk says. */
async function passOn<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof RequestError) throw cause;
    if (systemCodeOf(cause) === "ENOENT") throw RequestError.resourceNotFound(path);
    throw new RequestError(REFUSED, `${path}: ${systemCodeOf(cause) ?? String(cause)}`);
  }
}
