import type { PathChange, Entry } from "../merge/change.ts";
import type { LandingRules } from "./class-policy.ts";
import type { PolicyDrop, ResolutionClass } from "../merge/resolution.ts";
import type { Hunk } from "../merge/versions.ts";

/** What decides whether what merged may land by itself. Asked only where something merged that both sides changed. */
export type RulesSource = () => Promise<LandingRules>;

/** Three trees to be merged: commits or trees in the vault. */
export interface MergeRequest {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  /** What a person chose, by the path of a conflict. */
  readonly choices?: ReadonlyMap<string, "ours" | "theirs"> | undefined;
  /** Without any, everything that merges is merged. */
  readonly rules?: RulesSource | undefined;
  /** Whether the answer's trees may still be in memory: for many merges in a row. */
  readonly isStaged?: boolean | undefined;
}

/** Why the two sides of a path cannot both be kept without a person's or an agent's judgement. */
export type ConflictKind =
  | "contents"
  | "binary"
  | "both-added"
  | "modified-deleted"
  | "rename-rename"
  | "rename-delete"
  | "file-folder"
  | "type"
  | "mode"
  | "submodule"
  | "attributes"
  | "name-clash"
  | "loss"
  | "uncertain"
  | "semantic"
  | "markers";

/** A conflict as a value: what stood and stands at a path, never text with markers. */
export interface PathConflict {
  /** Where ours has it; where ours does not, where the base or theirs has it. */
  readonly path: string;
  readonly kind: ConflictKind;
  readonly base?: Entry | undefined;
  readonly ours?: Entry | undefined;
  readonly theirs?: Entry | undefined;
  readonly hunks?: readonly Hunk[] | undefined;
  readonly message: string;
  /** What it would be merged to, where only the rules keep that from landing. */
  readonly proposed?: Entry | undefined;
  /** The name that theirs gave it, where that is another one. */
  readonly renamedTo?: string | undefined;
}

/** A path that both sides changed and that was merged all the same. */
export interface ResolvedPath {
  readonly path: string;
  /** Their names, joined by `+`. */
  readonly resolver: string;
  readonly class: ResolutionClass;
  /** What a policy dropped; each has a waiver. */
  readonly drops?: readonly PolicyDrop[] | undefined;
}

/** An edit that was dropped on purpose, and by whom. */
export interface Waiver {
  readonly path: string;
  readonly what: string;
  readonly by: string;
}

/** How a merge of trees came out. */
export type TreeMerge =
  | {
      readonly status: "merged";
      readonly tree: string;
      /** From ours to the result. */
      readonly changes: readonly PathChange[];
      readonly resolved: readonly ResolvedPath[];
      readonly waivers: readonly Waiver[];
    }
  | {
      readonly status: "conflict";
      readonly conflicts: readonly PathConflict[];
      /** A tree with every path that did merge; at conflicting paths it holds ours. */
      readonly partial: string;
    };
