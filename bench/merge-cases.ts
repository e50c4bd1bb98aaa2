import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

import { languageOf, type Language } from "../src/merge/language.ts";

/** A merge whose result is known: somebody made it by hand, say. */
export interface MergeCase {
  readonly id: string;
  readonly path: string;
  readonly lang: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly human: string;
}

/** Reads a folder of cases: files of JSON lines, also compressed. */
export function* readMergeCases(folder: string): Generator<MergeCase> {
  for (const name of readdirSync(folder).toSorted()) {
    if (!/\.jsonl(\.gz)?$/.test(name)) continue;
    const bytes = readFileSync(join(folder, name));
    const text = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
    for (const line of text.split("\n")) if (line !== "") yield JSON.parse(line) as MergeCase;
  }
}

/** As the corpus calls them. */
const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  typescript: "ts",
  tsx: "tsx",
  javascript: "js",
  python: "py",
  go: "go",
  rust: "rs",
  java: "java",
};

/** Writes a folder of cases: a compressed file a language, which replaces what was there. */
export class MergeCaseWriter {
  readonly #folder: string;
  readonly #begun = new Set<string>();
  #count = 0;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
  }

  /** Adds a case; what is in none of the languages is left out. */
  add(merge: Omit<MergeCase, "id" | "lang">): void {
    const language = languageOf(merge.path);
    if (language === undefined) return;
    const lang = LANGUAGE_NAMES[language];
    const file = join(this.#folder, `${lang}.jsonl.gz`);
    if (!this.#begun.has(lang)) writeFileSync(file, "");
    this.#begun.add(lang);
    this.#count += 1;
    // Files that were compressed one by one are one when they stand one behind another.
    appendFileSync(file, gzipSync(`${JSON.stringify({ id: `case-${this.#count}`, lang, ...merge })}\n`));
  }
}
