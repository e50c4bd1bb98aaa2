import type { Entity } from "../syntax/entity.ts";
import {
  conflictBetween,
  joinOutcomes,
  mergeAsText,
  mergedAs,
  mergeTrivially,
  type ConflictOutcome,
  type Merging,
  type Outcome,
  type Piece,
  type Versions,
} from "./context.ts";
import { isAlike, squeeze, type Part, type PartVersions } from "./part.ts";

/** Where a version that has not the part would have it. */
export type Offsets = Versions<number>;

/**
 * Merges what one part became. Nothing is left of what one side deleted and the other left alone.
 *
 * @param scope the name of the entity the part stands in
 */
export function mergePart(parts: PartVersions, offsets: Offsets, scope: string, merging: Merging): Outcome {
  return withName(mergePresent(parts, offsets, scope, merging), nameOf(parts, scope));
}

/** A conflict about a part as a whole, which its surroundings do not solve. */
export function conflictOfPart(
  parts: PartVersions,
  offsets: Offsets,
  scope: string,
  merging: Merging,
): ConflictOutcome {
  return withName(conflictBetween(piecesOf(parts, offsets), merging, true), nameOf(parts, scope));
}

function mergePresent(parts: PartVersions, offsets: Offsets, scope: string, merging: Merging): Outcome {
  const { base, ours, theirs } = parts;
  if (base === undefined) {
    if (ours !== undefined && theirs !== undefined) return mergeAdded({ ours, theirs }, offsets, scope, merging);
    return mergedAs((ours ?? theirs)?.text ?? "");
  }
  if (ours !== undefined && theirs !== undefined) return mergeAll({ base, ours, theirs }, scope, merging);
  const left = ours ?? theirs;
  if (left === undefined || isAlike(base, left)) return mergedAs("");
  return conflictBetween(piecesOf(parts, offsets), merging, base.entity.name !== undefined);
}

function piecesOf({ base, ours, theirs }: PartVersions, offsets: Offsets): Versions<Piece> {
  const pieceOf = (part: Part | undefined, offset: number): Piece => ({
    text: part?.text ?? "",
    offset: part?.entity.start ?? offset,
  });
  return {
    base: pieceOf(base, offsets.base),
    ours: pieceOf(ours, offsets.ours),
    theirs: pieceOf(theirs, offsets.theirs),
  };
}

function mergeAdded(
  { ours, theirs }: { readonly ours: Part; readonly theirs: Part },
  offsets: Offsets,
  scope: string,
  merging: Merging,
): Outcome {
  if (isAlike(ours, theirs)) return mergedAs(ours.text);
  const pieces = piecesOf({ base: undefined, ours, theirs }, offsets);
  if (ours.entity.kind === "imports") return mergeAsText(pieces, "imports", merging);
  return mergeAddedBodies({ ours, theirs }, offsets, scope, merging) ?? conflictBetween(pieces, merging, true);
}

// Both added a class of one name: as long as no member is in both, it has the members of both.
function mergeAddedBodies(
  { ours, theirs }: { readonly ours: Part; readonly theirs: Part },
  offsets: Offsets,
  scope: string,
  merging: Merging,
): Outcome | undefined {
  const [oursBody, theirsBody] = [ours.entity.body, theirs.entity.body];
  if (oursBody === undefined || theirsBody === undefined || oursBody.separator !== theirsBody.separator) {
    return undefined;
  }
  const { texts } = merging;
  const head = texts.ours.slice(ours.entity.start, oursBody.start);
  const theirsHead = texts.theirs.slice(theirs.entity.start, theirsBody.start);
  const tail = tailOf(ours, oursBody.end);
  const theirsTail = tailOf(theirs, theirsBody.end);
  const isSameFrame = squeeze(head) === squeeze(theirsHead) && squeeze(tail) === squeeze(theirsTail);
  if (!isSameFrame) return undefined;
  const base = { start: offsets.base, end: offsets.base, entities: [] };
  const body = merging.mergeList(
    {
      bodies: { base, ours: oursBody, theirs: theirsBody },
      separator: oursBody.separator,
      isOrdered: oursBody.isOrdered,
      scope: nameIn(scope, ours.entity),
    },
    merging,
  );
  return body.status === "conflict" ? { ...body, isFinal: true } : joinOutcomes([mergedAs(head), body, mergedAs(tail)]);
}

