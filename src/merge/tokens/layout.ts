import type { Language } from "../language.ts";
import { indentationOf, mapIndentation, shift } from "./indentation.ts";
import { ABSENT, type Pick, type Side, type SliceVersions } from "./pick.ts";

const FARTHEST = 200;

/**
 * Writes out merged tokens with the white space that the versions have between them: where only one side changed it,
 * that side's. Where one side indented anew, new lines of the other follow.
 *
 * @returns nothing where the sides disagree about white space that has a meaning
 */
export function layOut(
  picks: readonly Pick[],
  slices: SliceVersions,
  language: Language | undefined,
): string | undefined {
  const { base, ours, theirs } = slices;
  const start: Pick = { text: "", kind: "mark", base: -1, ours: -1, theirs: -1 };
  const end: Pick = { ...start, base: base.texts.length, ours: ours.texts.length, theirs: theirs.texts.length };
  const layout = new Layout([start, ...picks, end], slices, language);
  const parts: string[] = [];
  for (let at = 1; at < picks.length + 2; at += 1) {
    const gap = layout.gapBefore(at);
    if (gap === undefined) return undefined;
    parts.push(gap, picks[at - 1]?.text ?? "");
  }
  return parts.join("");
}

class Layout {
  readonly #picks: readonly Pick[];
  readonly #slices: SliceVersions;
  readonly #language: Language | undefined;
  /** How far the new lines that are being written were moved. */
  #block: { readonly side: Side; readonly by: number } | undefined;

  constructor(picks: readonly Pick[], slices: SliceVersions, language: Language | undefined) {
    this.#picks = picks;
    this.#slices = slices;
    this.#language = language;
  }

  gapBefore(at: number): string | undefined {
    if (!this.#isNew(at - 1)) this.#block = undefined;
    const [left, right] = [this.#pick(at - 1), this.#pick(at)];
    const ours = this.#gap("ours", left, right);
    const theirs = this.#gap("theirs", left, right);
    if (ours !== undefined && theirs !== undefined) return this.#mergeGaps(at, ours, theirs);
    if (ours !== undefined) return this.#respaced(at, "theirs", ours) ?? this.#reindent(at, ours, "ours");
    if (theirs !== undefined) return this.#respaced(at, "ours", theirs) ?? this.#reindent(at, theirs, "theirs");
    return this.#joint(left, right);
  }

  #pick(at: number): Pick {
    return this.#picks[at] as Pick;
  }

  #gap(version: "base" | Side, left: Pick, right: Pick): string | undefined {
    if (left[version] === ABSENT || right[version] !== left[version] + 1) return undefined;
    return this.#slices[version].gaps[right[version]];
  }

