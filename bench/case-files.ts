import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { languageOf, type Language } from "../src/merge/language.ts";

/** A merge, and what it should come to. */
export interface WrittenCase {
  readonly path: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly human: string;
  /** Where it is from. */
  readonly repo: string;
  readonly commit: string;
}

/** As the corpus calls them. */
const NAMES: Readonly<Record<Language, string>> = {
  typescript: "ts",
  tsx: "tsx",
  javascript: "js",
  python: "py",
  go: "go",
  rust: "rs",
  java: "java",
};

/** Writes cases as those of the merge corpus are: a file a language, an object a line. */
export class CaseFiles {
  readonly #folder: string;
  readonly #begun = new Set<string>();
  #count = 0;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
  }

  /** Adds a case; what is in none of the languages is left out. */
  add(one: WrittenCase): void {
    const language = languageOf(one.path);
    if (language === undefined) return;
    const lang = NAMES[language];
    const file = join(this.#folder, `${lang}.jsonl.gz`);
    if (!this.#begun.has(lang)) writeFileSync(file, "");
    this.#begun.add(lang);
    this.#count += 1;
    // Files that were zipped one by one are one when they stand one behind another.
    appendFileSync(file, gzipSync(`${JSON.stringify({ id: `case-${this.#count}`, lang, ...one })}\n`));
  }
}
