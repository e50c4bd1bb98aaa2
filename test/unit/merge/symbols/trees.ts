import { Grammars } from "../../../../src/grammars/grammars.ts";
import { languageOf } from "../../../../src/merge/language.ts";
import type { FileState, FileVersions } from "../../../../src/merge/symbols/file-versions.ts";
import { parseSymbols } from "../../../../src/merge/symbols/read-symbols.ts";
import type { SemanticHit } from "../../../../src/merge/symbols/semantic-hit.ts";
import { findSemanticHits } from "../../../../src/merge/symbols/semantic-hits.ts";
import type { SymbolTable } from "../../../../src/merge/symbols/symbol-table.ts";
import { mergeText } from "../../../../src/merge/text.ts";

/** The texts of a tree, by path. */
export type Texts = Readonly<Record<string, string>>;

const grammars = new Grammars();

/** Loads the grammars that some paths need. */
export async function loadFor(...paths: readonly string[]): Promise<void> {
  const languages = paths.flatMap((path) => languageOf(path) ?? []);
  await Promise.all(languages.map((language) => grammars.load(language)));
}

/** The symbols of a text. */
export function symbolsOf(path: string, text: string): SymbolTable {
  const language = languageOf(path);
  const table = language === undefined ? undefined : parseSymbols(grammars, language, text);
  if (table === undefined) throw new Error(`${path} was not read`);
  return table;
}

/** What a merge of two sides is found to break, the files that both changed being merged as text. */
export async function hitsOf(
  base: Texts,
  ours: Texts,
  theirs: Texts,
  elsewhere: readonly string[] = [],
): Promise<SemanticHit[]> {
  const paths = [...new Set([base, ours, theirs].flatMap((side) => Object.keys(side)))];
  await loadFor(...paths);
  const files = paths.flatMap((path): FileVersions[] => {
    const [own, other, before] = [ours[path], theirs[path], base[path]];
    if (own === before && other === before) return [];
    const merged = mergedText(before, own, other);
    return [
      {
        path,
        base: stateOf(path, before),
        ours: stateOf(path, own),
        theirs: stateOf(path, other),
        merged: stateOf(path, merged),
      },
    ];
  });
  return findSemanticHits({ files, elsewhere: new Set(elsewhere) });
}

function mergedText(
  base: string | undefined,
  ours: string | undefined,
  theirs: string | undefined,
): string | undefined {
  if (ours === base) return theirs;
  if (theirs === base || theirs === ours) return ours;
  const merge = mergeText({ base: base ?? "", ours: ours ?? "", theirs: theirs ?? "" }, "text");
  if (merge.status !== "merged") throw new Error("the texts do not merge");
  return merge.text;
}

function stateOf(path: string, text: string | undefined): FileState | undefined {
  if (text === undefined) return undefined;
  const language = languageOf(path);
  return { oid: text, text, table: language === undefined ? undefined : symbolsOf(path, text) };
}

/** The base with some of its files as a side has them; `undefined`: it deleted the file. */
export function change(base: Texts, edits: Readonly<Record<string, string | undefined>>): Texts {
  const all = { ...base, ...edits };
  return Object.fromEntries(Object.entries(all).flatMap(([path, text]) => (text === undefined ? [] : [[path, text]])));
}
