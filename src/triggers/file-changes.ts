import type { FileChange } from "../engine/trigger.ts";
import type { OwnChange } from "../store/own-changes.ts";
import { CommittedFiles } from "./committed-files.ts";
import type { FileLook } from "./file-look.ts";
import { NOTHING } from "./file-state.ts";
import type { KnownDraft, KnownFiles } from "./known-files.ts";
import type { OpenFiles } from "./open-files.ts";
import { NEVER_WATCHED } from "./watcher/wire.ts";

/** A file that is not as it was. */
export interface ChangedFile {
  readonly path: string;
  readonly change: FileChange;
  readonly look: FileLook;
  /** Whether it has become what the new commit says, where HEAD has moved. */
  readonly isCheckedOut: boolean;
}

/** What was found, and what is known once it has been told. */
export interface FoundChanges {
  readonly files: readonly ChangedFile[];
  readonly draft: KnownDraft;
  readonly hasMoved: boolean;
}

/** Whether a path is never looked at, whatever git says of it. */
function isNeverWatched(path: string, ownFolders: readonly string[]): boolean {
  return (
    path.split("/").some((name) => NEVER_WATCHED.has(name)) ||
    // What an acceptance copies from another disk stands beside its place for a moment.
    /(^|\/)\.[0-9a-f]{16}\.[0-9a-z]+\.tmp$/.test(path) ||
    ownFolders.some((folder) => path === folder || path.startsWith(`${folder}/`))
  );
}

/**
 * Compares files with what is known of them.
 * @param paths where something may have happened; one that ends with `/` was a folder
 */
export async function findChanges(
  open: OpenFiles,
  known: KnownFiles,
  paths: readonly string[],
  own: readonly OwnChange[],
): Promise<FoundChanges> {
  const head = await open.head();
  const hasMoved = head !== known.head;
  const moved = hasMoved ? await open.compare(known.head, head) : [];
  const draft = known.draft(head, moved);
  const committed = new CommittedFiles(open.objects, head);
  const candidates = await expand(open, known, committed, [...paths, ...moved.map(({ path }) => path)]);
  const marked = new Set(own.map(({ name }) => name));
  const looks = await open.looker.lookAll(candidates, marked);
  const files: (ChangedFile & { readonly inCommit: string })[] = [];
  for (const path of candidates) {
    const look = looks.get(path) ?? { state: NOTHING };
    const [before, inCommit] = await Promise.all([draft.stateOf(path, committed), committed.stateOf(path)]);
    if (before === look.state || before === look.stored) continue;
    const isCheckedOut = hasMoved && [look.state, look.stored].includes(inCommit);
    files.push({ path, change: changeBetween(before, look.state), look, isCheckedOut, inCommit });
  }
  const ignored = await open.rules.ignored(files.filter(isNew).map(({ path }) => path));
  const leftOut = hasMoved ? await open.leftOut(files.filter(isGone).map(({ path }) => path)) : new Set<string>();
  const told = files.filter(({ path }) => !ignored.has(path) && !leftOut.has(path));
  for (const { path, look, inCommit } of told) draft.set(path, look.state, inCommit);
  // They are as the commit says, as far as this working tree goes.
  for (const path of [...ignored, ...leftOut]) draft.edits.set(path, undefined);
  return { files: told, draft, hasMoved };
}

function isNew({ look, inCommit }: { look: FileLook; inCommit: string }): boolean {
  return inCommit === NOTHING && look.state !== NOTHING;
}

function isGone({ look }: { look: FileLook }): boolean {
  return look.state === NOTHING;
}

function changeBetween(before: string, now: string): FileChange {
  if (before === NOTHING) return "created";
  return now === NOTHING ? "deleted" : "changed";
}

/** With the files that were below folders which are told to have gone, each once and in order. */
async function expand(
  open: OpenFiles,
  known: KnownFiles,
  committed: CommittedFiles,
  paths: readonly string[],
): Promise<string[]> {
  const folders = new Set(paths.filter((path) => path.endsWith("/")).map((path) => path.slice(0, -1)));
  const all = new Set(paths.map((path) => (path.endsWith("/") ? path.slice(0, -1) : path)));
  for (const folder of folders) for (const path of await committed.below(folder)) all.add(path);
  for (const path of known.differentBelow(folders)) all.add(path);
  return [...all].filter((path) => !isNeverWatched(path, open.ownFolders)).sort();
}
