import type { TokenKind } from "./lexer.ts";
import type { Slice } from "./slice.ts";

/** Where a token does not stand. */
export const ABSENT = -2;

export type Side = "ours" | "theirs";

/** A token of a merged text, and where it stands in each version. */
export interface Pick {
  readonly text: string;
  readonly kind: TokenKind;
  readonly base: number;
  readonly ours: number;
  readonly theirs: number;
}

/** Three versions of some lines, as tokens. */
export interface SliceVersions {
  readonly base: Slice;
  readonly ours: Slice;
  readonly theirs: Slice;
}
