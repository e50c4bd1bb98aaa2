/** The offset where the line of an offset begins. */
export function lineStartAt(text: string, offset: number): number {
  return offset <= 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
}

/** The offset after the line that something ends on, given the offset after that thing. */
export function lineEndAt(text: string, end: number): number {
  const found = text.indexOf("\n", Math.max(0, end - 1));
  return found < 0 ? text.length : found + 1;
}

/** Whether a text is white space only. */
export function isBlank(text: string): boolean {
  return !/\S/.test(text);
}
