import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { Language as Grammar, Parser } from "web-tree-sitter";

import type { Language } from "../merge/language.ts";
import type { ParsedText, Parsers } from "../merge/syntax/parsers.ts";

/** The published package has the grammars beside its code; here they are still where they came from. */
const FOLDERS = ["./grammars/", "../../node_modules/@vscode/tree-sitter-wasm/wasm/"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);
const RUNTIME_FOLDERS = ["./grammars/", "../../node_modules/web-tree-sitter/"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);

/** Grammars, loaded one by one when a file needs them. */
export class Grammars implements Parsers {
  readonly #parsers = new Map<Language, Parser>();
  readonly #loading = new Map<Language, Promise<void>>();

  /** Loads what is needed to parse a language; once. */
  load(language: Language): Promise<void> {
    const known = this.#loading.get(language);
    if (known !== undefined) return known;
    const loading = this.#load(language);
    this.#loading.set(language, loading);
    // Whoever asks again tries again.
    loading.catch(() => this.#loading.delete(language));
    return loading;
  }

  parse(language: Language, text: string): ParsedText | undefined {
    const tree = this.#parsers.get(language)?.parse(text);
    return tree === null || tree === undefined ? undefined : { language, text, tree };
  }

  async #load(language: Language): Promise<void> {
    await startRuntime();
    const grammar = await Grammar.load(await readFile(fileIn(FOLDERS, `tree-sitter-${language}.wasm`)));
    const parser = new Parser();
    parser.setLanguage(grammar);
    this.#parsers.set(language, parser);
  }
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
