/** The languages whose syntax is known. */
export type Language = "typescript" | "tsx" | "javascript" | "python" | "go" | "rust" | "java";

const LANGUAGES: Readonly<Record<string, Language>> = {
  ts: "typescript",
  mts: "typescript",
  cts: "typescript",
  tsx: "tsx",
  js: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  jsx: "javascript",
  py: "python",
  pyi: "python",
  go: "go",
  rs: "rust",
  java: "java",
};

/**
 * The language of a file, by its name.
 *
 * @example
 * languageOf("src/a.ts") // "typescript"
 */
export function languageOf(path: string): Language | undefined {
  const [, ending] = /\.([a-z]+)$/i.exec(path) ?? [];
  return ending === undefined ? undefined : LANGUAGES[ending.toLowerCase()];
}
