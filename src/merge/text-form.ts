import type { LineVersions, TextVersions } from "./versions.ts";

/** How a text in UTF-8 may begin: where it is read as characters, and where as bytes. */
const BYTE_ORDER_MARKS = ["\ufeff", "\u00ef\u00bb\u00bf"] as const;

/** What a text has apart from its lines. `undefined`: the text is too short to say. */
export interface TextForm {
  /** The byte order mark; empty where there is none. */
  readonly mark: string;
  readonly lineEnd: "\n" | "\r\n" | undefined;
  readonly endsWithLineEnd: boolean | undefined;
}

/** A text taken apart: its lines without their ends, and the form they stood in. */
export interface FormedText {
  readonly lines: readonly string[];
  readonly form: TextForm;
}

/** The byte order mark that a text begins with, or nothing. */
export function markOf(text: string): string {
  return BYTE_ORDER_MARKS.find((mark) => text.startsWith(mark)) ?? "";
}

/**
 * Takes a text apart, so that its lines and its form can be merged each by itself.
 *
 * @param keepReturns leaves carriage returns in the lines: for texts whose line ends differ from line to line
 */
export function takeApart(text: string, keepReturns: boolean): FormedText {
  const mark = markOf(text);
  const body = text.slice(mark.length);
  const hasReturns = !keepReturns && body.includes("\r") && body.includes("\r\n");
  const lines = body.split(hasReturns ? "\r\n" : "\n");
  const isSplit = lines.length > 1;
  const last = lines.pop() ?? "";
  if (last !== "") lines.push(last);
  return {
    lines,
    form: {
      mark,
      lineEnd: isSplit ? (hasReturns ? "\r\n" : "\n") : undefined,
      endsWithLineEnd: body === "" ? undefined : last === "",
    },
  };
}

/** Whether the line ends of a text are not all of one kind, or a lone carriage return could be taken for half of one. */
export function hasMixedLineEnds(text: string): boolean {
  let at = text.indexOf("\r");
  if (at < 0) return false;
  let returns = 0;
  for (; at >= 0; at = text.indexOf("\r", at + 1)) {
    const next = text.charCodeAt(at + 1);
    if (next === 10) returns += 1;
    else if (next === 13 || at + 1 === text.length) return true;
  }
  return returns > 0 && returns !== countLineFeeds(text);
}

/**
 * Takes three versions apart and merges their forms. Where one of them has mixed line ends, or the sides disagree about
 * them and no base decides, carriage returns stay in the lines.
 */
export function takeVersionsApart(versions: TextVersions): { readonly lines: LineVersions; readonly form: TextForm } {
  const isMixed = [versions.base ?? "", versions.ours, versions.theirs].some(hasMixedLineEnds);
  return (isMixed ? undefined : takeAllApart(versions, false)) ?? takeAllApart(versions, true) ?? impossible();
}

function takeAllApart(
  versions: TextVersions,
  keepReturns: boolean,
): { readonly lines: LineVersions; readonly form: TextForm } | undefined {
  const base = versions.base === undefined ? undefined : takeApart(versions.base, keepReturns);
  const ours = takeApart(versions.ours, keepReturns);
  const theirs = takeApart(versions.theirs, keepReturns);
  const form = mergeForms(base?.form, ours.form, theirs.form);
  return form && { lines: { base: base?.lines ?? [], ours: ours.lines, theirs: theirs.lines }, form };
}

function impossible(): never {
  throw new Error("texts whose only line end is a line feed differ in their line ends");
}

/** Puts a text together again; the inverse of {@link takeApart}. */
export function putTogether(lines: readonly string[], form: TextForm): string {
  const { mark } = form;
  if (lines.length === 0) return mark;
  const lineEnd = form.lineEnd ?? "\n";
  // Without an end, a last line that is empty would be none.
  const isEnded = form.endsWithLineEnd === true || lines.at(-1) === "";
  return mark + lines.join(lineEnd) + (isEnded ? lineEnd : "");
}

/** Merges forms three-way. `undefined`: the sides chose different line ends where the base has none. */
function mergeForms(base: TextForm | undefined, ours: TextForm, theirs: TextForm): TextForm | undefined {
  const lineEnd = mergeValues(base?.lineEnd, ours.lineEnd, theirs.lineEnd);
  if (lineEnd === "undecided") return undefined;
  const mark = mergeMarks(base?.mark, ours.mark, theirs.mark);
  const ends = mergeValues(base?.endsWithLineEnd, ours.endsWithLineEnd, theirs.endsWithLineEnd);
  return { mark, lineEnd, endsWithLineEnd: ends === "undecided" ? true : ends };
}

// There is one mark or none; where no base decides, it stays.
function mergeMarks(base: string | undefined, ours: string, theirs: string): string {
  if (ours === theirs || theirs === base) return ours;
  return ours === base || ours === "" ? theirs : ours;
}

function mergeValues<Value>(base: Value, ours: Value, theirs: Value): Value | "undecided" {
  if (ours === theirs || theirs === undefined) return ours;
  if (ours === undefined || ours === base) return theirs;
  return theirs === base ? ours : "undecided";
}

function countLineFeeds(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
