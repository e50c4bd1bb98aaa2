import type { Region } from "../three-way.ts";
import type { LineVersions } from "../versions.ts";

/** A line that gives a name to something: a key with its value, an argument by name, an assignment. */
const NAMED = /^(\s*)["'`]?([\p{L}_$][\p{L}\p{N}_$-]*)["'`]?\s*(?::(?![:=])|=(?![=>]))/u;

/** Whether both sides brought a line of one name, at one indentation, that says something else on each: two answers. */
export function nameTwice(lines: LineVersions, region: Region): boolean {
  const known = namedLines(lines.base.slice(region.base.start, region.base.end));
  const ours = namedLines(lines.ours.slice(region.ours.start, region.ours.end));
  const theirs = namedLines(lines.theirs.slice(region.theirs.start, region.theirs.end));
  return [...ours].some(([name, line]) => {
    const other = theirs.get(name);
    return other !== undefined && other !== line && !known.has(name);
  });
}

function namedLines(lines: readonly string[]): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const line of lines) {
    const [, indentation, name] = NAMED.exec(line) ?? [];
    if (name !== undefined) named.set(`${indentation}${name}`, line.trim().replace(/[,;]$/, ""));
  }
  return named;
}
