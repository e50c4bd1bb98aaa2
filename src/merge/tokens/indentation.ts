import { ABSENT, type Pick, type Side, type SliceVersions } from "./pick.ts";

const FARTHEST = 400;

/** A new line of one side, and all that it stands in. */
export interface NewLine {
  readonly picks: readonly Pick[];
  readonly slices: SliceVersions;
  /** Which of the picks begins it. */
  readonly at: number;
  readonly side: Side;
}

/**
 * The indentation of a new line of one side, where the other side may have indented anew: what became of the nearest
 * line that was indented alike, or else as much more or less as that of the nearest line that was indented less.
 *
 * @returns nothing where the indentation cannot follow
 */
export function mapIndentation({ picks, slices, at, side }: NewLine, indentation: string): string | undefined {
  const other = side === "ours" ? "theirs" : "ours";
  let nearest: Lines | undefined;
  for (let by = 0; by < FARTHEST && (by <= at || at + by < picks.length); by += 1) {
    for (const place of [at - by, at + by]) {
      const lines = readLines(slices, picks[place], side, other);
      if (lines === undefined) continue;
      if (lines.own === indentation) return lines.others;
      if (lines.own.length < indentation.length) nearest ??= lines;
    }
  }
  return nearest === undefined || nearest.own === nearest.others
    ? indentation
    : shift(indentation, nearest.others.length - nearest.own.length);
}

/** The indentation of one line on both sides. */
interface Lines {
  readonly own: string;
  readonly others: string;
}

function readLines(slices: SliceVersions, pick: Pick | undefined, side: Side, other: Side): Lines | undefined {
  if (pick === undefined || pick.text === "" || pick.base < 0 || pick.ours === ABSENT || pick.theirs === ABSENT)
    return undefined;
  const [base, own, others] = [
    indentationOf(slices.base.gaps[pick.base], pick.base),
    indentationOf(slices[side].gaps[pick[side]], pick[side]),
    indentationOf(slices[other].gaps[pick[other]], pick[other]),
  ];
  if (base === undefined || own === undefined || others === undefined) return undefined;
  // Where this side indented anew as well, the other's change says nothing.
  return others === base ? { own, others: own } : own === base ? { own, others } : undefined;
}

/** The indentation of a line that begins after a gap; `undefined` where none begins. */
export function indentationOf(gap: string | undefined, at: number): string | undefined {
  if (gap === undefined) return undefined;
  const line = gap.lastIndexOf("\n") + 1;
  return line === 0 && at > 0 ? undefined : /^[ \t]*/.exec(gap.slice(line))?.[0];
}

/** An indentation with so many more or fewer characters. `undefined`: it has not so many. */
export function shift(indentation: string, by: number): string | undefined {
  if (by < 0) return indentation.length + by < 0 ? undefined : indentation.slice(-by);
  return (indentation.includes("\t") ? "\t" : " ").repeat(by) + indentation;
}
