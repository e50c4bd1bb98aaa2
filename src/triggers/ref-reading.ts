import type { Git } from "../git/git.ts";
import type { ObjectStore } from "../git/objects.ts";

/** What is told of the commit a ref stands at. */
export interface TipWords {
  /** As `Name <address>`. */
  readonly author: string;
  readonly subject: string;
}

const NAMES = ["refs/heads/", "refs/tags/"];
const TOLD_PATHS = 1000;

/** The branches and tags of a repository, and what they stand at. */
export async function readRefs(git: Git, gitDirectory: string): Promise<Map<string, string>> {
  const text = await git.text({ gitDirectory }, ["for-each-ref", "--format=%(objectname) %(refname)", ...NAMES]);
  const refs = new Map<string, string>();
  for (const line of text.split("\n")) {
    const at = line.indexOf(" ");
    if (at > 0) refs.set(line.slice(at + 1), line.slice(0, at));
  }
  return refs;
}

/** Who made some commits, and how they are called, by their ids; of what is no commit nothing is told. */
export async function readTips(
  git: Git,
  gitDirectory: string,
  oids: readonly string[],
): Promise<Map<string, TipWords>> {
  const found = new Map<string, TipWords>();
  if (oids.length === 0) return found;
  const names = [...new Set(oids)].map((oid) => `${oid}^{commit}`);
  const commits = await commitsOf(git, gitDirectory, names);
  const records = await git.records(
    { gitDirectory },
    ["log", "--no-walk=unsorted", "--stdin", "-z", "--no-show-signature", "--format=%H%n%an <%ae>%n%s"],
    { input: [...new Set(commits.values())].map((oid) => `${oid}\n`).join("") },
  );
  const words = new Map(
    records.map((record) => {
      const [oid = "", author = "", subject = ""] = record.split("\n");
      return [oid, { author, subject }];
    }),
  );
  for (const oid of oids) {
    const tip = words.get(commits.get(`${oid}^{commit}`) ?? "");
    if (tip !== undefined) found.set(oid, tip);
  }
  return found;
}

/** The paths that a move changes, the first ones of many; of a new ref, those that its last commit changes. */
export async function readMovedPaths(
  git: Git,
  gitDirectory: string,
  objects: ObjectStore,
  from: string | undefined,
  to: string,
): Promise<string[]> {
  if (from !== undefined) {
    const changes = await objects.compare(from, to).catch(() => undefined);
    if (changes !== undefined) return changes.slice(0, TOLD_PATHS).map(({ path }) => path);
  }
  const end = await git.run(
    { gitDirectory },
    ["diff-tree", "--root", "-r", "-z", "--name-only", "--no-commit-id", "--no-renames", `${to}^{commit}`],
    { allow: [128] },
  );
  return end.stdout.toString("utf8").split("\0").slice(0, -1).slice(0, TOLD_PATHS);
}

async function commitsOf(git: Git, gitDirectory: string, names: readonly string[]): Promise<Map<string, string>> {
  const text = await git.text({ gitDirectory }, ["cat-file", "--batch-check"], {
    input: names.map((name) => `${name}\n`).join(""),
  });
  const found = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    const oid = /^([0-9a-f]+) commit /.exec(line)?.[1];
    if (oid !== undefined) found.set(names[index] ?? "", oid);
  }
  return found;
}
