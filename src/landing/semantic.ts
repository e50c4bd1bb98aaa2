import { Recent } from "../base/recent.ts";
import type { Git } from "../git/git.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import type { PathChange } from "../merge/change.ts";
import { languageOf } from "../merge/language.ts";
import { changedWords } from "../merge/symbols/changed-words.ts";
import type { FileState, FileVersions, VersionName } from "../merge/symbols/file-versions.ts";
import { isSettings } from "../merge/symbols/meetings/settings.ts";
import { parseSymbols } from "../merge/symbols/read-symbols.ts";
import type { SemanticHit } from "../merge/symbols/semantic-hit.ts";
import { changedValues, findSemanticHits, pathsToLookUp } from "../merge/symbols/semantic-hits.ts";
import type { SymbolTable } from "../merge/symbols/symbol-table.ts";
import type { Vault } from "../workspaces/vault.ts";
import { grammars } from "./file-merge.ts";
import type { Joined } from "./losses.ts";

/** What is larger is not looked into. */
const LARGEST_TEXT_BYTES = 1_000_000;
/** Of each side. What has changed more than that is for verification to judge. */
const MOST_FILES = 500;
const MOST_LOOKUPS = 5000;
const MOST_BETWEEN = 20;
const MOST_WORDS = 50;

// By the id of a content, so that each is read once for all landings; weighed by its length.
const tables = new Recent<SymbolTable | "none">({ entries: 5000, weight: 32_000_000 });
const words = new Recent<ReadonlySet<string>>({ entries: 20_000, weight: 2_000_000 });

/**
 * Finds where a merge of trees puts together what does not fit: what one side defines otherwise and the other side uses
 * anew. It looks at every merge, also where no path was changed by both.
 *
 * @param joined commits or trees in the vault
 */
export async function findSemanticHitsIn(git: Git, vault: Vault, joined: Joined): Promise<SemanticHit[]> {
  const [own, other] = await Promise.all(
    [joined.ours, joined.theirs].map((side) => changesOf(vault, joined.base, side)),
  );
  if (own === undefined || other === undefined || own.length === 0 || other.length === 0) return [];
  const [ours, theirs] = await thatMeet(vault, own, other);
  if (ours.length === 0 || theirs.length === 0) return [];
  const changed = await readVersions(vault, joined, ours, theirs);
  const files = [...changed, ...(await readBetween(git, vault, joined.result, changed))];
  const merged = new TreeEditor(vault.objects, joined.result);
  const elsewhere = new Set<string>();
  for (const path of pathsToLookUp({ files }).slice(0, MOST_LOOKUPS)) if (await merged.has(path)) elsewhere.add(path);
  return findSemanticHits({ files, elsewhere });
}

async function changesOf(vault: Vault, base: string, side: string): Promise<PathChange[]> {
  const changes = await vault.objects.compare(base, side);
  return changes
    .filter(({ path, oldMode, newMode }) => isFile(oldMode) && isFile(newMode) && isTelling(path))
    .slice(0, MOST_FILES);
}

function isFile(mode: string): boolean {
  return mode.startsWith("100") || /^0*$/.test(mode);
}

/** Whether a file can say anything about names: source, settings, manifests, what has a number. */
function isTelling(path: string): boolean {
  return languageOf(path) !== undefined || isSettings(path) || isManifest(path) || isNumbered(path);
}

function isManifest(path: string): boolean {
  return /(^|\/)package\.json$/.test(path);
}

function isNumbered(path: string): boolean {
  return /(^|\/)[A-Za-z]{0,4}[-_]?\d+[-_.][^/]*$/.test(path);
}

/** Those changes of each side that share a word with a change of the other. */
async function thatMeet(
  vault: Vault,
  ours: readonly PathChange[],
  theirs: readonly PathChange[],
): Promise<[PathChange[], PathChange[]]> {
  const theirWords = new Set<string>();
  const wordsIn = new Map<PathChange, ReadonlySet<string> | undefined>();
  for (const change of [...ours, ...theirs]) wordsIn.set(change, await wordsOf(vault, change));
  for (const change of theirs) for (const word of wordsIn.get(change) ?? []) theirWords.add(word);
  const isUnknown = theirs.some((change) => wordsIn.get(change) === undefined);
  const meeting = ours.filter((change) => isUnknown || meets(wordsIn.get(change), theirWords));
  const ourWords = new Set(meeting.flatMap((change) => [...(wordsIn.get(change) ?? [])]));
  const isOpen = meeting.some((change) => wordsIn.get(change) === undefined);
  return [meeting, theirs.filter((change) => isOpen || meets(wordsIn.get(change), ourWords))];
}

function meets(some: ReadonlySet<string> | undefined, others: ReadonlySet<string>): boolean {
  if (some === undefined) return true;
  for (const word of some) if (others.has(word)) return true;
  return false;
}

