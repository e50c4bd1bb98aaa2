import { markOf, putTogether, takeVersionsApart } from "./text-form.ts";
import { findAddedRegions, findRegions } from "./three-way.ts";
import type { TextVersions } from "./versions.ts";

/** What stands behind the markers of each version. */
export interface MarkerLabels {
  readonly ours: string;
  readonly base: string;
  readonly theirs: string;
}

/** The merged text with git's conflict markers, base included, around what a person has to decide. */
export function withMarkers(versions: TextVersions, labels: MarkerLabels): string {
  const { lines, form } = takeVersionsApart(versions);
  const regions = versions.base === undefined ? findAddedRegions(lines) : findRegions(lines);
  const marked = regions.flatMap(({ type, base, ours, theirs }) => {
    const [oursLines, theirsLines] = [
      lines.ours.slice(ours.start, ours.end),
      lines.theirs.slice(theirs.start, theirs.end),
    ];
    if (type !== "conflict") return type === "theirs" ? theirsLines : oursLines;
    return [
      marker("<", labels.ours),
      ...oursLines,
      marker("|", labels.base),
      ...lines.base.slice(base.start, base.end),
      "=".repeat(7),
      ...theirsLines,
      marker(">", labels.theirs),
    ];
  });
  return putTogether(marked, form);
}

function marker(sign: string, label: string): string {
  const text = label.replace(/[\0-\x1f\x7f]+/g, " ").trim();
  return text === "" ? sign.repeat(7) : `${sign.repeat(7)} ${text}`;
}

/** Whether a text still has conflict markers: a line that opens a conflict, and later one that closes it. */
export function hasMarkers(text: string): boolean {
  const opening = findMarker(text, "<<<<<<<", 0);
  return opening >= 0 && findMarker(text, ">>>>>>>", opening) >= 0;
}

function findMarker(text: string, sign: string, from: number): number {
  const start = markOf(text).length;
  for (let at = text.indexOf(sign, from); at >= 0; at = text.indexOf(sign, at + 1)) {
    const isAtStart = at === start || text[at - 1] === "\n" || text[at - 1] === "\r";
    if (isAtStart && /^[ \r\n]?$/.test(text.charAt(at + sign.length))) return at;
  }
  return -1;
}
