/** What a scan has to know of a language. */
export interface Lexis {
  readonly lineComment: "//" | "#";
  readonly hasBlockComments: boolean;
  readonly quotes: string;
  /** Whether a statement ends with its line, unless something is still open. */
  readonly endsWithLine: boolean;
}

/** Where strings and comments may begin. */
const TELLING = /[/#"'`]/g;
/** Where a statement may end, or where something opens or closes that it ends after. */
const ENDING = /[;\n([{)\]}"'`]/g;

/** The same text with blanks in place of comments: offsets stay what they are. */
export function blankComments(text: string, lexis: Lexis): string {
  let result = "";
  let from = 0;
  for (let at = next(text, 0, TELLING); at < text.length; at = next(text, at, TELLING)) {
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

/** Where blank lines and comments end, with the indentation of what follows. */
export function blankEnd(text: string, from: number, lexis: Lexis): number {
  let at = from;
  while (at < text.length) {
    if (/\s/.test(text[at] as string)) at += 1;
    else {
      const end = commentEnd(text, at, lexis);
      if (end === undefined) break;
      at = end;
    }
  }
  return at;
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
  for (let at = next(code, start, ENDING); at < code.length; at = next(code, at, ENDING)) {
    const afterString = stringEnd(code, at, lexis);
    if (afterString !== undefined) {
      at = afterString;
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

// Where one of these characters stands next: a loop over all others would take most of the time.
function next(text: string, from: number, characters: RegExp): number {
  characters.lastIndex = from;
  return characters.exec(text)?.index ?? text.length;
}