/** @returns nothing where it cannot be told */
async function wordsOf(vault: Vault, change: PathChange): Promise<ReadonlySet<string> | undefined> {
  const key = `${change.path} ${change.oldOid} ${change.newOid}`;
  const known = words.get(key);
  if (known !== undefined) return known;
  const before = change.kind === "added" ? "" : await textOf(vault, change.oldOid);
  const after = change.kind === "deleted" ? "" : await textOf(vault, change.newOid);
  const found = before === undefined || after === undefined ? undefined : changedWords(before, after);
  if (found === undefined) return undefined;
  // Others name a file by its name; what is numbered meets all that is numbered.
  for (const word of change.path
    .replace(/\.\w+$/, "")
    .split(/\W+/)
    .slice(-2))
    if (word !== "") found.add(word);
  if (change.kind === "added" && isNumbered(change.path)) found.add("#number");
  words.set(key, found, found.size);
  return found;
}

/** The text of a blob; nothing where it is none, or too large. */
async function textOf({ objects }: Vault, oid: string): Promise<string | undefined> {
  const size = await objects.sizeOf(oid);
  if (size === undefined || size > LARGEST_TEXT_BYTES) return undefined;
  const text = (await objects.readBlob(oid)).toString("utf8");
  return text.includes("\0") ? undefined : text.replaceAll("\r\n", "\n");
}

async function readVersions(
  vault: Vault,
  { base, result }: Joined,
  ours: readonly PathChange[],
  theirs: readonly PathChange[],
): Promise<FileVersions[]> {
  const [own, other] = [ours, theirs].map((side) => new Map(side.map((change) => [change.path, change])));
  const merged = new Map((await vault.objects.compare(base, result)).map((change) => [change.path, change]));
  const files: FileVersions[] = [];
  for (const path of new Set([...ours, ...theirs].map((change) => change.path))) {
    const [mine, yours] = [own?.get(path), other?.get(path)];
    const before = mine ?? yours;
    if (before === undefined) continue;
    const base = before.kind === "added" ? undefined : before.oldOid;
    const after = (change: PathChange | undefined): string | undefined =>
      change === undefined ? base : change.kind === "deleted" ? undefined : change.newOid;
    const oids: Record<VersionName, string | undefined> = {
      base,
      ours: after(mine),
      theirs: after(yours),
      merged: after(merged.get(path)),
    };
    const states = await Promise.all(
      Object.entries(oids).map(
        async ([name, oid]) => [name, oid === undefined ? undefined : await stateOf(vault, path, oid)] as const,
      ),
    );
    files.push({ path, ...Object.fromEntries(states) });
  }
  return files;
}

/** Unchanged files that name values which both sides changed: one of each. */
async function readBetween(
  git: Git,
  vault: Vault,
  tree: string,
  changed: readonly FileVersions[],
): Promise<FileVersions[]> {
  const { ours, theirs } = changedValues({ files: changed });
  if (ours.length === 0 || theirs.length === 0) return [];
  const known = new Set(changed.map(({ path }) => path));
  const [own, other] = await Promise.all([ours, theirs].map((names) => pathsWith(git, vault, tree, names)));
  const paths = [...(own ?? [])].filter(
    (path) => other?.has(path) === true && !known.has(path) && languageOf(path) !== undefined,
  );
  const entries = new TreeEditor(vault.objects, tree);
  const files: FileVersions[] = [];
  for (const path of paths.slice(0, MOST_BETWEEN)) {
    const entry = await entries.entryAt(path);
    if (entry === undefined) continue;
    const state = await stateOf(vault, path, entry.oid);
    files.push({ path, base: state, ours: state, theirs: state, merged: state });
  }
  return files;
}

/** The files of a tree in which one of some words stands. */
async function pathsWith(git: Git, vault: Vault, tree: string, words: readonly string[]): Promise<Set<string>> {
  const wanted = words
    .filter((word) => /^[\w$]{2,}$/.test(word))
    .slice(0, MOST_WORDS)
    .flatMap((word) => ["-e", word]);
  if (wanted.length === 0) return new Set();
  const args = ["grep", "-l", "-z", "-w", "-F", "-I", ...wanted, tree];
  const { stdout } = await git.run(vault.place, args, { allow: [1] });
  // Each path comes behind the name of the tree.
  return new Set(
    stdout
      .toString("utf8")
      .split("\0")
      .map((line) => line.slice(tree.length + 1)),
  );
}

async function stateOf(vault: Vault, path: string, oid: string): Promise<FileState> {
  if (isManifest(path) || isSettings(path)) return { oid, text: await textOf(vault, oid) };
  const language = languageOf(path);
  if (language === undefined) return { oid };
  const key = `${language} ${oid}`;
  const known = tables.get(key);
  if (known !== undefined) return { oid, table: known === "none" ? undefined : known };
  const text = await textOf(vault, oid);
  await grammars.load(language).catch(() => undefined);
  const table = text === undefined ? undefined : parseSymbols(grammars, language, text);
  tables.set(key, table ?? "none", text?.length ?? 1);
  return { oid, table };
}
