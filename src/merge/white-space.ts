import { findEdits, type Edit } from "./difference.ts";
import { appendLines } from "./lines.ts";
import type { LineVersions } from "./versions.ts";

/**
 * Merges where one side changed nothing but white space, line by line: its white space, and the other side's edits.
 * Where it changed indentations, the other side's new lines follow. `undefined`: this cannot be done without a doubt.
 */
export function mergeWhiteSpace({ base, ours, theirs }: LineVersions): string[] | undefined {
  const [isOursSpacing, isTheirsSpacing] = [isRespaced(base, ours), isRespaced(base, theirs)];
  if (isOursSpacing && isTheirsSpacing) return mergeSpacings(base, ours, theirs);
  if (isOursSpacing) return applyEdits(base, ours, theirs);
  return isTheirsSpacing ? applyEdits(base, theirs, ours) : undefined;
}

/** A line with each run of white space as one blank, and none at its ends. Counts ASCII only: lines are bytes. */
function squeeze(line: string): string {
  return line.replace(/[ \t\v\f\r]+/g, " ").replace(/^ | $/g, "");
}

function isRespaced(base: readonly string[], side: readonly string[]): boolean {
  return base.length === side.length && base.every((line, at) => line === side[at] || isSameText(line, side[at]));
}

function isSameText(a: string | undefined, b: string | undefined): boolean {
  return squeeze(a ?? "") === squeeze(b ?? "");
}

function mergeSpacings(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
): string[] | undefined {
  const merged: string[] = [];
  for (const [at, line] of base.entries()) {
    const [oursLine, theirsLine] = [ours[at] as string, theirs[at] as string];
    if (oursLine !== line && theirsLine !== line && oursLine !== theirsLine) return undefined;
    merged.push(oursLine === line ? theirsLine : oursLine);
  }
  return merged;
}

function applyEdits(
  base: readonly string[],
  respaced: readonly string[],
  edited: readonly string[],
): string[] | undefined {
  const indentations = readIndentations(base, respaced);
  const merged: string[] = [];
  let at = 0;
  for (const edit of findEdits(base, edited)) {
    if (respacesToo(base, respaced, edited, edit)) return undefined;
    appendLines(merged, respaced, at, edit.baseStart);
    for (const line of edited.slice(edit.sideStart, edit.sideEnd)) {
      const indented = reindent(line, indentations);
      if (indented === undefined) return undefined;
      merged.push(indented);
    }
    at = edit.baseEnd;
  }
  appendLines(merged, respaced, at, respaced.length);
  return merged;
}

// Each indentation of the base that became another one everywhere; `undefined` for one that became several.
function readIndentations(
  base: readonly string[],
  respaced: readonly string[],
): ReadonlyMap<string, string | undefined> | undefined {
  const indentations = new Map<string, string | undefined>();
  let isChanged = false;
  for (const [at, line] of base.entries()) {
    if (squeeze(line) === "") continue;
    const [before, after] = [indentationOf(line), indentationOf(respaced[at] ?? "")];
    isChanged ||= before !== after;
    const isNew = !indentations.has(before);
    indentations.set(before, isNew || indentations.get(before) === after ? after : undefined);
  }
  return isChanged ? indentations : undefined;
}

function reindent(line: string, indentations: ReadonlyMap<string, string | undefined> | undefined): string | undefined {
  if (indentations === undefined || squeeze(line) === "") return line;
  const before = indentationOf(line);
  const after = indentations.get(before);
  return after === undefined ? undefined : after + line.slice(before.length);
}

function indentationOf(line: string): string {
  return /^[ \t\v\f]*/.exec(line)?.[0] ?? "";
}

// Whether an edit changes the white space of a line whose white space the other side changed to something else.
function respacesToo(
  base: readonly string[],
  respaced: readonly string[],
  edited: readonly string[],
  edit: Edit,
): boolean {
  if (edit.baseEnd - edit.baseStart !== edit.sideEnd - edit.sideStart) return false;
  for (let at = edit.baseStart; at < edit.baseEnd; at += 1) {
    const [before, after] = [base[at], edited[at - edit.baseStart + edit.sideStart]];
    const isRespacedTwice = before !== respaced[at] && before !== after && after !== respaced[at];
    if (isRespacedTwice && isSameText(before, after)) return true;
  }
  return false;
}
