import { AnabranchError } from "../base/errors.ts";
import type { Git } from "./git.ts";
import type { Ref } from "./repository.ts";

/** One ref to move. `from` is what it must stand at: `null` for "must not exist", absent for "whatever it is". */
export interface RefUpdate {
  readonly name: string;
  /** `null` deletes it. */
  readonly to: string | null;
  readonly from?: string | null | undefined;
}

/** Moves refs of one repository, all of a call or none, each by compare-and-swap. */
export interface RefWriter {
  /** @throws {AnabranchError} `GIT_FAILED` when a ref did not stand where it must, or cannot be written. */
  update(updates: readonly RefUpdate[]): Promise<void>;
  close(): Promise<void>;
}

/** A writer that keeps one git alive. Transactions run one after another, so that a refused one fails alone. */
export function openRefWriter(git: Git, gitDirectory: string): RefWriter {
  const conversation = git.converse({ gitDirectory }, ["update-ref", "--stdin", "-z"]);
  let last: Promise<unknown> = Promise.resolve();
  return {
    update(updates) {
      if (updates.length === 0) return Promise.resolve();
      // With -z the first word of a command is still ended by a space, everything after it by NUL.
      const question = `start\0${formatUpdates(updates)}prepare\0commit\0`;
      const answer = last.then(() => conversation.ask(question, 3));
      last = answer.catch(() => undefined);
      return answer.then(() => undefined);
    },
    close: () => conversation.close(),
  };
}

/** Moves refs with a git process of its own: for a repository that is written to rarely. */
export async function updateRefs(git: Git, gitDirectory: string, updates: readonly RefUpdate[]): Promise<void> {
  if (updates.length === 0) return;
  await git.run({ gitDirectory }, ["update-ref", "--stdin", "-z"], { input: formatUpdates(updates) });
}

function formatUpdates(updates: readonly RefUpdate[]): string {
  return updates
    .map(({ name, to, from }) => {
      // No object has an id of zeros, as long as ids are in this repository.
      const old = from === undefined ? "" : (from ?? "0".repeat(to?.length ?? 40));
      return to === null ? `delete ${name}\0${old}\0` : `update ${name}\0${to}\0${old}\0`;
    })
    .join("");
}

/** The refs of a repository below a prefix such as `refs/snapshots/`. */
export async function listRefs(git: Git, gitDirectory: string, prefix: string): Promise<Ref[]> {
  const text = await git.text({ gitDirectory }, ["for-each-ref", "--format=%(objectname) %(refname)", prefix]);
  return text.split("\n").flatMap((line) => {
    const at = line.indexOf(" ");
    return at < 0 ? [] : [{ oid: line.slice(0, at), name: line.slice(at + 1) }];
  });
}

/** The text of a `packed-refs` file with these refs. Git wants it sorted by the bytes of the names. */
export function formatPackedRefs(refs: readonly Ref[]): string {
  const sorted = [...refs].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const lines = sorted.map(({ oid, name, peeledOid }) =>
    peeledOid === undefined ? `${oid} ${name}\n` : `${oid} ${name}\n^${peeledOid}\n`,
  );
  return `# pack-refs with: peeled fully-peeled sorted \n${lines.join("")}`;
}

/** One ref to move by compare-and-swap, with the words for its log. */
export interface RefMove {
  /** `HEAD` means HEAD itself, never the branch it stands for. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly message: string;
}

/** Moves one ref of the user's. Returns whether it moved: it does not where it stands elsewhere. */
export async function moveRef(git: Git, gitDirectory: string, { name, from, to, message }: RefMove): Promise<boolean> {
  const end = await git.run({ gitDirectory }, ["update-ref", "-m", message, "--no-deref", name, to, from], {
    allow: [1, 128],
  });
  if (end.status === 0) return true;
  if (/but expected|unable to resolve reference/.test(end.stderr)) return false;
  throw new AnabranchError("GIT_FAILED", {
    message: `${name} cannot be moved: ${end.stderr.trim()}`,
    hint: `git -C ${gitDirectory} update-ref ${name} ${to} says why`,
    data: { ref: name, words: end.stderr },
  });
}

/** Whether one commit is another, or comes before it. */
export async function isAncestor(git: Git, gitDirectory: string, one: string, other: string): Promise<boolean> {
  if (one === other) return true;
  const end = await git.run({ gitDirectory }, ["merge-base", "--is-ancestor", one, other], { allow: [1, 128] });
  return end.status === 0;
}
