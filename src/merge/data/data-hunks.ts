import type { PieceVersions } from "../resolution.ts";
import { findRegions } from "../three-way.ts";
import type { Hunk } from "../versions.ts";

/** The places of a data file that a person has to decide on, as lines. */
export function findDataHunks(versions: PieceVersions): Hunk[] {
  const lines = { base: linesOf(versions.base), ours: linesOf(versions.ours), theirs: linesOf(versions.theirs) };
  return findRegions(lines)
    .filter(({ type }) => type === "conflict")
    .map(({ base, ours, theirs }) => ({
      baseStart: base.start,
      baseLines: lines.base.slice(base.start, base.end),
      oursStart: ours.start,
      ours: lines.ours.slice(ours.start, ours.end),
      theirsStart: theirs.start,
      theirs: lines.theirs.slice(theirs.start, theirs.end),
    }));
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
