import { AnabranchError } from "../base/errors.ts";
import { Recent } from "../base/recent.ts";
import { Semaphore } from "../base/semaphore.ts";
import type { Measure } from "../process/conversation.ts";
import { parseRawDifference, type Change } from "./changes.ts";
import type { Git } from "./git.ts";
import { openLooseWriter, type StagedObject } from "./loose-objects.ts";
import { decodePath } from "./path-bytes.ts";
import { formatTree, parseTree, type TreeEntry } from "./tree-format.ts";

/**
 * The objects of one repository, by long-lived git processes that start with the first question and end when idle.
 * Objects are named by their whole ids.
 */
export interface ObjectStore {
  /** The size of an object's content; `undefined` where there is no such object. */
  sizeOf(oid: string): Promise<number | undefined>;
  /** @throws {AnabranchError} `GIT_FAILED` where it is missing, no blob, or larger than {@link LARGEST_BLOB_BYTES} */
  readBlob(oid: string): Promise<Buffer>;
  /** The tree of a tree, commit or tag. @throws {AnabranchError} `GIT_FAILED` where there is none */
  treeOf(oid: string): Promise<string>;
  /** The entries of a tree, commit or tag. */
  readTree(oid: string): Promise<readonly TreeEntry[]>;
  writeBlob(content: Uint8Array): Promise<string>;
  writeTree(entries: readonly TreeEntry[]): Promise<string>;
  /** As `writeTree`; what needs the name only need not wait. */
  stageTree(entries: readonly TreeEntry[]): StagedObject;
  /** How the tree of `to` differs from the tree of `from`, in depth and without looking for renames. */
  compare(from: string, to: string): Promise<readonly Change[]>;
  close(): Promise<void>;
}

/** A blob above this is not read into memory: ask for its size first. */
export const LARGEST_BLOB_BYTES = 64 * 1024 * 1024;

const REMEMBERED_TREES = { entries: 20_000, weight: 32 * 1024 * 1024 };
/** Answers that may be on their way at once: each can be as large as a blob. */
const MOST_READS = 8;

/** Opens the objects of a git directory. Nothing is started until something is asked. */
export function openObjectStore(git: Git, gitDirectory: string): ObjectStore {
  const reader = git.converse({ gitDirectory }, ["cat-file", "--batch-command"]);
  const differ = git.converse({ gitDirectory }, [...DIFF_TREE, "--stdin"]);
  const writer = openLooseWriter(gitDirectory);
  const trees = new Recent<readonly TreeEntry[]>(REMEMBERED_TREES);
  const reads = new Semaphore(MOST_READS);

  const info = async (name: string): Promise<ObjectHeader | undefined> => {
    const [line = ""] = await reader.ask(`info ${name}\n`, 1);
    return parseHeader(line);
  };
  const contents = (name: string): Promise<Buffer> =>
    reads.run(async () => {
      const answer = await reader.exchange(`contents ${name}\n`, measureObject());
      const lineEnd = answer.indexOf(0x0a);
      if (parseHeader(answer.toString("latin1", 0, lineEnd)) === undefined) throw missing(name);
      return answer.subarray(lineEnd + 1, -1);
    });
  const treeOf = async (oid: string): Promise<string> => {
    const header = await info(`${requireOid(oid)}^{tree}`);
    if (header === undefined) throw missing(oid);
    return header.oid;
  };

  const store: ObjectStore = {
    sizeOf: async (oid) => (await info(requireOid(oid)))?.sizeBytes,
    async readBlob(oid) {
      const header = await info(requireOid(oid));
      if (header === undefined || header.type !== "blob") throw missing(oid);
      if (header.sizeBytes > LARGEST_BLOB_BYTES) throw tooLarge(oid, header.sizeBytes);
      return contents(oid);
    },
    treeOf,
    async readTree(oid) {
      const known = trees.get(oid);
      if (known !== undefined) return known;
      const content = await contents(`${requireOid(oid)}^{tree}`);
      const entries = parseTree(content, oid.length / 2);
      trees.set(oid, entries, content.length);
      return entries;
    },
    async writeBlob(content) {
      const { oid, written } = writer.stage("blob", content);
      await written;
      return oid;
    },
    async writeTree(entries) {
      const { oid, written } = store.stageTree(entries);
      await written;
      return oid;
    },
    stageTree(entries) {
      const content = formatTree(entries);
      const { oid, written } = writer.stage("tree", content);
      // What could not be written must not be taken for there.
      return { oid, written: written.then(() => trees.set(oid, parseTree(content, oid.length / 2), content.length)) };
    },
    async compare(from, to) {
      if (from === to) return [];
      const [old, now] = await Promise.all([treeOf(from), treeOf(to)]);
      if (old === now) return [];
      const answer = await differ.exchange(`${old} ${now}\n${DIFFERENCE_END}\n`, measureDifference());
      return parseDifference(answer);
    },
    async close() {
      await Promise.all([reader.close(), differ.close()]);
    },
  };
  return store;
}

