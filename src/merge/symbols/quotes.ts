/** A text without the quotes around it. */
export function unquote(text: string): string {
  return text.replaceAll(/^["'`]|["'`]$/g, "");
}
