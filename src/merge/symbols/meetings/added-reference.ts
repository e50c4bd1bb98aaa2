import type { Changes, VersionName } from "../file-versions.ts";
import type { Choice, Reference, SymbolTable } from "../symbol-table.ts";

/** What one side added to a file, as far as it relies on something. */
export interface AddedUses {
  readonly path: string;
  readonly table: SymbolTable;
  readonly references: readonly Reference[];
  readonly choices: readonly Choice[];
}

/** What a side uses that it did not use before, or not that often, or not in this way. */
export function findAddedUses({ files }: Changes, side: VersionName): AddedUses[] {
  return files.flatMap((file): AddedUses[] => {
    const [before, after] = [file.base, file[side]];
    if (after?.table === undefined || before?.oid === after.oid) return [];
    const references = added(before?.table?.references ?? [], after.table.references, referenceKey);
    const choices = added(before?.table?.choices ?? [], after.table.choices, choiceKey);
    return references.length + choices.length === 0
      ? []
      : [{ path: file.path, table: after.table, references, choices }];
  });
}

function added<Use>(before: readonly Use[], after: readonly Use[], keyOf: (use: Use) => string): Use[] {
  const counts = new Map<string, number>();
  for (const use of before) counts.set(keyOf(use), (counts.get(keyOf(use)) ?? 0) + 1);
  return after.filter((use) => {
    const left = counts.get(keyOf(use)) ?? 0;
    if (left > 0) counts.set(keyOf(use), left - 1);
    return left === 0;
  });
}

function referenceKey({ name, object = "", scope, call }: Reference): string {
  const given = call === undefined ? "" : `${call.positional} ${call.keywords.join()} ${call.text ?? ""}`;
  return `${scope} ${object} ${name} ${given}`;
}

function choiceKey({ scope, labels, hasDefault }: Choice): string {
  return `${scope} ${labels.join()} ${hasDefault}`;
}
