import { AnabranchError } from "../base/errors.ts";
import { GITLINK_MODE, TREE_MODE } from "./changes.ts";

/** One entry of a tree. */
export interface TreeEntry {
  /** Six digits. */
  readonly mode: string;
  readonly type: "blob" | "tree" | "commit";
  readonly oid: string;
  /** The bytes of the name, each as one character (latin1). */
  readonly name: string;
}

/** Reads the entries of a tree object. @param oidBytes 20, or 32 where the repository uses SHA-256 */
export function parseTree(content: Buffer, oidBytes: number): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    if (space < 0 || end < 0 || end + 1 + oidBytes > content.length) throw damaged();
    const mode = content.toString("latin1", at, space).padStart(6, "0");
    const name = content.toString("latin1", space + 1, end);
    at = end + 1 + oidBytes;
    entries.push({ mode, type: typeOf(mode), oid: content.toString("hex", end + 1, at), name });
  }
  return entries;
}

/** The content of a tree object with these entries, in whatever order they are. */
export function formatTree(entries: readonly TreeEntry[]): Buffer {
  const sorted = entries.map((entry) => ({ entry, key: sortKey(entry) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  let text = "";
  const names = new Set<string>();
  for (const { entry } of sorted) {
    if (names.has(entry.name) || !isName(entry.name)) throw impossible(entry.name);
    names.add(entry.name);
    text += `${entry.mode.replace(/^0/, "")} ${entry.name}\0${Buffer.from(entry.oid, "hex").toString("latin1")}`;
  }
  return Buffer.from(text, "latin1");
}

/** What kind of object a mode stands for. */
export function typeOf(mode: string): TreeEntry["type"] {
  return mode === TREE_MODE ? "tree" : mode === GITLINK_MODE ? "commit" : "blob";
}

/** What git sorts entries by: a folder as if its name ended with a slash. */
export function sortKey(entry: TreeEntry): string {
  return entry.mode === TREE_MODE ? `${entry.name}/` : entry.name;
}

function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && name !== ".git" && !/[/\0]/.test(name);
}

function damaged(): AnabranchError {
  return new AnabranchError("GIT_FAILED", {
    message: "a tree object cannot be read: it is cut off or no tree",
    hint: "git fsck in the repository tells which objects are damaged",
  });
}

function impossible(name: string): AnabranchError {
  return new AnabranchError("INTERNAL", {
    message: `a tree cannot have the entry ${JSON.stringify(name)} here: it is no file name, or is there twice`,
  });
}
