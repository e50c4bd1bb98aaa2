import { Grammars } from "../grammars/grammars.ts";
import { mergeFile, type FileMerge } from "../merge/file.ts";
import { languageOf } from "../merge/language.ts";
import type { MergePolicy } from "../merge/text.ts";
import type { TextContents } from "./file-contents.ts";

/** One set for the process: a grammar is large, and loaded when the first file needs it. */
export const grammars = new Grammars();

/** Merges three versions of a file with all that is known of its language. */
export async function mergeContents(
  path: string,
  { versions, encoding }: TextContents,
  policy: MergePolicy,
): Promise<FileMerge> {
  const language = encoding === "utf8" && policy === "text" ? languageOf(path) : undefined;
  // Without its grammar a file is merged by lines.
  if (language !== undefined) await grammars.load(language).catch(() => undefined);
  return mergeFile({ path, versions, policy, parsers: grammars });
}
