import type { PieceVersions } from "../resolution.ts";
import type { TextLoss } from "./loss.ts";

const MARKER = /^(?:<{7,}|>{7,}|\|{7,})(?: .*)?$/gm;

/** Finds conflict markers that no version has. */
export function findMarkerLosses({ base, ours, theirs }: PieceVersions, result: string): TextLoss[] {
  const found = markersIn(result);
  if (found.length === 0) return [];
  const known = new Set([base, ours, theirs].flatMap(markersIn));
  return found.filter((line) => !known.has(line)).map((detail) => ({ kind: "markers", detail, count: 1 }));
}

function markersIn(text: string): string[] {
  return text.match(MARKER) ?? [];
}
