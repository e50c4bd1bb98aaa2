import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { Language as Grammar, Parser, type Tree } from "web-tree-sitter";

import { systemClock, type Clock } from "../base/clock.ts";
import type { Language } from "../merge/language.ts";
import { countErrors } from "../merge/syntax/errors.ts";
import type { ParsedText, Parsers } from "../merge/syntax/parsers.ts";
import { editedTree } from "./edited-tree.ts";

/** The published package has the grammars beside its code; here they are still where they came from. */
const FOLDERS = ["./grammars/", "../../node_modules/@vscode/tree-sitter-wasm/wasm/"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);
const RUNTIME_FOLDERS = ["./grammars/", "../../node_modules/web-tree-sitter/"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);

/** A megabyte takes a quarter of this on a small machine. */
const LIMIT_MS = 2000;

/** A mark of the dialect stands in the first comment. */
const MOST_HEADER = 1000;

/** Grammars that know what another does not: types in JavaScript. */
const DIALECTS: Readonly<Partial<Record<Language, Language>>> = { javascript: "tsx" };

/** Grammars, loaded one by one when a file needs them. */
export class Grammars implements Parsers {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #parsers = new Map<Language, Parser>();
  readonly #loading = new Map<Language, Promise<void>>();

  /** @param options.limitMs how long a text may take; the parser of what takes longer gives up */
  constructor({ clock = systemClock, limitMs = LIMIT_MS }: { clock?: Clock; limitMs?: number } = {}) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Loads what is needed to parse a language; once. */
  load(language: Language): Promise<void> {
    const known = this.#loading.get(language);
    if (known !== undefined) return known;
    const dialect = DIALECTS[language];
    const loading = this.#load(language).then(() => (dialect === undefined ? undefined : this.load(dialect)));
    this.#loading.set(language, loading);
    // Whoever asks again tries again.
    loading.catch(() => this.#loading.delete(language));
    return loading;
  }

  parse(language: Language, text: string, near?: ParsedText): ParsedText | undefined {
    if (near !== undefined) return this.#parseNear(text, near);
    const [first, second] = dialectsOf(language, text);
    const parsed = this.#parse(first, text);
    if (parsed === undefined || second === undefined || !parsed.tree.rootNode.hasError) return parsed;
    return better(parsed, this.#parse(second, text));
  }

  #parseNear(text: string, near: ParsedText): ParsedText | undefined {
    const { language } = near;
    if (near.text === text) return { language, text, tree: near.tree.copy() };
    // After an error, what is left of a tree says too little about the rest.
    const edited = near.tree.rootNode.hasError ? undefined : editedTree(near, text);
    if (edited === undefined) return this.#parse(language, text);
    const parsed = this.#parse(language, text, edited);
    edited.delete();
    if (!parsed?.tree.rootNode.hasError) return parsed;
    parsed.tree.delete();
    return this.#parse(language, text);
  }

  #parse(language: Language, text: string, edited: Tree | null = null): ParsedText | undefined {
    const parser = this.#parsers.get(language);
    if (parser === undefined) return undefined;
    const end = this.#clock.monotonicMs() + this.#limitMs;
    const tree = parser.parse(text, edited, { progressCallback: () => this.#clock.monotonicMs() > end });
    if (tree !== null) return { language, text, tree };
    // It would go on with this text.
    parser.reset();
    return undefined;
  }

  async #load(language: Language): Promise<void> {
    await startRuntime();
    const grammar = await Grammar.load(await readFile(fileIn(FOLDERS, `tree-sitter-${language}.wasm`)));
    const parser = new Parser();
    parser.setLanguage(grammar);
    this.#parsers.set(language, parser);
  }
}

/** The language of a text, and what else it may be written in; the likelier one first. */
function dialectsOf(language: Language, text: string): readonly [Language, Language?] {
  const dialect = DIALECTS[language];
  if (dialect === undefined) return [language];
  const hasTypes = /@flow\b/.test(text.slice(0, MOST_HEADER));
  return hasTypes ? [dialect, language] : [language, dialect];
}

/** Which of two readings of a text has fewer errors; the other one is deleted. */
function better(one: ParsedText, other: ParsedText | undefined): ParsedText {
  if (other === undefined) return one;
  const [kept, dropped] = countErrors(other.tree) < countErrors(one.tree) ? [other, one] : [one, other];
  dropped.tree.delete();
  return kept;
}

let runtime: Promise<void> | undefined;

function startRuntime(): Promise<void> {
  runtime ??= readFile(fileIn(RUNTIME_FOLDERS, "web-tree-sitter.wasm")).then((wasmBinary) =>
    Parser.init({ wasmBinary }),
  );
  return runtime;
}

function fileIn(folders: readonly string[], name: string): string {
  const [first = "", ...others] = folders.map((folder) => `${folder}${name}`);
  return [first, ...others].find((path) => existsSync(path)) ?? first;
}
