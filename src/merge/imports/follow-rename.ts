import type { Language } from "../language.ts";
import { readRun } from "./read-run.ts";
import type { ImportRun, ImportStatement } from "./statement.ts";
import type { Runs } from "./wanted-names.ts";

/**
 * Where one side changed the module that a statement imports from, and the other one its names: the same change of
 * the module in the base and the other side, so that what is left to merge are names.
 */
export function followRename(language: Language, runs: Runs): Runs {
  const { base, ours, theirs } = runs;
  const byOurs = findRenames(base, ours, theirs);
  const byTheirs = findRenames(base, theirs, ours);
  if (byOurs.size === 0 && byTheirs.size === 0) return runs;
  const inBase = new Map([...byOurs, ...byTheirs]);
  return {
    base: renamed(language, base, inBase),
    ours: renamed(language, ours, byTheirs),
    theirs: renamed(language, theirs, byOurs),
  };
}

interface Rename {
  readonly before: string;
  readonly after: string;
}

// By the form of the statement whose module became another one.
function findRenames(base: ImportRun, side: ImportRun, other: ImportRun): Map<string, Rename> {
  const renames = new Map<string, Rename>();
  const [formsInBase, formsInSide, formsInOther] = [formsOf(base), formsOf(side), formsOf(other)];
  for (const [form, statement] of formsInBase) {
    const changed = formsInOther.get(form);
    if (!statement.joins || formsInSide.has(form) || changed === undefined) continue;
    if (keysOf(changed) === keysOf(statement)) continue;
    const locals = localsOf(statement);
    const successors = side.statements.filter(
      (each) =>
        each.form.replace(each.sortKey, "") === form.replace(statement.sortKey, "") &&
        !formsInBase.has(each.form) &&
        localsOf(each) === locals,
    );
    const [successor] = successors;
    if (successor === undefined || successors.length > 1 || formsInOther.has(successor.form)) continue;
    renames.set(form, { before: statement.sortKey, after: successor.sortKey });
  }
  return renames;
}

function formsOf({ statements }: ImportRun): Map<string, ImportStatement> {
  return new Map(statements.map((statement) => [statement.form, statement]));
}

function keysOf({ names }: ImportStatement): string {
  return names
    .map(({ key }) => key)
    .sort()
    .join("\n");
}

function localsOf({ names }: ImportStatement): string {
  return names
    .map(({ local }) => local ?? "")
    .sort()
    .join("\n");
}

function renamed(language: Language, run: ImportRun, renames: ReadonlyMap<string, Rename>): ImportRun {
  if (renames.size === 0) return run;
  const parts = run.statements.map((statement) => {
    const rename = renames.get(statement.form);
    return statement.lead + (rename === undefined ? statement.text : withModule(statement.text, rename));
  });
  return readRun(language, parts.join("") + run.tail);
}

// In Python the module comes first, in JavaScript last.
function withModule(text: string, { before, after }: Rename): string {
  const at = /^from\s/.test(text) ? text.indexOf(before, 4) : text.lastIndexOf(before);
  return text.slice(0, at) + after + text.slice(at + before.length);
}
