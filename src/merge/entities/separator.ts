/**
 * Where in a list's element the separator stands or has to stand: after its last word, before a comment at its end.
 * `undefined`: there is nothing but white space and comments.
 */
export function separatorPlace(text: string): number | undefined {
  let end = text.length;
  for (;;) {
    end = endWithoutSpace(text, end);
    const start = startOfLastComment(text, end);
    if (start === undefined) break;
    end = start;
  }
  if (end === 0) return undefined;
  return text[end - 1] === "," ? end - 1 : end;
}

function endWithoutSpace(text: string, end: number): number {
  let at = end;
  while (at > 0 && /\s/.test(text[at - 1] as string)) at -= 1;
  return at;
}

function startOfLastComment(text: string, end: number): number | undefined {
  if (end > 3 && text.startsWith("*/", end - 2)) {
    const start = text.lastIndexOf("/*", end - 4);
    return start < 0 ? undefined : start;
  }
  const lineStart = text.lastIndexOf("\n", end - 1) + 1;
  const line = text.slice(lineStart, end);
  for (let at = line.indexOf("//"); at >= 0; at = line.indexOf("//", at + 2)) {
    const isFree = at === 0 || /[\s,]/.test(line[at - 1] as string);
    if (isFree && !isQuoted(line, at)) return lineStart + at;
  }
  return undefined;
}

function isQuoted(line: string, at: number): boolean {
  let quote = "";
  for (let here = 0; here < at; here += 1) {
    const character = line[here] as string;
    if (character === "\\") here += 1;
    else if (quote === "" && /["'`]/.test(character)) quote = character;
    else if (character === quote) quote = "";
  }
  return quote !== "";
}

/** Puts a separator behind an element that has none. */
export function withSeparator(text: string, separator: string): string {
  const at = separatorPlace(text);
  return at === undefined || text[at] === separator ? text : text.slice(0, at) + separator + text.slice(at);
}
