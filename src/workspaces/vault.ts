import { existsSync } from "node:fs";
import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

import { newId, systemRandom } from "../base/ids.ts";
import { openCommitWriter, type CommitWriter } from "../git/commits.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { openObjectStore, type ObjectStore } from "../git/objects.ts";
import { openRefWriter, type RefWriter } from "../git/refs.ts";
import { formatConfig, type Repository } from "../git/repository.ts";

/** Anabranch's own bare repository for one repository of the user's. */
export interface Vault {
  readonly repositoryId: string;
  readonly directory: string;
  /** For git commands that only need its objects and refs. */
  readonly place: GitPlace;
  readonly objects: ObjectStore;
  readonly commits: CommitWriter;
  readonly refs: RefWriter;
  close(): Promise<void>;
}

/** Opens a vault that has been prepared. Nothing is started until something is written. */
export function openVault(git: Git, repositoryId: string, directory: string): Vault {
  const objects = openObjectStore(git, directory);
  const commits = openCommitWriter(objects);
  const refs = openRefWriter(git, directory);
  return {
    repositoryId,
    directory,
    place: { gitDirectory: directory },
    objects,
    commits,
    refs: {
      async update(updates) {
        // No ref may stand at what is not on the disk.
        await objects.flush();
        await refs.update(updates);
      },
      close: () => refs.close(),
    },
    async close() {
      await Promise.all([objects.close(), refs.close()]);
    },
  };
}

/** The user's local settings that decide how files become blobs and back; the vault needs the same. */
const CONTENT_SETTINGS =
  /^(core\.(autocrlf|eol|safecrlf|filemode|ignorecase|precomposeunicode|symlinks|attributesfile|excludesfile|checkroundtripencoding|bigfilethreshold)|remote\..*\.(url|fetch|promisor|partialclonefilter)|lfs\..*)$/;

/** Those of the user's local settings that a workspace gets, besides the ones above. */
const WORKSPACE_SETTINGS =
  /^(user\..*|author\..*|committer\..*|core\.(abbrev|whitespace|commentchar|longpaths)|branch\..*|remote\..*\.tagopt|diff\.(algorithm|renames|renamelimit|mnemonicprefix)|merge\.(conflictstyle|renames|renamelimit)|submodule\..*\.(url|active)|i18n\..*)$/;

/** Where a workspace's pushes would go: nowhere, with a name that says why. */
const PUSH_DISABLED = "anabranch-workspaces-do-not-push";

type ConfigEntry = readonly [key: string, value: string];

/** The configuration of a vault. */
function vaultConfig(repository: Repository, local: readonly ConfigEntry[]): string {
  return formatConfig([...formatEntries(repository, local, true), ...contentEntries(local)]);
}

/** The configuration of a workspace's private repository. */
export function workspaceConfig(repository: Repository, local: readonly ConfigEntry[], sparse: boolean): string {
  const remotes = new Set(local.flatMap(([key]) => /^remote\.(.*)\.url$/.exec(key)?.[1] ?? []));
  return formatConfig([
    ...formatEntries(repository, local, false),
    ["core.logallrefupdates", "true"],
    ...(sparse ? ([["core.sparsecheckout", "true"]] as const) : []),
    ["gc.auto", "0"],
    ...contentEntries(local),
    ...local.filter(([key]) => WORKSPACE_SETTINGS.test(key)),
    ...[...remotes].map((remote) => [`remote.${remote}.pushurl`, PUSH_DISABLED] as const),
  ]);
}

function formatEntries(repository: Repository, local: readonly ConfigEntry[], bare: boolean): ConfigEntry[] {
  const extensions: ConfigEntry[] = local.filter(([key]) => key === "extensions.partialclone");
  if (repository.objectFormat !== "sha1") extensions.push(["extensions.objectformat", repository.objectFormat]);
  return [
    ["core.repositoryformatversion", extensions.length > 0 ? "1" : "0"],
    ["core.bare", String(bare)],
    ...extensions,
  ];
}

function contentEntries(local: readonly ConfigEntry[]): ConfigEntry[] {
  const entries = local.filter(([key]) => CONTENT_SETTINGS.test(key));
  // Git LFS may be switched on for this repository only; its commands are known, so they need not be taken from there.
  const usesLfs = local.some(([key]) => key.startsWith("filter.lfs."));
  return usesLfs ? [...entries, ...LFS_ENTRIES] : entries;
}

