import { Grammars } from "../grammars/grammars.ts";
import { findFileLosses } from "../merge/conservation/file-losses.ts";
import type { Loss } from "../merge/conservation/loss.ts";
import { mergeFile, type FileMerge } from "../merge/file.ts";
import { languageOf, type Language } from "../merge/language.ts";
import type { PolicyDrop } from "../merge/resolution.ts";
import type { MergePolicy } from "../merge/text.ts";
import type { TextVersions } from "../merge/versions.ts";
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
  await loadGrammar(language);
  return mergeFile({ path, versions, policy, parsers: grammars });
}

/** What a merged file lacks of either side's edits, or has of neither's, whoever merged it. */
export async function findContentLosses(
  path: string,
  versions: TextVersions,
  result: string,
  drops: readonly PolicyDrop[],
): Promise<Loss[]> {
  await loadGrammar(languageOf(path));
  return findFileLosses({ path, versions, result, drops, parsers: grammars });
}

// Without its grammar a file is merged by lines.
async function loadGrammar(language: Language | undefined): Promise<void> {
  if (language !== undefined) await grammars.load(language).catch(() => undefined);
}
