import { constants } from "node:fs";
import { open, readdir, realpath } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";

import { AnabranchError, systemCodeOf } from "../base/errors.ts";

/** A file that may describe an agent: its text, or why it has none. */
export interface FoundFile {
  readonly path: string;
  readonly text: string | AnabranchError;
}

/** No file of an agent is larger: all of its text must fit into one argument of a program. */
const MOST_BYTES = 96 * 1024;
const MOST_FILES = 1000;

/**
 * Reads all files `*.md` below a folder, in the order of their paths. What cannot be read is told with its file.
 *
 * @param inside where all of it must really be: links that lead elsewhere are refused. Absent: anywhere
 */
export async function readAgentFolder(folder: string, inside: string | undefined): Promise<FoundFile[]> {
  const bounds = inside === undefined ? undefined : await realpath(inside);
  const found: FoundFile[] = [];
  const seen = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    const real = await realpath(path);
    if (seen.has(real)) return;
    seen.add(real);
    if (bounds !== undefined && !isWithin(real, bounds)) throw leadsOut(path);
    const entries = await readdir(real, { withFileTypes: true }).catch((cause: unknown) => {
      if (systemCodeOf(cause) === "ENOTDIR") return undefined;
      throw cause;
    });
    if (entries === undefined) {
      if (path.endsWith(".md")) found.push({ path, text: await readWhole(real, path) });
      return;
    }
    for (const { name } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (found.length >= MOST_FILES) throw refusal(path, `there are more than ${MOST_FILES} files of agents`);
      const child = join(path, name);
      await visit(child).catch((cause: unknown) => {
        if (systemCodeOf(cause) !== "ENOENT") found.push({ path: child, text: refusal(child, cause) });
      });
    }
  };
  await visit(folder).catch((cause: unknown) => {
    if (!["ENOENT", "ENOTDIR"].includes(systemCodeOf(cause) ?? ""))
      found.push({ path: folder, text: refusal(folder, cause) });
  });
  return found;
}

/**
 * Reads one file of an agent that must really be inside of a folder.
 * @throws {AnabranchError} `AGENT_INVALID`
 */
export async function readAgentText(path: string, inside: string): Promise<string> {
  try {
    const [real, bounds] = await Promise.all([realpath(path), realpath(inside)]);
    if (!isWithin(real, bounds)) throw leadsOut(path);
    return await readWhole(real, path);
  } catch (cause) {
    throw refusal(path, systemCodeOf(cause) === "ENOENT" ? "it is not there" : cause);
  }
}

// Read through one handle, so that what was looked at is what is read; and without waiting for the far end of a pipe.
async function readWhole(real: string, path: string): Promise<string> {
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const status = await file.stat();
    if (!status.isFile()) throw refusal(path, "it is not a file");
    const buffer = Buffer.alloc(MOST_BYTES + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > MOST_BYTES) throw refusal(path, `it is larger than ${MOST_BYTES / 1024} KiB`);
    const text = decode(buffer.subarray(0, bytesRead));
    if (text === undefined || text.includes("\0")) throw refusal(path, "it is not a text in UTF-8");
    return text;
  } finally {
    await file.close();
  }
}

// Without the mark of byte order, if there is one.
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function leadsOut(path: string): AnabranchError {
  return refusal(path, "it is a link that leads out of the repository");
}

function refusal(path: string, cause: unknown): AnabranchError {
  if (cause instanceof AnabranchError) return cause;
  const why = typeof cause === "string" ? cause : `it cannot be read: ${systemCodeOf(cause) ?? String(cause)}`;
  return new AnabranchError("AGENT_INVALID", {
    message: `${path}: ${why}`,
    hint: `mend or remove ${path}`,
    data: { file: path },
    ...(typeof cause === "string" ? {} : { cause }),
  });
}