const LFS_ENTRIES: readonly ConfigEntry[] = [
  ["filter.lfs.clean", "git-lfs clean -- %f"],
  ["filter.lfs.smudge", "git-lfs smudge -- %f"],
  ["filter.lfs.process", "git-lfs filter-process"],
  ["filter.lfs.required", "true"],
];

/**
 * Makes the vault, or brings its settings in line with the user's repository. Files are replaced only where they
 * differ, each by rename, so that git processes at work in it see the old or the new one.
 *
 * @param own where Anabranch keeps its things: where that is inside the user's tree, it is no part of it
 */
export async function prepareVault(
  directory: string,
  repository: Repository,
  local: readonly ConfigEntry[],
  own?: string,
): Promise<void> {
  if (!existsSync(join(directory, "HEAD"))) {
    for (const folder of ["objects/info", "objects/pack", "refs", "info"]) {
      await mkdir(join(directory, folder), { recursive: true, mode: 0o700 });
    }
    await replaceFile(join(directory, "HEAD"), "ref: refs/heads/none\n");
  }
  await replaceFile(join(directory, "config"), vaultConfig(repository, local));
  await replaceFile(join(directory, "objects/info/alternates"), alternatesFile([repository.objectsDirectory]));
  const excluded = await readText(join(repository.commonDirectory, "info/exclude"));
  await replaceFile(join(directory, "info/exclude"), `${excluded}\n${excludeOwn(repository.root, own)}`);
  await mirrorFile(join(repository.commonDirectory, "info/attributes"), join(directory, "info/attributes"));
  await writeShallow(directory, await readText(join(repository.commonDirectory, "shallow")));
}

/**
 * Remembers commits whose parents the vault does not have, from a shallow repository inside a workspace; without
 * that, git would take the vault for damaged.
 */
export async function rememberShallow(directory: string, oids: readonly string[]): Promise<void> {
  if (oids.length === 0) return;
  const own = new Set([...(await readText(join(directory, OWN_SHALLOW))).split("\n"), ...oids].filter(Boolean));
  await replaceFile(join(directory, OWN_SHALLOW), [...own].map((oid) => `${oid}\n`).join(""));
  await writeShallow(directory, await readText(join(directory, "shallow")));
}

const OWN_SHALLOW = "shallow-of-nested";

function excludeOwn(root: string, own: string | undefined): string {
  const path = own === undefined ? "" : relative(root, own);
  if (path === "" || path === ".." || path.startsWith("../")) return "";
  return `/${path.replace(/[\\*?[ ]/g, "\\$&")}/\n`;
}

async function writeShallow(directory: string, borrowed: string): Promise<void> {
  const all = new Set(`${borrowed}\n${await readText(join(directory, OWN_SHALLOW))}`.split("\n").filter(Boolean));
  if (all.size === 0) await rm(join(directory, "shallow"), { force: true });
  else await replaceFile(join(directory, "shallow"), [...all].map((oid) => `${oid}\n`).join(""));
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

/** The text of an `objects/info/alternates` file. Git reads an entry that starts with a quote like a C string. */
export function alternatesFile(directories: readonly string[]): string {
  return directories.map((path) => (/^[#"]|\n/.test(path) ? `${JSON.stringify(path)}\n` : `${path}\n`)).join("");
}

async function mirrorFile(from: string, to: string): Promise<void> {
  const content = await readFile(from).catch(() => undefined);
  if (content === undefined) await rm(to, { force: true });
  else await replaceFile(to, content);
}

/** Writes a file by rename, unless it has this content already. */
export async function replaceFile(path: string, content: string | Buffer): Promise<void> {
  const before = await readFile(path).catch(() => undefined);
  if (before?.equals(Buffer.from(content)) === true) return;
  await access(dirname(path)).catch(() => mkdir(dirname(path), { recursive: true }));
  const temporary = `${path}.${newId(systemRandom)}.tmp`;
  await writeFile(temporary, content, { mode: 0o600 });
  await rename(temporary, path);
}
