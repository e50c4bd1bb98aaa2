import type { Language } from "../language.ts";
import { OPENING } from "./definition-header.ts";
import { readImport } from "./import-names.ts";
import { keyOf, KnownLines, type KnownLine } from "./known-lines.ts";

/** A line, or one name of an import statement, without what layout alone decides. */
export interface SourceLine {
  /** The text without white space, and without a comma or semicolon at its end. Equal lines have equal keys. */
  readonly key: string;
  /** As it stands, without white space at its ends. */
  readonly text: string;
  readonly isImport: boolean;
  /** The definition it stands in: the names on the way to it. */
  readonly scope: string;
}

/** A source, line by line, and how often it defines and binds each name. */
export interface SourceLines {
  /** Those with a letter or a digit. */
  readonly lines: readonly SourceLine[];
  /** Those without as well, but no imports. */
  readonly all: readonly SourceLine[];
  /** Every line as it is, below the names of the definitions it stands in. */
  readonly placed: readonly string[];
  readonly scopes: ReadonlySet<string>;
  readonly definitions: ReadonlyMap<string, number>;
  readonly bindings: ReadonlyMap<string, number>;
}

/** Stands between the names of a path. */
export const SCOPE_SEPARATOR = " › ";

/** Reads a source by its lines and indentations alone; no syntax tree is needed, so nothing of it can be wrong. */
export function readSourceLines(text: string, language: Language, known = new KnownLines(language)): SourceLines {
  const all = text.replace(/^\uFEFF/, "").split(text.includes("\r") ? /\r\n?|\n/ : "\n");
  const reader = new LineReader(all, language, known);
  for (let at = 0; at < all.length;) at = reader.read(at);
  return reader;
}

interface OpenScope {
  readonly indentation: number;
  readonly path: string;
  readonly definitions: string;
  readonly isClass: boolean;
  /** Whether lines are in its body already. */
  isBegun: boolean;
}

const OUTSIDE: OpenScope = { indentation: -1, path: "", definitions: "", isClass: false, isBegun: true };

class LineReader implements SourceLines {
  readonly lines: SourceLine[] = [];
  readonly all: SourceLine[] = [];
  readonly scopes = new Set<string>([""]);
  readonly definitions = new Map<string, number>();
  readonly bindings = new Map<string, number>();
  readonly #texts: readonly string[];
  readonly #language: Language;
  readonly #known: KnownLines;
  readonly #open: OpenScope[] = [];
  /** The definitions around each line that is code or comment, by its number. */
  readonly #around: string[] = [];
  #before = "";
  #isInComment = false;

  constructor(all: readonly string[], language: Language, known: KnownLines) {
    this.#texts = all;
    this.#language = language;
    this.#known = known;
  }

  // Made when asked for, as few ask.
  get placed(): readonly string[] {
    return this.#texts.map((line, at) => `${this.#around[at] ?? ""}\0${line}`);
  }

  /** Reads what begins on a line, and says where the next begins. */
  read(at: number): number {
    const line = this.#known.read(this.#texts[at] ?? "");
    const { text, indentation } = line;
    if (text === "") return at + 1;
    if (this.#isComment(text)) {
      const above = this.#scopeAbove(indentation);
      this.#add(line, above.path);
      this.#around[at] = above.definitions;
      return at + 1;
    }
    this.#close(text, indentation);
    const statement = line.mayBeImport ? readImport(this.#texts, at, this.#language) : undefined;
    if (statement !== undefined) {
      for (const name of statement.names)
        this.lines.push({ key: keyOf(name), text: name, isImport: true, scope: this.#path });
      if (indentation === 0) for (const name of statement.bindings) count(this.bindings, name);
      this.#before = text;
      return statement.end;
    }
    this.#add(line, this.#path);
    this.#around[at] = this.#scope.definitions;
    if (!this.#scope.isBegun) this.#scope.isBegun = OPENING.test(text);
    else this.#openScope(line, () => restOfParameters(this.#texts, at));
    this.#before = text;
    return at + 1;
  }

  get #scope(): OpenScope {
    return this.#open.at(-1) ?? OUTSIDE;
  }

  /** What a line counts in: parameters stand where their function does. */
  get #path(): string {
    const last = this.#open.at(-1);
    return last?.isBegun === true ? last.path : (this.#open.findLast(({ isBegun }) => isBegun)?.path ?? "");
  }

  // A comment ends no body, as one may stand further out than the code around it; but it may be about what comes next.
  #scopeAbove(indentation: number): OpenScope {
    return this.#open.findLast((scope) => scope.isBegun && scope.indentation < indentation) ?? OUTSIDE;
  }

  #isComment(text: string): boolean {
    if (this.#isInComment) {
      this.#isInComment = !text.includes("*/");
      return true;
    }
    if (this.#language === "python") return text.startsWith("#");
    if (text.startsWith("/*")) {
      this.#isInComment = !text.includes("*/");
      return !/\*\/\s*\S/.test(text);
    }
    return text.startsWith("//");
  }

  #add({ text, key, hasWord }: KnownLine, scope: string): void {
    const line = { key, text, isImport: false, scope };
    if (hasWord) this.lines.push(line);
    this.all.push(line);
  }

  // What is not further in than a header is behind its body, unless it goes on with the header itself.
  #close(text: string, indentation: number): void {
    for (let scope = this.#open.at(-1); scope !== undefined; scope = this.#open.at(-1)) {
      if (scope.indentation < indentation) return;
      if (scope.indentation === indentation && /^(\{|where\b|[)\]}].*[{(:>]$)/.test(text)) return;
      this.#open.pop();
    }
  }

  #openScope(known: KnownLine, rest: () => string): void {
    const { indentation } = known;
    const { path, definitions, isClass } = this.#scope;
    const place = { isTop: indentation === 0, isInClass: isClass, before: this.#before };
    const header = this.#known.readHeader(known, place);
    if (header === undefined) return;
    const isPlaceOnly = !header.isUnique && !header.name.startsWith("impl");
    // In Java a method is known by its parameters, on however many lines they stand.
    const isOpen = this.#language === "java" && header.isUnfinished && !header.isClass;
    const name = definitions + header.name + (isOpen ? rest() : "");
    // What Python defines in an `if` it may define in the `else` as well.
    const isConditional = this.#language === "python" && indentation > 0 && this.#open.length === 0;
    if (header.isUnique && !isConditional) count(this.definitions, name);
    if (!header.hasBody) return;
    const inner = path === "" ? header.name : path + SCOPE_SEPARATOR + header.name;
    this.scopes.add(inner);
    this.#open.push({
      indentation,
      path: inner,
      definitions: isPlaceOnly ? definitions : name + SCOPE_SEPARATOR,
      isClass: header.isClass,
      isBegun: !header.isUnfinished,
    });
  }
}

/** So many lines a header may have. */
const LONGEST_HEADER = 20;

function restOfParameters(all: readonly string[], at: number): string {
  const lines: string[] = [];
  for (const line of all.slice(at + 1, at + LONGEST_HEADER)) {
    lines.push(line.trim());
    if (line.includes(")")) break;
  }
  return ` ${lines.join(" ").replace(/\).*$/, ")")}`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