/** Compares trees in depth, whatever a configuration says about submodules. */
export const DIFF_TREE = ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=none"];

interface ObjectHeader {
  readonly oid: string;
  readonly type: string;
  readonly sizeBytes: number;
}

function parseHeader(line: string): ObjectHeader | undefined {
  const [, oid, type, size] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(line) ?? [];
  return oid === undefined || type === undefined ? undefined : { oid, type, sizeBytes: Number(size) };
}

/** `OID TYPE SIZE`, a line end, the content, a line end; or one line that says what is wrong. */
function measureObject(): Measure {
  return (received) => {
    const lineEnd = received.indexOf(0x0a);
    if (lineEnd < 0) return undefined;
    const header = parseHeader(received.toString("latin1", 0, lineEnd));
    return header === undefined ? lineEnd + 1 : lineEnd + 1 + header.sizeBytes + 1;
  };
}

// diff-tree prints a line that is no object's name as it is, and then flushes.
const DIFFERENCE_END = "end";

/** A line with both trees, records of two parts that are each ended by NUL, and the line that was sent after it. */
function measureDifference(): Measure {
  let at = 0;
  let isPath = false;
  return (received) => {
    for (;;) {
      const isRecord = isPath || received[at] === 0x3a;
      const end = received.indexOf(isRecord ? 0 : 0x0a, at);
      if (end < 0) return undefined;
      if (!isRecord && received.toString("latin1", at, end) === DIFFERENCE_END) return end + 1;
      isPath = isRecord && !isPath;
      at = end + 1;
    }
  };
}

function parseDifference(answer: Buffer): readonly Change[] {
  const header = answer.indexOf(0x0a) + 1;
  const body = answer.toString("latin1", header, answer.length - DIFFERENCE_END.length - 1);
  if (header === answer.length) throw new AnabranchError("GIT_FAILED", { message: "git cannot compare two trees" });
  return parseRawDifference(body.split("\0").slice(0, -1)).changes.map(withText);
}

function withText(change: Change): Change {
  const path = decodePath(change.path);
  return path === change.path ? change : { ...change, path };
}

function requireOid(oid: string): string {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(oid)) return oid;
  throw new AnabranchError("INTERNAL", { message: `${JSON.stringify(oid)} is not the id of an object` });
}

function missing(name: string): AnabranchError {
  return new AnabranchError("GIT_FAILED", {
    message: `the object ${name} is missing or of another type`,
    hint: "git fsck in the repository tells which objects are missing",
    data: { object: name },
  });
}

function tooLarge(oid: string, sizeBytes: number): AnabranchError {
  return new AnabranchError("GIT_FAILED", {
    message: `the blob ${oid} has ${sizeBytes} bytes, more than is read into memory`,
    data: { object: oid, sizeBytes },
  });
}
