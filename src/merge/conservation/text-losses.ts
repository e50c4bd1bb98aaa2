import { countLines, findCountLosses, shorten, type CountedLines } from "./line-count.ts";
import type { Loss, TextLoss } from "./loss.ts";
import type { TextVersions } from "../versions.ts";

/** As characters, and as bytes. */
const BYTE_ORDER_MARK = /^(?:\ufeff|\u00ef\u00bb\u00bf)/;

/**
 * Counts, line by line, whether a result has what both sides made of the base. It knows nothing of how the result was
 * made, nor of order: so it finds what any way of merging dropped, brought back or made up.
 *
 * @example
 * findTextLosses("a.txt", { base: "a\n", ours: "a\nb\n", theirs: "a\nc\n" }, "a\nb\n") // "c" is lost
 */
export function findTextLosses(path: string, versions: TextVersions, result: string): Loss[] {
  const lines = readLines(versions, result);
  const losses = findCountLosses(countLines(lines));
  const found = losses.length === 0 ? losses : (findSpacingLosses(lines) ?? losses);
  return [...found, ...findFormLosses(versions, result)].map((loss) => ({ path, ...loss }));
}

function readLines({ base = "", ours, theirs }: TextVersions, result: string): CountedLines {
  const isMixed = [base, ours, theirs, result].some((text) => lineEndOf(text) === "mixed");
  const read = (text: string): string[] => {
    const lines = withoutMark(isMixed ? text : text.replaceAll("\r\n", "\n")).split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines;
  };
  return { base: read(base), ours: read(ours), theirs: read(theirs), result: read(result) };
}

// A side that changed nothing but white space may have lost that of the lines which the other side changed; no more.
function findSpacingLosses(lines: CountedLines): TextLoss[] | undefined {
  const sides = (["ours", "theirs"] as const).filter((side) => isRespaced(lines.base, lines[side]));
  if (sides.length === 0) return undefined;
  const bare = countLines({
    base: lines.base.map(bareOf),
    ours: lines.ours.map(bareOf),
    theirs: lines.theirs.map(bareOf),
    result: lines.result.map(bareOf),
  });
  const losses = findCountLosses(bare);
  for (const side of sides) {
    const other = side === "ours" ? "theirs" : "ours";
    for (const [line, count] of countLines(lines)) {
      const bareCount = bare.get(bareOf(line));
      const edited = bareCount === undefined ? 0 : bareCount[other] - bareCount.base;
      const fewest = count[side] - Math.max(0, -edited);
      const most = count[side] + Math.max(0, edited, count[other] - count.base);
      if (count[side] > count.base && count.result < fewest) {
        losses.push({ kind: "lost-line", detail: shorten(line), count: fewest - count.result });
      }
      if (count[side] < count.base && count.result > most) {
        losses.push({ kind: "resurrected-line", detail: shorten(line), count: count.result - most });
      }
    }
  }
  return losses;
}

function isRespaced(base: readonly string[], side: readonly string[]): boolean {
  return base.length === side.length && base.every((line, at) => bareOf(line) === bareOf(side[at] ?? ""));
}

function bareOf(line: string): string {
  return line
    .split(/[ \t\v\f\r]/)
    .filter((word) => word !== "")
    .join(" ");
}

/** What a result lacks of what either side made of the byte order mark, the line ends and the end of the last line. */
export function findFormLosses({ base, ours, theirs }: TextVersions, result: string): TextLoss[] {
  if (base === undefined) return [];
  const compare = (detail: string, formOf: (text: string) => unknown): TextLoss[] => {
    const [before, byOurs, byTheirs, after] = [base, ours, theirs, result].map(formOf);
    if ([before, byOurs, byTheirs, after].includes(undefined)) return [];
    const expected = byOurs === before ? byTheirs : byOurs;
    if (after === expected) return [];
    return [{ kind: expected === before ? "foreign-change" : "lost-change", detail, count: 1 }];
  };
  return [
    ...compare("byte order mark", (text) => BYTE_ORDER_MARK.test(text)),
    ...compare("line ends", plainLineEndOf),
    ...compare("end of the last line", hasLastLineEnd),
  ];
}

function withoutMark(text: string): string {
  return text.replace(BYTE_ORDER_MARK, "");
}

function lineEndOf(text: string): "lf" | "crlf" | "mixed" | undefined {
  if (!text.includes("\r\n")) return text.includes("\n") ? "lf" : undefined;
  return /(^|[^\r])\n/.test(text) ? "mixed" : "crlf";
}

function plainLineEndOf(text: string): "lf" | "crlf" | undefined {
  const lineEnd = lineEndOf(text);
  return lineEnd === "mixed" ? undefined : lineEnd;
}

// An empty last line cannot be without its end, so it says nothing.
function hasLastLineEnd(text: string): boolean | undefined {
  const body = withoutMark(text);
  const isEnded = body.endsWith("\n");
  const end = body.length - (isEnded ? 1 : 0);
  const lastLine = body.slice(end === 0 ? 0 : body.lastIndexOf("\n", end - 1) + 1, end);
  return lastLine === "" || lastLine === "\r" ? undefined : isEnded;
}
