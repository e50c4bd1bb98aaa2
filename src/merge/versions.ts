/** Three versions of one text: characters, or one for each byte (latin1) where they are no UTF-8. Without a base, both sides added it. */
export interface TextVersions {
  readonly base: string | undefined;
  readonly ours: string;
  readonly theirs: string;
}

/** A place that both sides changed differently. Line numbers count from 0; lines are without their ends. */
export interface Hunk {
  baseStart: number;
  baseLines: string[];
  oursStart: number;
  ours: string[];
  theirsStart: number;
  theirs: string[];
  /** What it is a part of, where that has a name: `class Basket > method add`. */
  entity?: string;
}

/** The lines of three versions, without their ends. */
export interface LineVersions {
  readonly base: readonly string[];
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}
