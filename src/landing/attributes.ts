import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { Recent } from "../base/recent.ts";
import type { Git } from "../git/git.ts";
import { decodePath, encodePath } from "../git/path-bytes.ts";
import type { MergePolicy } from "../merge/text.ts";
import type { Vault } from "../workspaces/vault.ts";
import { withScratch } from "./scratch.ts";

/** How a path is to be merged by the attributes of a tree. */
export interface PathPolicy {
  readonly policy: MergePolicy;
  /** A merge driver that the attributes name and that is not run. */
  readonly driver?: string | undefined;
}

const AS_TEXT: PathPolicy = { policy: "text" };
const AS_LINES: PathPolicy = { policy: "lines" };
const AS_BINARY: PathPolicy = { policy: "binary" };
const AS_UNION: PathPolicy = { policy: "union" };
/** Attributes that say nothing of merging need not be asked. */
const SAYS_SOMETHING = /merge|binary|generated|\[attr\]/;
/** By these a path is what a program has made: parts of it mean nothing by themselves. */
const GENERATED = ["linguist-generated", "generated"];
/** Git itself reads no larger file of attributes. */
const LARGEST_BYTES = 100 * 1024 * 1024;

interface AttributeFile {
  readonly path: string;
  readonly mode: string;
  readonly oid: string;
}

const known = new Recent<PathPolicy>({ entries: 50_000, weight: Number.POSITIVE_INFINITY });
const silent = new Recent<boolean>({ entries: 10_000, weight: Number.POSITIVE_INFINITY });

/**
 * Says how each path is to be merged, by the `.gitattributes` of a tree and the repository's own `info/attributes`.
 * Only where these speak of merging is git asked, and never runs what they name.
 */
export async function readPolicies(
  git: Git,
  vault: Vault,
  tree: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, PathPolicy>> {
  const files = await findAttributeFiles(vault, tree, paths);
  const own = await readFile(join(vault.directory, "info/attributes"), "utf8").catch(() => "");
  const isSilent = await Promise.all(files.map((file) => saysNothing(vault, file)));
  if (!SAYS_SOMETHING.test(own) && isSilent.every(Boolean)) return new Map(paths.map((path) => [path, AS_TEXT]));
  const digest = createHash("sha256")
    .update(JSON.stringify([vault.directory, own, files]))
    .digest("hex");
  const keyOf = (path: string): string => `${digest} ${path}`;
  const unknown = paths.filter((path) => known.get(keyOf(path)) === undefined);
  const asked = unknown.length === 0 ? [] : await askGit(git, vault, files, unknown);
  for (const [path, policy] of asked) known.set(keyOf(path), policy);
  const answers = new Map(asked);
  return new Map(paths.map((path) => [path, answers.get(path) ?? known.get(keyOf(path)) ?? AS_BINARY]));
}

/** The `.gitattributes` of the folders above these paths, from the root down. */
async function findAttributeFiles(
  { objects }: Vault,
  tree: string,
  paths: readonly string[],
): Promise<AttributeFile[]> {
  const found: AttributeFile[] = [];
  const seen = new Set<string>();
  const visit = async (oid: string, folder: string, below: readonly (readonly string[])[]): Promise<void> => {
    if (seen.has(folder)) return;
    seen.add(folder);
    const entries = new Map((await objects.readTree(oid)).map((entry) => [entry.name, entry]));
    const file = entries.get(".gitattributes");
    // Git follows no link here.
    if (file?.mode.startsWith("100") === true)
      found.push({ path: `${folder}.gitattributes`, mode: file.mode, oid: file.oid });
    const deeper = new Map<string, (readonly string[])[]>();
    for (const [name = "", ...rest] of below) {
      if (rest.length > 0) deeper.set(name, [...(deeper.get(name) ?? []), rest]);
    }
    for (const [name, rest] of deeper) {
      const entry = entries.get(name);
      if (entry?.type === "tree") await visit(entry.oid, `${folder}${name}/`, rest);
    }
  };
  await visit(
    tree,
    "",
    paths.map((path) => encodePath(path).split("/")),
  );
  return found;
}

async function saysNothing({ objects }: Vault, { oid }: AttributeFile): Promise<boolean> {
  const before = silent.get(oid);
  if (before !== undefined) return before;
  const sizeBytes = (await objects.sizeOf(oid)) ?? 0;
  const isSilent = sizeBytes > LARGEST_BYTES || !SAYS_SOMETHING.test((await objects.readBlob(oid)).toString("latin1"));
  silent.set(oid, isSilent);
  return isSilent;
}

/** Asks git, which sees an index that holds the files of attributes and nothing else. */
async function askGit(
  git: Git,
  vault: Vault,
  files: readonly AttributeFile[],
  paths: readonly string[],
): Promise<[string, PathPolicy][]> {
  await vault.objects.flush();
  return withScratch(vault, async (folder) => {
    const place = { gitDirectory: vault.directory, indexFile: join(folder, "index"), isSealed: true };
    const index = files.map(({ path, mode, oid }) => `${mode} ${oid}\t${path}\0`).join("");
    await git.run(place, ["update-index", "-z", "--index-info"], { input: Buffer.from(index, "latin1") });
    const input = Buffer.from(paths.map((path) => `${encodePath(path)}\0`).join(""), "latin1");
    const names = ["merge", ...GENERATED];
    const { stdout } = await git.run(place, ["check-attr", "--cached", "-z", "--stdin", ...names], { input });
    // For each path and attribute: path, attribute, value.
    const records = stdout.toString("latin1").split("\0").slice(0, -1);
    return paths.map((_, at) => {
      const first = 3 * names.length * at;
      const [merge = "", ...generated] = names.map((__, attribute) => records[first + 3 * attribute + 2] ?? "");
      return [decodePath(records[first] ?? ""), policyOf(merge, generated.some(isTrue))];
    });
  });
}

/** What `anabranch setup git` calls this very engine. */
const OWN_DRIVER = "anabranch";

function isTrue(value: string): boolean {
  return value === "set" || value === "true";
}

function policyOf(value: string, isGenerated: boolean): PathPolicy {
  if (["unspecified", "set", "text", OWN_DRIVER].includes(value)) return isGenerated ? AS_LINES : AS_TEXT;
  if (value === "unset" || value === "binary") return AS_BINARY;
  return value === "union" ? AS_UNION : { policy: "binary", driver: decodePath(value) };
}
