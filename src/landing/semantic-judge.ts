import type { SemanticHit } from "../merge/symbols/semantic-hit.ts";
import type { Git } from "../git/git.ts";
import { TreeEditor } from "../git/tree-editor.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { Candidate, Judge, Judgement } from "./compose-changesets.ts";
import type { Joined } from "./losses.ts";
import { findSemanticHitsIn } from "./semantic.ts";
import type { PathConflict } from "./tree-merge.ts";

/** What the repository has that judges merges beside us. */
export interface Referees {
  /** Whether rules name commands that must pass. */
  readonly hasRules: boolean;
  /** Whether its own compiler looks at TypeScript. */
  readonly hasCompiler: boolean;
}

/**
 * Judges changesets by what they define and use. What is found never keeps anything from landing where something runs
 * that can tell better; where nothing does, what is certain is a conflict.
 *
 * @param referees is asked only where something certain is found
 */
export function semanticJudge(git: Git, vault: Vault, referees: () => Promise<Referees>): Judge {
  return async (candidate, joined) => {
    const hits = await findSemanticHitsIn(git, vault, joined);
    if (!hits.some(({ isCertain }) => isCertain)) return { hits, conflicts: [], waivers: [] };
    const known = await referees();
    return {
      hits,
      ...(await decide(
        vault,
        candidate,
        joined,
        hits.filter((hit) => isDecisive(hit, known)),
      )),
    };
  };
}

/**
 * Whether a hit is a conflict: it is certain, and nothing that will run sees the same.
 *
 * @example
 * isDecisive(hit, { hasRules: true, hasCompiler: false }) // false: verification decides
 */
export function isDecisive({ isCertain, kind, usedIn }: SemanticHit, { hasRules, hasCompiler }: Referees): boolean {
  if (!isCertain || hasRules) return false;
  // Types may be the same in another order, and say nothing about numbers of files and what is installed.
  const isTyped = !["argument-order", "same-number", "dependency"].includes(kind);
  return !(hasCompiler && isTyped && /\.[cm]?tsx?(:\d+)?$/.test(usedIn));
}

async function decide(
  vault: Vault,
  { choices }: Pick<Candidate, "choices">,
  { base, ours, theirs }: Joined,
  hits: readonly SemanticHit[],
): Promise<Pick<Judgement, "conflicts" | "waivers">> {
  if (hits.length === 0) return { conflicts: [], waivers: [] };
  const changed = new Set((await vault.objects.compare(base, theirs)).map(({ path }) => path));
  const [own, other] = [ours, theirs].map((side) => new TreeEditor(vault.objects, side));
  const conflicts: PathConflict[] = [];
  const waivers: Judgement["waivers"][number][] = [];
  for (const hit of hits) {
    const path = pathIn(hit, changed);
    if (choices?.get(path) === "theirs") waivers.push({ path, what: hit.message, by: "person" });
    else if (!conflicts.some((one) => one.path === path)) {
      const message = messageOf(hits.filter((one) => pathIn(one, changed) === path));
      conflicts.push({
        path,
        kind: "semantic",
        ours: await own?.entryAt(path),
        theirs: await other?.entryAt(path),
        message,
      });
    }
  }
  return { conflicts, waivers };
}

/** The file of the two that whoever made the changeset can mend. */
function pathIn({ usedIn, definedIn }: SemanticHit, changed: ReadonlySet<string>): string {
  const [user, definer] = [usedIn, definedIn].map((place) => place.replace(/:\d+$/, ""));
  return (user !== undefined && changed.has(user) ? user : definer) ?? "";
}

function messageOf(hits: readonly SemanticHit[]): string {
  const [first] = hits;
  return `${first?.message ?? ""}${hits.length > 1 ? ` and ${hits.length - 1} more` : ""}`;
}
