/** Why two changes that merge as texts may not fit each other. */
export type SemanticHitKind =
  | "missing-module"
  | "missing-definition"
  | "argument-count"
  | "argument-order"
  | "signature"
  | "result"
  | "value"
  | "type"
  | "duplicate"
  | "missing-member"
  | "missing-field"
  | "open-choice"
  | "write-skew"
  | "same-number"
  | "same-route"
  | "dependency";

/** A place where what one side changed meets what the other side relies on. */
export interface SemanticHit {
  readonly kind: SemanticHitKind;
  /** What it is about: a name, a path. */
  readonly symbol: string;
  /** `path` or `path:line`. */
  readonly definedIn: string;
  readonly usedIn: string;
  readonly message: string;
  /** Whether the symbols alone prove that the result is broken, although neither side was. */
  readonly isCertain: boolean;
}
