import { linesOf } from "../lines.ts";
import type { Language } from "../language.ts";
import type { PieceMerge, PieceVersions, PolicyDrop, Step } from "../resolution.ts";
import type { EntityBody, EntityKind } from "../syntax/entity.ts";
import type { Hunk } from "../versions.ts";
import type { LineIndex } from "./line-index.ts";

/** What a piece of text is: the more is known, the more can be merged. */
interface PieceContext {
  readonly language: Language;
  readonly kind: EntityKind | undefined;
}

/** Who merges what has no entities in it. */
export interface PieceMergers {
  piece(versions: PieceVersions, context: PieceContext): PieceMerge;
  imports(language: Language, versions: PieceVersions): PieceMerge;
}

/** What became of a part. A final conflict stays one, however its surroundings are merged. */
export type Outcome = Extract<PieceMerge, { status: "merged" }> | ConflictOutcome;

export interface ConflictOutcome {
  readonly status: "conflict";
  readonly hunks: readonly Hunk[];
  readonly isFinal: boolean;
}

/** A value for each version. */
export interface Versions<Value> {
  readonly base: Value;
  readonly ours: Value;
  readonly theirs: Value;
}

/** A piece of a version: the text to merge, and where it stands. */
export interface Piece {
  readonly text: string;
  readonly offset: number;
}

/** A list of entities in three versions. */
export interface ListVersions {
  readonly bodies: Versions<Pick<EntityBody, "start" | "end" | "entities">>;
  readonly separator: "," | undefined;
  readonly isOrdered: boolean;
  /** The name of the entity whose list it is, such as `class Foo`. Empty for that of the file. */
  readonly scope: string;
}

/** All that the parts of one merge share. */
export interface Merging {
  readonly language: Language;
  readonly texts: Versions<string>;
  readonly lines: Versions<LineIndex>;
  readonly mergers: PieceMergers;
  readonly mergeList: (list: ListVersions, merging: Merging) => Outcome;
}

/** A text that needed no merging, or whose steps are told elsewhere. */
export function mergedAs(text: string, steps: readonly Step[] = [], drops: readonly PolicyDrop[] = []): Outcome {
  return { status: "merged", text, steps, drops };
}

/** The text that is right where at most one side changed something. */
export function mergeTrivially({ base, ours, theirs }: Versions<string>): string | undefined {
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}

/** Merges pieces of the three versions as text. */
export function mergeAsText(pieces: Versions<Piece>, kind: EntityKind | undefined, merging: Merging): Outcome {
  const versions = { base: pieces.base.text, ours: pieces.ours.text, theirs: pieces.theirs.text };
  const trivial = mergeTrivially(versions);
  if (trivial !== undefined) return mergedAs(trivial);
  const { language, mergers } = merging;
  const merge = kind === "imports" ? mergers.imports(language, versions) : mergers.piece(versions, { language, kind });
  if (merge.status === "merged") return merge;
  if (merge.hunks.length === 0) return conflictBetween(pieces, merging, false);
  return { status: "conflict", isFinal: false, hunks: merge.hunks.map((hunk) => shift(hunk, pieces, merging)) };
}

function shift(hunk: Hunk, { base, ours, theirs }: Versions<Piece>, { lines }: Merging): Hunk {
  return {
    ...hunk,
    baseStart: hunk.baseStart + lines.base.lineAt(base.offset),
    oursStart: hunk.oursStart + lines.ours.lineAt(ours.offset),
    theirsStart: hunk.theirsStart + lines.theirs.lineAt(theirs.offset),
  };
}

/** A conflict between pieces as a whole. */
export function conflictBetween(pieces: Versions<Piece>, { lines }: Merging, isFinal: boolean): ConflictOutcome {
  const hunk: Hunk = {
    baseStart: lines.base.lineAt(pieces.base.offset),
    baseLines: linesOf(pieces.base.text),
    oursStart: lines.ours.lineAt(pieces.ours.offset),
    ours: linesOf(pieces.ours.text),
    theirsStart: lines.theirs.lineAt(pieces.theirs.offset),
    theirs: linesOf(pieces.theirs.text),
  };
  return { status: "conflict", hunks: [hunk], isFinal };
}

/** Puts the outcomes of neighbours together. */
export function joinOutcomes(outcomes: readonly Outcome[]): Outcome {
  const conflicts = outcomes.filter((outcome) => outcome.status === "conflict");
  if (conflicts.length > 0) return joinConflicts(conflicts);
  const merged = outcomes.filter((outcome) => outcome.status === "merged");
  const text = merged.map((outcome) => outcome.text).join("");
  return mergedAs(
    text,
    merged.flatMap(({ steps }) => steps),
    merged.flatMap(({ drops }) => drops),
  );
}

export function joinConflicts(conflicts: readonly ConflictOutcome[]): ConflictOutcome {
  return {
    status: "conflict",
    hunks: conflicts.flatMap(({ hunks }) => hunks),
    isFinal: conflicts.some(({ isFinal }) => isFinal),
  };
}
