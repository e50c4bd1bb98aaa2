import type { Language } from "../language.ts";
import type { ResolutionClass } from "../resolution.ts";
import type { Region } from "../three-way.ts";
import { layOut } from "./layout.ts";
import { ABSENT, type Pick, type SliceVersions } from "./pick.ts";
import { uniteElements } from "./elements.ts";
import { containsChange } from "./contained.ts";
import { spelled, withoutSpelling } from "./spelling.ts";
import { keepsEveryToken } from "./token-count.ts";
import { findTokenRegions } from "./token-edits.ts";

const MOST_TOKENS = 4000;
const LARGEST_BESIDE = 16;

/** What became of some lines, merged token by token. */
export interface TokenMerge {
  readonly text: string;
  readonly class: ResolutionClass;
}

/** Merges lines token by token. `undefined`: both sides changed the same tokens, or tokens that touch. */
export function mergeTokens(slices: SliceVersions, language: Language | undefined): TokenMerge | undefined {
  const { base, ours, theirs } = slices;
  if (Math.max(base.texts.length, ours.texts.length, theirs.texts.length) > MOST_TOKENS) return undefined;
  const keyed = withoutSpelling(slices, language);
  const regions = findTokenRegions(keyed);
  if (areEntangled(regions, slices)) return undefined;
  const picks: Pick[] = [];
  const shared: string[] = [];
  for (const region of regions) {
    const picked = pickRegion(keyed, region);
    if (picked === undefined) return undefined;
    for (const pick of picked.picks) picks.push(pick);
    for (const text of picked.shared) shared.push(text);
  }
  const counted = { base: shared, ours: keyed.ours.texts, theirs: keyed.theirs.texts };
  if (!keepsEveryToken({ ...counted, result: textsOf(picks) })) return undefined;
  const text = layOut(spelled(picks, slices), slices, language);
  return text === undefined ? undefined : { text, class: base.texts.length === 0 ? "B" : "C" };
}

// A large edit that only a bracket or an operator parts from an edit of the other side: it may well have meant that too.
function areEntangled(regions: readonly Region[], slices: SliceVersions): boolean {
  return regions.some((region, at) => {
    const [before, after] = [regions[at - 1], regions[at + 1]];
    if (region.type !== "same" || before === undefined || after === undefined) return false;
    if (before.type === after.type || Math.max(sizeOf(before), sizeOf(after)) <= LARGEST_BESIDE) return false;
    if (isComma(before, slices) || isComma(after, slices)) return false;
    return slices.base.kinds.slice(region.base.start, region.base.end).every((kind) => kind === "mark");
  });
}

// A comma behind the last element says nothing of the elements.
function isComma({ type, base, ours, theirs }: Region, slices: SliceVersions): boolean {
  if (base.start !== base.end || type === "conflict") return false;
  const side = type === "theirs" ? "theirs" : "ours";
  const { start, end } = type === "theirs" ? theirs : ours;
  return end - start === 1 && slices[side].texts[start] === ",";
}

function sizeOf({ base, ours, theirs }: Region): number {
  return Math.max(base.end - base.start, ours.end - ours.start, theirs.end - theirs.start);
}

/** The tokens of a region. */
interface Picked {
  readonly picks: readonly Pick[];
  /** The base with what both sides did to it: from there on, each has edits of its own. */
  readonly shared: readonly string[];
}

function pickRegion(slices: SliceVersions, region: Region): Picked | undefined {
  const base = slices.base.texts.slice(region.base.start, region.base.end);
  if (region.type !== "conflict") {
    const picks = pickSide(slices, region);
    return { picks, shared: region.type === "both" ? textsOf(picks) : base };
  }
  const [ours, theirs] = [
    pickSide(slices, { ...region, type: "ours" }),
    pickSide(slices, { ...region, type: "theirs" }),
  ];
  return pickConflict({ base, ours, theirs });
}

function pickConflict(conflict: Conflict): Picked | undefined {
  const { base, ours, theirs } = conflict;
  const [inOurs, inTheirs] = [textsOf(ours), textsOf(theirs)];
  if (containsChange(base, inOurs, inTheirs)) return { picks: ours, shared: inTheirs };
  if (containsChange(base, inTheirs, inOurs)) return { picks: theirs, shared: inOurs };
  const picks = base.length === 0 ? uniteElements(ours, theirs) : mergeEnds(conflict);
  return picks && { picks, shared: base };
}

/** Tokens that both sides changed. */
interface Conflict {
  readonly base: readonly string[];
  readonly ours: readonly Pick[];
  readonly theirs: readonly Pick[];
}

// One side only put a comma or a semicolon behind what the other changed, or took it away.
function mergeEnds({ base, ours, theirs }: Conflict): readonly Pick[] | undefined {
  const before = base.at(-1) === "," || base.at(-1) === ";";
  const [byOurs, byTheirs] = [endsOpen(ours), endsOpen(theirs)];
  const core = before ? base.slice(0, -1) : base;
  const [oursCore, theirsCore] = [byOurs ? ours.slice(0, -1) : ours, byTheirs ? theirs.slice(0, -1) : theirs];
  const oursKept = textsOf(oursCore).join("\0") === core.join("\0");
  const theirsKept = textsOf(theirsCore).join("\0") === core.join("\0");
  if (core.length === 0 || oursKept === theirsKept) return undefined;
  const merged = oursKept ? theirsCore : oursCore;
  if (merged.length === 0 && core[0] !== ",") return undefined;
  const isEnded = byOurs === before ? byTheirs : byOurs;
  if (!isEnded) return merged;
  const end = byOurs ? ours.at(-1) : theirs.at(-1);
  return end === undefined ? undefined : [...merged, end];
}

function endsOpen(picks: readonly Pick[]): boolean {
  const last = picks.at(-1)?.text;
  return last === "," || last === ";";
}

function textsOf(picks: readonly Pick[]): string[] {
  return picks.map(({ text }) => text);
}

function pickSide(slices: SliceVersions, { type, base, ours, theirs }: Region): Pick[] {
  const side = type === "theirs" ? "theirs" : "ours";
  const range = side === "theirs" ? theirs : ours;
  const picks: Pick[] = [];
  for (let at = range.start; at < range.end; at += 1) {
    const by = at - range.start;
    picks.push({
      text: slices[side].texts[at] as string,
      kind: slices[side].kinds[at] ?? "mark",
      base: type === "same" ? base.start + by : ABSENT,
      ours: type === "theirs" ? ABSENT : ours.start + by,
      theirs: type === "ours" ? ABSENT : theirs.start + by,
    });
  }
  return picks;
}
