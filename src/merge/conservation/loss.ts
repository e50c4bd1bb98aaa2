/** An edit of a side that a result lacks, or something in a result that no side put there. */
export interface Loss {
  readonly path: string;
  readonly kind: "lost-line" | "resurrected-line" | "lost-change" | "resurrected-path" | "foreign-change" | "mode";
  readonly detail: string;
  readonly count: number;
}

/** A loss within one text, wherever that stands. */
export type TextLoss = Omit<Loss, "path">;
