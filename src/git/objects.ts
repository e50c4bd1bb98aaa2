import { AnabranchError } from "../base/errors.ts";
import { Recent } from "../base/recent.ts";
import { Semaphore } from "../base/semaphore.ts";
import type { Measure } from "../process/conversation.ts";
import type { Change } from "./changes.ts";
import type { Git } from "./git.ts";
import { openObjectWriter } from "./object-writer.ts";
import { compareInDepth } from "./tree-comparison.ts";
import { formatTree, parseTree, type TreeEntry } from "./tree-format.ts";

/**
 * The objects of one repository, read by a long-lived git that starts with the first question and ends when idle.
 * Objects are named by their whole ids. What is staged can be read here at once, by git itself after a flush.
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
  stageBlob(content: Uint8Array): string;
  stageTree(entries: readonly TreeEntry[]): string;
  stageCommit(content: Uint8Array): string;
  /** Writes what is staged; with a limit, only where that many bytes are. @throws {AnabranchError} `DISK_FULL`, `READ_ONLY` */
  flush(aboveBytes?: number): Promise<void>;
  /** How the tree of `to` differs from the tree of `from`, in depth and without looking for renames. */
  compare(from: string, to: string): Promise<readonly Change[]>;
  close(): Promise<void>;
}

/** A blob above this is not read into memory: ask for its size first. */
export const LARGEST_BLOB_BYTES = 64 * 1024 * 1024;

const REMEMBERED_TREES = { entries: 20_000, weight: 32 * 1024 * 1024 };
/** Weighed by the number of changes. */
const REMEMBERED_COMPARISONS = { entries: 200, weight: 50_000 };
/** Answers that may be on their way at once: each can be as large as a blob. */
const MOST_READS = 8;

/** Opens the objects of a git directory. Nothing is started until something is asked. */
export function openObjectStore(git: Git, gitDirectory: string): ObjectStore {
  const reader = git.converse({ gitDirectory }, ["cat-file", "--batch-command"]);
  const writer = openObjectWriter(git, gitDirectory);
  const trees = new Recent<readonly TreeEntry[]>(REMEMBERED_TREES);
  const comparisons = new Recent<readonly Change[]>(REMEMBERED_COMPARISONS);
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
  const readTree = async (oid: string): Promise<readonly TreeEntry[]> => {
    const known = trees.get(oid);
    if (known !== undefined) return known;
    const tree = stagedTree(oid);
    const content = writer.staged(tree)?.content ?? (await contents(`${requireOid(tree)}^{tree}`));
    const entries = parseTree(content, oid.length / 2);
    trees.set(oid, entries, content.length);
    return entries;
  };
  /** A staged commit's tree: git does not know that commit yet. */
  const stagedTree = (oid: string): string => {
    const staged = writer.staged(oid);
    return staged?.type === "commit" ? staged.content.toString("latin1", 5, 5 + oid.length) : oid;
  };

  const store: ObjectStore = {
    async sizeOf(oid) {
      return writer.staged(oid)?.content.length ?? (await info(requireOid(oid)))?.sizeBytes;
    },
    async readBlob(oid) {
      const staged = writer.staged(oid);
      if (staged?.type === "blob") return staged.content;
      const header = await info(requireOid(oid));
      if (header === undefined || header.type !== "blob") throw missing(oid);
      if (header.sizeBytes > LARGEST_BLOB_BYTES) throw tooLarge(oid, header.sizeBytes);
      return contents(oid);
    },
    async treeOf(oid) {
      const tree = stagedTree(oid);
      if (writer.staged(tree)?.type === "tree") return tree;
      const header = await info(`${requireOid(tree)}^{tree}`);
      if (header === undefined) throw missing(oid);
      return header.oid;
    },
    readTree,
    async writeBlob(content) {
      const oid = store.stageBlob(content);
      await store.flush();
      return oid;
    },
    async writeTree(entries) {
      const oid = store.stageTree(entries);
      await store.flush();
      return oid;
    },
    stageBlob: (content) => writer.stage("blob", Buffer.from(content)),
    stageTree: (entries) => writer.stage("tree", formatTree(entries)),
    stageCommit: (content) => writer.stage("commit", Buffer.from(content)),
    async flush(aboveBytes = -1) {
      if (writer.stagedBytes > aboveBytes) await writer.flush();
    },
    async compare(from, to) {
      if (from === to) return [];
      const known = comparisons.get(`${from} ${to}`);
      if (known !== undefined) return known;
      const changes = await compareInDepth(readTree, from, to);
      comparisons.set(`${from} ${to}`, changes, changes.length);
      return changes;
    },
    close: () => reader.close(),
  };
  return store;
}

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
