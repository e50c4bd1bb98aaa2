import { Grammars } from "../grammars/grammars.ts";
import { findFileLosses } from "../merge/conservation/file-losses.ts";
import type { Loss } from "../merge/conservation/loss.ts";
import { mergeFile, type FileMerge } from "../merge/file.ts";
import { languageOf, type Language } from "../merge/language.ts";
import type { PolicyDrop } from "../merge/resolution.ts";
import { applyResolutions } from "../merge/resolutions.ts";
import type { MergePolicy } from "../merge/text.ts";
import type { TextVersions } from "../merge/versions.ts";
import type { TextContents } from "./file-contents.ts";
import type { KnownResolutions } from "./resolution-cache.ts";

/** One set for the process: a grammar is large, and loaded when the first file needs it. */
export const grammars = new Grammars();

/** Merges three versions of a file with all that is known of its language, and of what people made of such a file before. */
export async function mergeContents(
  path: string,
  { versions, encoding }: TextContents,
  policy: MergePolicy,
  recall: () => Promise<KnownResolutions>,
): Promise<FileMerge> {
  const language = encoding === "utf8" && policy === "text" ? languageOf(path) : undefined;
  await loadGrammar(language);
  const merge = mergeFile({ path, versions, policy, parsers: grammars });
  const isOpen = merge.status === "conflict" && (merge.why === "lines" || merge.why === "loss");
  if (!isOpen || policy !== "text" || encoding !== "utf8") return merge;
  return mergeAsBefore(path, versions, await recall()) ?? merge;
}

/** As somebody has merged the same places before, where that loses nothing here. */
function mergeAsBefore(path: string, versions: TextVersions, { find }: KnownResolutions): FileMerge | undefined {
  const text = applyResolutions(versions, (place) => find(path, place));
  if (text === undefined) return undefined;
  const losses = findFileLosses({ path, versions, result: text, drops: [], parsers: grammars });
  if (losses.length > 0) return undefined;
  return { status: "merged", text, resolvers: ["cache"], class: "C", classes: ["C"], drops: [] };
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
