import type { Language } from "../language.ts";
import type { TokenKind } from "./lexer.ts";
import type { Slice } from "./slice.ts";

/** Where a token does not stand. */
export const ABSENT = -2;

/** A token of a merged text, and where it stands in each version. */
export interface Pick {
  readonly text: string;
  readonly kind: TokenKind;
  readonly base: number;
  readonly ours: number;
  readonly theirs: number;
}

/** Three versions of some lines, as tokens. */
export interface SliceVersions {
  readonly base: Slice;
  readonly ours: Slice;
  readonly theirs: Slice;
}

const START: Pick = { text: "", kind: "mark", base: -1, ours: -1, theirs: -1 };

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
  const layout = new Layout(slices, picks, language);
  const { base, ours, theirs } = slices;
  const end: Pick = {
    ...START,
    base: base.texts.length,
    ours: ours.texts.length,
    theirs: theirs.texts.length,
  };
  const parts: string[] = [];
  let left = START;
  for (const right of [...picks, end]) {
    const gap = layout.gapBetween(left, right);
    if (gap === undefined) return undefined;
    parts.push(gap, right.text);
    left = right;
  }
  return parts.join("");
}

type Side = "ours" | "theirs";

function sideOf({ ours, theirs }: Pick): Side | undefined {
  return ours !== ABSENT ? "ours" : theirs !== ABSENT ? "theirs" : undefined;
}

class Layout {
  readonly #slices: SliceVersions;
  readonly #language: Language | undefined;
  readonly #indentations: Readonly<Record<Side, Indentations>>;

  constructor(slices: SliceVersions, picks: readonly Pick[], language: Language | undefined) {
    this.#slices = slices;
    this.#language = language;
    this.#indentations = {
      ours: readIndentations(slices, picks, "ours"),
      theirs: readIndentations(slices, picks, "theirs"),
    };
  }

  gapBetween(left: Pick, right: Pick): string | undefined {
    const ours = this.#gap("ours", left, right);
    const theirs = this.#gap("theirs", left, right);
    if (ours !== undefined && theirs !== undefined) return this.#mergeGaps(ours, theirs, left, right);
    if (ours !== undefined) return this.#respaced("theirs", ours, left, right) ?? this.#reindent(ours, "theirs");
    if (theirs !== undefined) return this.#respaced("ours", theirs, left, right) ?? this.#reindent(theirs, "ours");
    return this.#joint(left, right);
  }

  #gap(version: "base" | Side, left: Pick, right: Pick): string | undefined {
    if (left[version] === ABSENT || right[version] !== left[version] + 1) return undefined;
    return this.#slices[version].gaps[right[version]];
  }

  #mergeGaps(ours: string, theirs: string, left: Pick, right: Pick): string | undefined {
    if (ours === theirs) return ours;
    const base = this.#gap("base", left, right);
    if (ours === base) return theirs;
    if (theirs === base) return ours;
    const hasMeaning =
      left.kind === "quoted" && right.kind === "quoted" ? true : this.#language === "python" && ours.includes("\n");
    return hasMeaning || ours.includes("\n") !== theirs.includes("\n") ? undefined : ours;
  }

  // What the other side made of the white space on which a new token borders.
  #respaced(other: Side, gap: string, left: Pick, right: Pick): string | undefined {
    const gapIn = (version: "base" | Side): string | undefined => {
      if (left.base !== ABSENT && left[other] !== ABSENT) return this.#slices[version].gaps[left[version] + 1];
      if (right.base !== ABSENT && right[other] !== ABSENT) return this.#slices[version].gaps[right[version]];
      return undefined;
    };
    const [before, after] = [gapIn("base"), gapIn(other)];
    return before === gap && after !== before ? after : undefined;
  }

  // Both sides put something at one place: the white space there is that before the second.
  #joint(left: Pick, right: Pick): string | undefined {
    if ((left.kind === "text") !== (right.kind === "text")) return undefined;
    const [before, after] = [sideOf(left), sideOf(right)];
    if (before === undefined || after === undefined) return undefined;
    const gap = this.#slices[after].gaps[right[after]] ?? "";
    const isFirst = right[after] === 0;
    const following = this.#slices[before].gaps[left[before] + 1] ?? "";
    if (isFirst)
      return following.includes("\n") ? following.slice(0, following.lastIndexOf("\n") + 1) + gap : following;
    return gap === "" && left.kind === "word" && right.kind === "word" ? " " : gap;
  }

  #reindent(gap: string, other: Side): string | undefined {
    const indentations = this.#indentations[other];
    const at = gap.lastIndexOf("\n") + 1;
    if (!indentations.isChanged || at === 0) return gap;
    const [before = ""] = /^[ \t]*/.exec(gap.slice(at)) ?? [];
    const after = indentations.to.has(before) ? indentations.to.get(before) : shift(before, indentations);
    return after === undefined ? undefined : gap.slice(0, at) + after + gap.slice(at + before.length);
  }
}

/** What became of each indentation of the base; `undefined`: of one that became several. */
interface Indentations {
  readonly isChanged: boolean;
  readonly to: ReadonlyMap<string, string | undefined>;
}

function readIndentations(slices: SliceVersions, picks: readonly Pick[], side: Side): Indentations {
  const to = new Map<string, string | undefined>();
  let isChanged = false;
  for (const pick of picks) {
    if (pick.base < 0 || pick[side] < 0) continue;
    const before = indentationOf(slices.base.gaps[pick.base] ?? "", pick.base);
    const after = indentationOf(slices[side].gaps[pick[side]] ?? "", pick[side]);
    if (before === undefined || after === undefined) continue;
    isChanged ||= before !== after;
    to.set(before, !to.has(before) || to.get(before) === after ? after : undefined);
  }
  return { isChanged, to };
}

function indentationOf(gap: string, at: number): string | undefined {
  const line = gap.lastIndexOf("\n") + 1;
  return line === 0 && at > 0 ? undefined : /^[ \t]*/.exec(gap.slice(line))?.[0];
}

// An indentation that the base does not have goes as far as those that it has.
function shift(indentation: string, { to }: Indentations): string | undefined {
  let by: number | undefined;
  for (const [before, after] of to) {
    if (after === undefined || (by !== undefined && after.length - before.length !== by)) return undefined;
    by = after.length - before.length;
  }
  if (by === undefined || by === 0) return indentation;
  if (by < 0) return indentation.length + by < 0 ? undefined : indentation.slice(-by);
  return (indentation.includes("\t") ? "\t" : " ").repeat(by) + indentation;
}