function mergeAll(parts: Versions<Part>, scope: string, merging: Merging): Outcome {
  const { base, ours, theirs } = parts;
  const trivial = mergeTrivially({ base: base.text, ours: ours.text, theirs: theirs.text });
  if (trivial !== undefined) return mergedAs(trivial);
  const { kind } = base.entity;
  if (kind === "imports" || kind === "header") {
    return mergeAsText(piecesOf(parts, { base: 0, ours: 0, theirs: 0 }), kind, merging);
  }
  return joinOutcomes([mergeLeads(parts, merging), mergeCores(parts, scope, merging)]);
}

// How many blank lines there are is decided apart from the comments below them.
function mergeLeads({ base, ours, theirs }: Versions<Part>, merging: Merging): Outcome {
  const blank = mergeBlankLines(blankLinesOf(base.lead), blankLinesOf(ours.lead), blankLinesOf(theirs.lead));
  const pieceOf = ({ lead, entity }: Part): Piece => {
    const { length } = blankLinesOf(lead);
    return { text: lead.slice(length), offset: entity.start + length };
  };
  const pieces = { base: pieceOf(base), ours: pieceOf(ours), theirs: pieceOf(theirs) };
  return joinOutcomes([mergedAs(blank), mergeAsText(pieces, "comment", merging)]);
}

function mergeBlankLines(base: string, ours: string, theirs: string): string {
  return mergeTrivially({ base, ours, theirs }) ?? (ours.length >= theirs.length ? ours : theirs);
}

export function blankLinesOf(text: string): string {
  return /^(?:[ \t\f]*\n)*/.exec(text)?.[0] ?? "";
}

function mergeCores(parts: Versions<Part>, scope: string, merging: Merging): Outcome {
  const { base, ours, theirs } = parts;
  const trivial = mergeTrivially({ base: base.core, ours: ours.core, theirs: theirs.core });
  if (trivial !== undefined) return mergedAs(trivial);
  return mergeBodies(parts, scope, merging) ?? mergeAsText(coresOf(parts), base.entity.kind, merging);
}

function coresOf({ base, ours, theirs }: Versions<Part>): Versions<Piece> {
  const coreOf = ({ core, lead, entity }: Part): Piece => ({ text: core, offset: entity.start + lead.length });
  return { base: coreOf(base), ours: coreOf(ours), theirs: coreOf(theirs) };
}

function mergeBodies(parts: Versions<Part>, scope: string, merging: Merging): Outcome | undefined {
  const { base, ours, theirs } = parts;
  const [baseBody, oursBody, theirsBody] = [base.entity.body, ours.entity.body, theirs.entity.body];
  if (baseBody === undefined || oursBody === undefined || theirsBody === undefined) return undefined;
  if (baseBody.separator !== oursBody.separator || baseBody.separator !== theirsBody.separator) return undefined;
  const { kind } = base.entity;
  const body = merging.mergeList(
    {
      bodies: { base: baseBody, ours: oursBody, theirs: theirsBody },
      separator: baseBody.separator,
      isOrdered: baseBody.isOrdered,
      scope: nameIn(scope, base.entity),
    },
    merging,
  );
  const head = mergeAsText(framesOf(parts, merging, "head"), kind, merging);
  const tail = mergeAsText(framesOf(parts, merging, "tail"), kind, merging);
  return joinOutcomes([head, body, tail]);
}

// Without the separator behind it, as a part's core is.
function tailOf({ core, lead, entity }: Part, bodyEnd: number): string {
  return core.slice(bodyEnd - entity.start - lead.length);
}

// What stands before and after the list. A separator behind it is not part of it.
function framesOf(parts: Versions<Part>, { texts }: Merging, which: "head" | "tail"): Versions<Piece> {
  const frameOf = (part: Part, text: string): Piece => {
    const { entity, lead } = part;
    const { start, end } = entity.body ?? entity;
    const coreStart = entity.start + lead.length;
    if (which === "head") return { text: text.slice(coreStart, start), offset: coreStart };
    return { text: tailOf(part, end), offset: end };
  };
  return {
    base: frameOf(parts.base, texts.base),
    ours: frameOf(parts.ours, texts.ours),
    theirs: frameOf(parts.theirs, texts.theirs),
  };
}

function withName<Result extends Outcome>(outcome: Result, name: string): Result {
  if (outcome.status === "merged" || name === "") return outcome;
  return { ...outcome, hunks: outcome.hunks.map((hunk) => ({ ...hunk, entity: hunk.entity ?? name })) };
}

function nameOf({ base, ours, theirs }: PartVersions, scope: string): string {
  const part = base ?? ours ?? theirs;
  return part === undefined ? scope : nameIn(scope, part.entity);
}

function nameIn(scope: string, { kind, name }: Entity): string {
  if (name === undefined) return scope;
  return scope === "" ? `${kind} ${name}` : `${scope} > ${kind} ${name}`;
}
