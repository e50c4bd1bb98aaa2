/** One path that one side changed, relative to the base. An absent side has the mode `000000` and an oid of zeros. */
export interface PathChange {
  readonly path: string;
  readonly kind: "added" | "modified" | "deleted" | "type-changed";
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldOid: string;
  readonly newOid: string;
}

/** What a tree holds at a path. */
export interface Entry {
  readonly mode: string;
  readonly oid: string;
}

/** The mode of a side on which the path does not exist. */
export const ABSENT_MODE = "000000";

/** Whether the path exists after the change. */
export function isPresent(change: PathChange): boolean {
  return change.newMode !== ABSENT_MODE;
}

/** Whether two changes of one path leave the same behind. */
export function leavesSame(a: PathChange, b: PathChange): boolean {
  return a.newMode === b.newMode && a.newOid === b.newOid;
}
