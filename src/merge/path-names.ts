import { isPresent, type PathChange } from "./change.ts";

/** The folder that a path stands in; empty at the root. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** All folders above a path, the nearest first, without the root. */
export function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let folder = folderOf(path); folder !== ""; folder = folderOf(folder)) folders.push(folder);
  return folders;
}

/**
 * Finds paths of two sets of changes that cannot stand side by side: a file where the other has a folder, or names that
 * some file systems take for one, because they differ in case or in how letters are composed.
 */
export function findClashes(ours: readonly PathChange[], theirs: readonly PathChange[]): string[] {
  const [oursNames, theirsNames] = [readNames(ours), readNames(theirs)];
  return [
    ...oursNames.files.filter((path) => theirsNames.folders.has(path)),
    ...theirsNames.files.filter((path) => oursNames.folders.has(path)),
    ...findFoldedClashes(oursNames, theirsNames),
    ...findFoldedClashes(theirsNames, oursNames),
  ];
}

interface Names {
  readonly files: readonly string[];
  readonly added: readonly string[];
  readonly folders: ReadonlySet<string>;
}

function readNames(changes: readonly PathChange[]): Names {
  const present = changes.filter(isPresent);
  const folders = new Set<string>();
  for (const { path } of present) {
    for (let folder = folderOf(path); folder !== "" && !folders.has(folder); folder = folderOf(folder)) {
      folders.add(folder);
    }
  }
  return {
    files: present.map(({ path }) => path),
    added: present.filter(({ kind }) => kind === "added").map(({ path }) => path),
    folders,
  };
}

// What a side only modified was there before, and is the business of whoever put it there.
function findFoldedClashes(adding: Names, other: Names): string[] {
  if (adding.added.length === 0) return [];
  const taken = new Set([...other.folders, ...other.files]);
  const folded = new Set([...taken].map(fold));
  const seen = new Set<string>();
  const clashes: string[] = [];
  for (const path of adding.added) {
    for (let name = path; name !== "" && !seen.has(name); name = folderOf(name)) {
      seen.add(name);
      if (!taken.has(name) && folded.has(fold(name))) clashes.push(path);
    }
  }
  return clashes;
}

function fold(name: string): string {
  return (isPlain(name) ? name : name.normalize("NFD").toUpperCase()).toLowerCase();
}

function isPlain(name: string): boolean {
  return /^[\0-\x7f]*$/.test(name);
}
