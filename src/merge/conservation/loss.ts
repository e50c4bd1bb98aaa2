/** What a result lacks, or has too much of. The last six are of sources and data only. */
export type LossKind =
  | "lost-line"
  | "resurrected-line"
  | "lost-change"
  | "resurrected-path"
  | "foreign-change"
  | "mode"
  | "overwritten-line"
  | "foreign-line"
  | "duplicate-definition"
  | "duplicate-import"
  | "duplicate-key"
  | "parse-error"
  | "markers";

/** An edit of a side that a result lacks, or something in a result that no side put there. */
export interface Loss {
  readonly path: string;
  readonly kind: LossKind;
  readonly detail: string;
  readonly count: number;
  /** The definition it is in, from the outermost name inwards, where it is in one. */
  readonly entity?: string;
}

/** A loss within one text, wherever that stands. */
export type TextLoss = Omit<Loss, "path">;
