import type { ImportedName, ImportStatement } from "./statement.ts";

/** A statement that is kept, its versions, and the names it takes. */
export interface KeptStatement {
  readonly statement: ImportStatement;
  /** The same one in the guest's run, and in the base. */
  readonly its: ImportStatement | undefined;
  readonly before: ImportStatement | undefined;
  /** Names of the guest's that it takes. */
  readonly added: readonly ImportedName[];
  readonly wanted: ReadonlySet<string>;
  readonly isFirst: boolean;
}

/**
 * Writes a statement with the names it has to have, over the version that changed more than names.
 * Nothing: both did, or the names cannot be written into it.
 */
export function writeStatement(kept: KeptStatement): string | undefined {
  const { statement, its, before, added, wanted } = kept;
  const removed = new Set(statement.names.map(({ key }) => key).filter((key) => !wanted.has(key)));
  const names = statement.names.filter(({ key }) => !removed.has(key));
  const desired = new Set([...names, ...added].map(({ key }) => key));
  if (its === undefined) return rewrite(statement, { removed, added, from: undefined, isFirst: kept.isFirst });

  const hasItsNames = its.names.length === desired.size && its.names.every(({ key }) => desired.has(key));
  if (statement.text === before?.text && hasItsNames) return its.text;
  const frame = before?.frame ?? "";
  if (statement.frame !== its.frame && statement.frame !== frame && its.frame !== frame) return undefined;
  const isItsFrame = its.frame !== frame && statement.frame === frame;
  if (!isItsFrame) return rewrite(statement, { removed, added, from: its, isFirst: kept.isFirst });
  if (hasItsNames) return its.text;
  const gone = new Set(its.names.map(({ key }) => key).filter((key) => !desired.has(key)));
  const have = new Set(its.names.map(({ key }) => key));
  const lacking = names.filter(({ key }) => !have.has(key));
  if (added.some(({ key }) => !have.has(key))) return undefined;
  return rewrite(its, { removed: gone, added: lacking, from: statement, isFirst: !kept.isFirst });
}

function rewrite(
  statement: ImportStatement,
  edit: Parameters<Required<ImportStatement>["rewrite"]>[0],
): string | undefined {
  if (edit.removed.size === 0 && edit.added.length === 0) return statement.text;
  return statement.rewrite?.(edit);
}
