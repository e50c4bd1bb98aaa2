import type { PathChange } from "../merge/change.ts";
import type { Loss } from "../merge/conservation/loss.ts";
import { findTreeLosses } from "../merge/conservation/tree-losses.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { Composed } from "./compose.ts";
import { openPath, type MergedPath, type OpenPath } from "./decision.ts";
import { byPath, entriesAt, type Sides } from "./sides.ts";
import type { MergeDraft } from "./structural.ts";

/**
 * Looks for edits of either side that a composed tree lacks, and opens the paths where there are any. Contents that were
 * merged have been checked as texts when they were; here it counts that the tree has them.
 */
export async function openLosses(
  vault: Vault,
  sides: Sides,
  draft: MergeDraft,
  composed: Composed,
): Promise<OpenPath[]> {
  const result = await vault.objects.compare(sides.base, composed.tree);
  const merged = draft.decisions.filter((decision) => decision.type === "merged");
  const losses = [
    ...findTreeLosses({
      ours: [...sides.oursChanges.values()],
      theirs: [...sides.theirsChanges.values()],
      result,
      renames: draft.renames,
      merged: new Set(merged.map(({ path }) => path)),
      waived: composed.waived,
    }),
    ...findMisplaced(sides, merged, result),
  ];
  return [...groupByPath(losses)].map(([path, found]) => {
    const open = openLoss(sides, path, found);
    const moved = merged.find((decision) => decision.path === path && decision.edits.length > 1);
    return moved === undefined ? open : { ...open, held: moved.edits.map((edit) => edit.path), choices: {} };
  });
}

/** Merged contents that do not stand where they were to be. */
function findMisplaced(sides: Sides, merged: readonly MergedPath[], result: readonly PathChange[]): Loss[] {
  const changes = byPath(result);
  return merged.flatMap(({ path, edits }) => {
    const wanted = edits.find((edit) => edit.path === path)?.oid;
    const found = changes.get(path)?.newOid ?? entriesAt(sides, path).base?.oid;
    return wanted === found ? [] : [{ path, kind: "lost-change", detail: "is not as it was merged", count: 1 }];
  });
}

function groupByPath(losses: readonly Loss[]): Map<string, Loss[]> {
  const groups = new Map<string, Loss[]>();
  for (const loss of losses) groups.set(loss.path, [...(groups.get(loss.path) ?? []), loss]);
  return groups;
}

function openLoss(sides: Sides, path: string, losses: readonly Loss[]): OpenPath {
  const [first] = losses;
  const more = losses.length > 1 ? `, and ${losses.length - 1} more` : "";
  const message = `merging ${path} would not keep every edit: ${first?.kind ?? "lost-change"}, ${first?.detail ?? ""}${more}`;
  return openPath({ path, kind: "loss", ...entriesAt(sides, path), message });
}
