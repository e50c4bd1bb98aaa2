import { existsSync, statSync } from "node:fs";
import { join, relative } from "node:path";

import type { Change } from "../git/changes.ts";
import type { Git, GitPlace } from "../git/git.ts";
import { readIndexEntries } from "../git/index-entries.ts";
import { openObjectStore, type ObjectStore } from "../git/objects.ts";
import { findRepository, readLocalConfig, type Repository } from "../git/repository.ts";
import type { Conversation } from "../process/conversation.ts";
import { FileLooker } from "./file-look.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import type { KnownPlace } from "./known-files.ts";
import { surveyFiles } from "./survey.ts";

const EMPTY_TREE = {
  sha1: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  sha256: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
};

/** One working tree, with all that is needed to look at its files. */
export class OpenFiles {
  readonly repository: Repository;
  readonly objects: ObjectStore;
  readonly looker: FileLooker;
  readonly rules: IgnoreRules;
  readonly place: KnownPlace;
  /** Folders of Anabranch's own that lie in it, as paths in it. */
  readonly ownFolders: readonly string[];
  readonly #git: Git;
  readonly #tree: GitPlace;
  readonly #config: Readonly<Record<string, string>>;
  readonly #heads: Conversation;

  private constructor(
    git: Git,
    repository: Repository,
    config: Readonly<Record<string, string>>,
    ownFolders: readonly string[],
  ) {
    const { root, gitDirectory, objectFormat } = repository;
    this.#git = git;
    this.repository = repository;
    this.#config = config;
    this.#tree = { gitDirectory, workTree: root };
    this.objects = openObjectStore(git, gitDirectory);
    this.#heads = git.converse({ gitDirectory }, ["cat-file", "--batch-check"]);
    this.looker = new FileLooker(root, objectFormat);
    this.rules = new IgnoreRules(git, this.#tree);
    this.place = { root, identity: identityOf(gitDirectory) };
    this.ownFolders = ownFolders
      .map((folder) => relative(root, folder))
      .filter((path) => !/^(\.\.(\/|$)|$)/.test(path));
  }

  /** @throws {AnabranchError} `NOT_A_REPOSITORY` and others where there is none */
  static async open(git: Git, root: string, ownFolders: readonly string[]): Promise<OpenFiles> {
    const repository = await findRepository(git, root);
    const local = await readLocalConfig(git, repository);
    const filters = local.flatMap(([key]): [string, string][] => {
      if (/^filter\..*\.(clean|smudge|process)$/.test(key)) return [[key, ""]];
      return /^filter\..*\.required$/.test(key) ? [[key, "false"]] : [];
    });
    return new OpenFiles(git, repository, Object.fromEntries(filters), ownFolders);
  }

  /** Whether the same repository still stands there. */
  get isThere(): boolean {
    return existsSync(this.repository.root) && identityOf(this.repository.gitDirectory) === this.place.identity;
  }

  /** Whether some git command is changing the working tree. */
  get isBusy(): boolean {
    return existsSync(join(this.repository.gitDirectory, "index.lock"));
  }

  /** The commit that HEAD stands at. */
  async head(): Promise<string | undefined> {
    const [line = ""] = await this.#heads.ask("HEAD\n", 1);
    return /^([0-9a-f]+) commit /.exec(line)?.[1];
  }

  /** How one commit differs from another; `undefined` stands for the one before the first. */
  async compare(from: string | undefined, to: string | undefined): Promise<readonly Change[]> {
    const empty = EMPTY_TREE[this.repository.objectFormat];
    return this.objects.compare(from ?? empty, to ?? empty);
  }

  /** All paths that may not be as in a commit. */
  survey(commit: string | undefined): Promise<string[]> {
    return surveyFiles(this.#git, this.#tree, commit, this.#config);
  }

  /** Those of some paths that a sparse checkout leaves out. */
  async leftOut(paths: readonly string[]): Promise<Set<string>> {
    if (paths.length === 0 || !existsSync(join(this.repository.gitDirectory, "info/sparse-checkout"))) return new Set();
    const entries = await readIndexEntries(this.#git, this.#tree, new Set(paths));
    return new Set(paths.filter((path) => entries.get(path)?.leftOut === true));
  }

  async close(): Promise<void> {
    await Promise.all([this.objects.close(), this.#heads.close()]);
  }
}

/** Names a folder since it was made: one that is made again is another. */
export function identityOf(folder: string): string {
  const stat = statSync(folder, { throwIfNoEntry: false });
  return stat === undefined ? "none" : `${stat.dev}:${stat.ino}:${stat.birthtimeMs}`;
}
