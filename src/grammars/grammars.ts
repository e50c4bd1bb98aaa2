import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { Language as Grammar, Parser } from "web-tree-sitter";

import type { Language } from "../merge/language.ts";
import { countErrors } from "../merge/syntax/errors.ts";
import type { ParsedText, Parsers } from "../merge/syntax/parsers.ts";

/** The published package has the grammars beside its code; here they are still where they came from. */
const FOLDERS = ["./grammars/", "../../node_modules/@vscode/tree-sitter-wasm/wasm/"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);
const RUNTIME_FOLDERS = ["./grammars/", "../../node_modules/web-tree-sitter/"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);

/** Grammars that know what another does not: types in JavaScript. */
const DIALECTS: Readonly<Partial<Record<Language, Language>>> = { javascript: "tsx" };

/** Grammars, loaded one by one when a file needs them. */
export class Grammars implements Parsers {
  readonly #parsers = new Map<Language, Parser>();
  readonly #loading = new Map<Language, Promise<void>>();

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
    if (near !== undefined) return this.#parse(near.language, text);
    const parsed = this.#parse(language, text);
    const dialect = DIALECTS[language];
    if (parsed === undefined || dialect === undefined || !parsed.tree.rootNode.hasError) return parsed;
    return better(parsed, this.#parse(dialect, text));
  }

  #parse(language: Language, text: string): ParsedText | undefined {
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
