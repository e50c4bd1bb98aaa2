import type { Language } from "../language.ts";
import { ABSENT, type Pick, type SliceVersions } from "./pick.ts";
import type { Slice } from "./slice.ts";

/** Where a string means the same in either kind of quotes. */
const EITHER_QUOTES: ReadonlySet<Language> = new Set(["python", "javascript", "typescript", "tsx"]);
const SINGLE = /^'([^'"\\\n]*)'$/;

/**
 * The same tokens with all strings in one kind of quotes, where the language does not tell the two apart: that a
 * formatter changed them is no edit that meets another one.
 */
export function withoutSpelling(slices: SliceVersions, language: Language | undefined): SliceVersions {
  if (language === undefined || !EITHER_QUOTES.has(language)) return slices;
  return { base: quotedAlike(slices.base), ours: quotedAlike(slices.ours), theirs: quotedAlike(slices.theirs) };
}

function quotedAlike(slice: Slice): Slice {
  return { ...slice, texts: slice.texts.map((text) => (text.startsWith("'") ? text.replace(SINGLE, '"$1"') : text)) };
}

/** Tokens as they are written: where only one side spelt one anew, as that side did. */
export function spelled(picks: readonly Pick[], slices: SliceVersions): Pick[] {
  return picks.map((pick) => {
    const [base, ours, theirs] = [
      textAt(slices.base, pick.base),
      textAt(slices.ours, pick.ours),
      textAt(slices.theirs, pick.theirs),
    ];
    const text = ours === undefined || ours === base ? (theirs ?? ours) : ours;
    return text === undefined || text === pick.text ? pick : { ...pick, text };
  });
}

function textAt({ texts }: Slice, at: number): string | undefined {
  return at === ABSENT ? undefined : texts[at];
}
