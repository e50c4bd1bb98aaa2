import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { Language as Grammar, Parser, type Tree } from "web-tree-sitter";

import { systemClock, type Clock } from "../base/clock.ts";
import type { Language } from "../merge/language.ts";
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

/** Grammars that know all that another does, and more: types in JavaScript. */
const DIALECTS: Readonly<Partial<Record<Language, Language>>> = { javascript: "tsx" };

interface ParseSettings {
  readonly edited?: Tree;
  /** Recovering from errors takes the parser much time. */
  readonly stopsAtError?: boolean;
}

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
    const dialect = DIALECTS[language];
    if (dialect === undefined) return this.#parse(language, text);
    const plain = isMarked(text) ? undefined : this.#parse(language, text, { stopsAtError: true });
    if (plain !== undefined && !plain.tree.rootNode.hasError) return plain;
    plain?.tree.delete();
    return this.#parse(dialect, text);
  }

  #parseNear(text: string, near: ParsedText): ParsedText | undefined {
    const { language } = near;
    if (near.text === text) return { language, text, tree: near.tree.copy() };
    // After an error, what is left of a tree says too little about the rest.
    const edited = near.tree.rootNode.hasError ? undefined : editedTree(near, text);
    if (edited === undefined) return this.#parse(language, text);
    const parsed = this.#parse(language, text, { edited });
    edited.delete();
    if (!parsed?.tree.rootNode.hasError) return parsed;
    parsed.tree.delete();
    return this.#parse(language, text);
  }

  #parse(language: Language, text: string, how: ParseSettings = {}): ParsedText | undefined {
    const parser = this.#parsers.get(language);
    if (parser === undefined) return undefined;
    const end = this.#clock.monotonicMs() + this.#limitMs;
    const tree = parser.parse(text, how.edited, {
      progressCallback: ({ hasError }) => (hasError && how.stopsAtError === true) || this.#clock.monotonicMs() > end,
    });
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

function isMarked(text: string): boolean {
  return /@flow\b/.test(text.slice(0, MOST_HEADER));
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
