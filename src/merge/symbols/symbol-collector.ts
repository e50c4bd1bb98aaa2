import type { Language } from "../language.ts";
import { unquote } from "./quotes.ts";
import { childIn, type SyntaxNode } from "./syntax-node.ts";
import type {
  Call,
  Choice,
  Definition,
  ExportBinding,
  ImportBinding,
  Reference,
  SymbolTable,
  TypedLiteral,
} from "./symbol-table.ts";

const LONGEST_TEXT = 200;

/** What a function gives a meaning, and what is used in it that it has not given one yet. */
interface FunctionScope {
  readonly names: Set<string>;
  readonly open: Reference[];
}

const NO_FUNCTION: FunctionScope = { names: new Set(), open: [] };

/** Collects what a walk over a syntax tree meets, and knows where the walk is. */
export class SymbolCollector {
  readonly #text: string;
  readonly #lineStarts: number[] = [0];
  readonly #definitions: Definition[] = [];
  readonly #references: Reference[] = [];
  readonly #imports: ImportBinding[] = [];
  readonly #exports: ExportBinding[] = [];
  readonly #literals: TypedLiteral[] = [];
  readonly #choices: Choice[] = [];
  readonly #bound = new Set<string>();
  readonly #boundAtTop = new Set<string>();
  readonly #own = new Set<Reference>();
  readonly #instances = new Map<string, string | undefined>();
  readonly #wildcards: string[] = [];
  readonly #members = new Set<string>();
  #scope = "";
  /** The functions around: inside of them names are their own business. */
  readonly #functions: FunctionScope[] = [];
  unit = "";
  hasHiddenExports = false;

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
  }

  get scope(): string {
    return this.#scope;
  }

  /** Whether what is defined here is only seen in a function. */
  get isLocal(): boolean {
    return this.#functions.length > 0;
  }

  /** The text of a node. */
  text(node: SyntaxNode | undefined): string {
    return node === undefined ? "" : this.#text.slice(node.start, node.end);
  }

  /** The text of a node on one line, without what is only layout; empty where it is long. */
  short(node: SyntaxNode | undefined): string {
    if (node === undefined || node.end - node.start > 4 * LONGEST_TEXT) return "";
    const text = this.text(node).replaceAll(/\s+/g, " ").trim();
    return text.length > LONGEST_TEXT ? "" : text;
  }

  lineOf(node: SyntaxNode): number {
    let [low, high] = [0, this.#lineStarts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= node.start) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  define(node: SyntaxNode, definition: Omit<Definition, "scope" | "line">): void {
    if (this.isLocal) this.#bindHere(definition.name);
    else this.#definitions.push({ ...definition, scope: this.#scope, line: this.lineOf(node) });
  }

  /** Defines a member of something that is not where the walk is, once. */
  defineIn(scope: string, node: SyntaxNode, definition: Omit<Definition, "scope" | "line">): void {
    const key = `${scope}.${definition.name}`;
    if (this.#members.has(key)) return;
    this.#members.add(key);
    this.#definitions.push({ ...definition, scope, line: this.lineOf(node) });
  }

  refer(node: SyntaxNode, name: string, more: { object?: string; call?: Call; isLoose?: boolean } = {}): void {
    if (name === "") return;
    if (more.object === undefined && this.#functions.some(({ names }) => names.has(name))) return;
    const reference = { name, line: this.lineOf(node), scope: this.#scope, ...more };
    this.#references.push(reference);
    if (more.object === undefined) this.#functions.at(-1)?.open.push(reference);
  }

  bind(name: string, type?: string): void {
    if (name === "") return;
    this.#bindHere(name);
    this.#instances.set(name, this.#instances.has(name) && this.#instances.get(name) !== type ? undefined : type);
  }

  #bindHere(name: string): void {
    this.#bound.add(name);
    (this.#functions.at(-1)?.names ?? this.#boundAtTop).add(name);
  }

  /** Notes the type of a name that is defined. */
  instance(name: string, type: string | undefined): void {
    this.#instances.set(name, this.#instances.has(name) && this.#instances.get(name) !== type ? undefined : type);
  }

  import(node: SyntaxNode, binding: Omit<ImportBinding, "line">): void {
    this.#imports.push({ ...binding, line: this.lineOf(node) });
  }

  wildcard(from: string): void {
    this.#wildcards.push(from);
  }

  export(binding: ExportBinding): void {
    this.#exports.push(binding);
  }

  literal(node: SyntaxNode, literal: Omit<TypedLiteral, "line" | "scope">): void {
    this.#literals.push({ ...literal, line: this.lineOf(node), scope: this.#scope });
  }

  choice(node: SyntaxNode, choice: Omit<Choice, "line" | "scope">): void {
    this.#choices.push({ ...choice, line: this.lineOf(node), scope: this.#scope });
  }

  /** Walks what stands in something with a name. */
  within(name: string, isFunction: boolean, walk: () => void): void {
    const scope = this.#scope;
    if (!this.isLocal && name !== "") this.#scope = scope === "" ? name : `${scope}.${name}`;
    if (isFunction) this.#functions.push({ names: new Set(), open: [] });
    walk();
    if (isFunction) this.#closeFunction();
    this.#scope = scope;
  }

  // A name can be used above the place that gives it its meaning.
  #closeFunction(): void {
    const { names, open } = this.#functions.pop() ?? NO_FUNCTION;
    for (const reference of open) {
      if (names.has(reference.name)) this.#own.add(reference);
      else this.#functions.at(-1)?.open.push(reference);
    }
  }

  finish(language: Language, isPartial: boolean): SymbolTable {
    return {
      language,
      unit: this.unit,
      definitions: this.#definitions,
      references: this.#references.filter((one) => !this.#own.has(one)),
      imports: this.#imports,
      exports: this.#exports,
      literals: this.#literals,
      choices: this.#choices,
      bound: [...this.#bound],
      boundAtTop: [...this.#boundAtTop],
      instances: [...this.#instances].flatMap(([name, type]) => (type === undefined ? [] : [[name, type] as const])),
      wildcards: this.#wildcards,
      hasHiddenExports: this.hasHiddenExports,
      isPartial,
    };
  }
}

/** Reads the arguments of a call. */
export function readCall(
  into: SymbolCollector,
  list: SyntaxNode | undefined,
  { spread, keyword, text }: { readonly spread: RegExp; readonly keyword?: string; readonly text: string },
): Call {
  const given = list?.children.filter(({ type }) => type !== "ERROR") ?? [];
  const open = given.filter(({ type }) => spread.test(type));
  const named = given.filter(({ type }) => type === keyword);
  const [first] = given;
  const literal = first?.type === text ? unquote(into.short(first)) : undefined;
  return {
    positional: given.length - open.length - named.length,
    keywords: named.map((one) => into.text(childIn(one, "name"))),
    isOpen: open.length > 0,
    ...(literal === undefined || literal === "" ? {} : { text: literal }),
  };
}
