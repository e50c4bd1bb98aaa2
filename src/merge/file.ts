import { findTextLosses } from "./conservation/text-losses.ts";
import { lockFileOwner } from "./lock-file.ts";
import type { PolicyDrop, ResolutionClass, ResolverName } from "./resolution.ts";
import type { Parsers } from "./syntax/parsers.ts";
import { mergeText, type MergePolicy } from "./text.ts";
import type { Hunk, TextVersions } from "./versions.ts";

/** Three versions of a file, and how they may be merged. */
export interface FileMergeRequest {
  readonly path: string;
  /** Characters, not bytes, wherever the file's encoding is known. */
  readonly versions: TextVersions;
  readonly policy: MergePolicy;
  /** The grammar of the file's language must be loaded. */
  readonly parsers: Parsers;
}

/** What became of three versions of a file. */
export type FileMerge =
  | {
      readonly status: "merged";
      readonly text: string;
      readonly resolvers: readonly ResolverName[];
      readonly class: ResolutionClass;
      readonly drops: readonly PolicyDrop[];
    }
  | {
      readonly status: "conflict";
      readonly why: "lines" | "binary" | "both-added" | "loss" | "lock-file";
      readonly hunks: readonly Hunk[];
      readonly detail?: string;
    };

/** Merges a file: the first resolver that is sound for it wins, and its result counts only if nothing was lost. */
export function mergeFile({ path, versions, policy }: FileMergeRequest): FileMerge {
  const merge = mergeText(versions, policy);
  if (merge.status === "conflict" && policy === "text" && lockFileOwner(path) !== undefined) {
    return { status: "conflict", why: "lock-file", hunks: [] };
  }
  if (merge.status === "conflict") return merge;
  const losses = merge.resolver === "union" ? [] : findTextLosses(path, versions, merge.text);
  const [first] = losses;
  if (first !== undefined)
    return { status: "conflict", why: "loss", hunks: [], detail: `${first.kind}: ${first.detail}` };
  const resolverClass = merge.resolver === "union" ? "D" : "A";
  return { status: "merged", text: merge.text, resolvers: [merge.resolver], class: resolverClass, drops: [] };
}