  #mergeGaps(at: number, ours: string, theirs: string): string | undefined {
    if (ours === theirs) return ours;
    const [left, right] = [this.#pick(at - 1), this.#pick(at)];
    const base = this.#gap("base", left, right);
    if (ours === base) return this.#reindent(at, theirs, "theirs");
    if (theirs === base) return this.#reindent(at, ours, "ours");
    const isQuoted = left.kind === "quoted" && right.kind === "quoted";
    const hasMeaning = isQuoted || (this.#language === "python" && ours.includes("\n"));
    return hasMeaning || ours.includes("\n") !== theirs.includes("\n") ? undefined : ours;
  }

  // What the other side made of the white space on which a new token borders.
  #respaced(at: number, other: Side, gap: string): string | undefined {
    const [left, right] = [this.#pick(at - 1), this.#pick(at)];
    const isAfter = left.base !== ABSENT && left[other] !== ABSENT;
    const isBefore = right.base !== ABSENT && right[other] !== ABSENT;
    if (isAfter && isBefore) return this.#respacedBoth(left, right, other, gap);
    if (!isAfter && !isBefore) return this.#respacedElement(at, other, gap);
    if (isAfter && this.#isInsertion(at) && this.#lastOfRun(at).text !== ",") return undefined;
    const gapIn = (version: "base" | Side): string | undefined =>
      this.#slices[version].gaps[isAfter ? left[version] + 1 : right[version]];
    const [before, after] = [gapIn("base"), gapIn(other)];
    if (before !== gap || after === before) return undefined;
    // A blank more or less between two tokens says nothing of one that comes between them.
    return this.#isInsertion(isAfter ? at : this.#startOfRun(at)) && after?.includes("\n") !== true ? undefined : after;
  }

  // What stood between two tokens is gone: the other side may have respaced either end of it.
  #respacedBoth(left: Pick, right: Pick, other: Side, gap: string): string | undefined {
    const [base, side] = [this.#slices.base.gaps, this.#slices[other].gaps];
    const ends = [
      [base[left.base + 1], side[left[other] + 1]],
      [base[right.base], side[right[other]]],
    ];
    return ends.find(([before, after]) => before === gap && after !== before)?.[1];
  }

  // A new element of a list that the other side wrapped: as after the comma before it.
  #respacedElement(at: number, other: Side, gap: string): string | undefined {
    if (this.#pick(at - 1).text !== ",") return undefined;
    let depth = 0;
    for (let before = at - 2; before > Math.max(0, at - FARTHEST); before -= 1) {
      const pick = this.#pick(before);
      if (pick.kind !== "mark") continue;
      if (")]}".includes(pick.text)) depth += 1;
      const isOpening = "([{".includes(pick.text);
      if (isOpening && --depth < -1) return undefined;
      const isPlace = (isOpening && depth < 0) || (depth === 0 && pick.text === ",");
      if (!isPlace || pick.base === ABSENT || pick[other] === ABSENT) continue;
      const old = this.#slices.base.gaps[pick.base + 1] ?? "";
      const now = this.#slices[other].gaps[pick[other] + 1] ?? "";
      return now !== old && now.includes("\n") && !gap.includes("\n") ? now : undefined;
    }
    return undefined;
  }

  // Whether the new tokens that begin here replace none.
  #isInsertion(at: number): boolean {
    return this.#pick(this.#endOfRun(at)).base === this.#pick(at - 1).base + 1;
  }

  #lastOfRun(at: number): Pick {
    return this.#pick(this.#endOfRun(at) - 1);
  }

  #startOfRun(at: number): number {
    let start = at;
    while (this.#pick(start - 1).base === ABSENT) start -= 1;
    return start;
  }

  #endOfRun(at: number): number {
    let end = at;
    while (this.#pick(end).base === ABSENT) end += 1;
    return end;
  }

  // Both sides put something at one place: the white space there is that before the second.
  #joint(left: Pick, right: Pick): string | undefined {
    const gap = this.#gapOfJoint(left, right);
    // Code behind a comment of one line would be a comment.
    const isSafe = left.kind !== "text" || right.kind === "text" || gap?.includes("\n") === true;
    return isSafe ? gap : undefined;
  }

  #gapOfJoint(left: Pick, right: Pick): string | undefined {
    const [before, after] = [sideOf(left), sideOf(right)];
    if (before === undefined || after === undefined) return undefined;
    const gap = this.#slices[after].gaps[right[after]] ?? "";
    const following = this.#slices[before].gaps[left[before] + 1] ?? "";
    if (right[after] === 0) {
      return following.includes("\n") ? following.slice(0, following.lastIndexOf("\n") + 1) + gap : following;
    }
    return gap === "" && left.kind === "word" && right.kind === "word" ? " " : gap;
  }

  #reindent(at: number, gap: string, side: Side): string | undefined {
    const line = gap.lastIndexOf("\n") + 1;
    if (line === 0) return gap;
    const before = indentationOf(gap, 0) ?? "";
    const after = this.#mapIndentation(at, before, side);
    return after === undefined ? undefined : gap.slice(0, line) + after + gap.slice(line + before.length);
  }

  // The lines of a new block move together, or they would not be that block any more.
  #mapIndentation(at: number, before: string, side: Side): string | undefined {
    if (this.#isNew(at) && this.#block?.side === side) return shift(before, this.#block.by);
    const after = mapIndentation({ picks: this.#picks, slices: this.#slices, at, side }, before);
    if (after !== undefined && this.#isNew(at)) this.#block = { side, by: after.length - before.length };
    return after;
  }

  #isNew(at: number): boolean {
    return this.#pick(at).base === ABSENT;
  }
}

function sideOf({ ours, theirs }: Pick): Side | undefined {
  return ours !== ABSENT ? "ours" : theirs !== ABSENT ? "theirs" : undefined;
}
