/** What a scan has to know of a language. */
export interface Lexis {
  readonly lineComment: "//" | "#";
  readonly hasBlockComments: boolean;
  readonly quotes: string;
  /** Whether a statement ends with its line, unless something is still open. */
  readonly endsWithLine: boolean;
}

/** The same text with blanks in place of comments: offsets stay what they are. */
export function blankComments(text: string, lexis: Lexis): string {
  let result = "";
  let from = 0;
  for (let at = 0; at < text.length;) {
    const end = commentEnd(text, at, lexis);
    if (end === undefined) {
      at = stringEnd(text, at, lexis) ?? at + 1;
      continue;
    }
    result += text.slice(from, at) + text.slice(at, end).replace(/[^\n]/g, " ");
    at = end;
    from = end;
  }
  return result + text.slice(from);
}

/** Where a comment that begins here ends; a comment to the end of the line leaves the line feed out. */
export function commentEnd(text: string, at: number, lexis: Lexis): number | undefined {
  if (text.startsWith(lexis.lineComment, at)) return lineEnd(text, at);
  if (!lexis.hasBlockComments || !text.startsWith("/*", at)) return undefined;
  const end = text.indexOf("*/", at + 2);
  return end < 0 ? text.length : end + 2;
}

/** Where the line ends, before its line feed. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** Where a string that begins here ends. */
export function stringEnd(text: string, at: number, { quotes }: Lexis): number | undefined {
  const quote = text[at];
  if (quote === undefined || !quotes.includes(quote)) return undefined;
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === "\\") end += 1;
    else if (text[end] === quote) return end + 1;
    else if (text[end] === "\n" && quote !== "`") return end;
  }
  return text.length;
}

/** Where the statement that begins here ends, with the rest of its last line. `code` is without comments. */
export function statementEnd(code: string, start: number, lexis: Lexis, isOpen: IsOpen): number {
  let depth = 0;
  for (let at = start; at < code.length;) {
    const next = stringEnd(code, at, lexis);
    if (next !== undefined) {
      at = next;
      continue;
    }
    const character = code[at] as string;
    at += 1;
    if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
    if (depth > 0) continue;
    const isEnd =
      character === ";" || (character === "\n" && lexis.endsWithLine && !isOpen(code.slice(start, at - 1), code, at));
    if (!isEnd) continue;
    if (character === "\n") return at;
    const end = lineEnd(code, at);
    if (code.slice(at, end).trim() === "") return Math.min(end + 1, code.length);
  }
  return code.length;
}

/** Whether a statement goes on after the line it has come to. `next` is where the next line begins. */
export type IsOpen = (soFar: string, code: string, next: number) => boolean;
