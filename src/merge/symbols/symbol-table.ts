import type { Language } from "../language.ts";

/** What a definition defines. An `implementation` is what a type does for an interface: Rust's `impl … for`. */
type DefinitionKind =
  | "function"
  | "class"
  | "interface"
  | "enum"
  | "type"
  | "variable"
  | "namespace"
  | "method"
  | "field"
  | "enum-member"
  | "implementation";

/** One parameter. `rest` takes any number; `keyword` is given by its name only; `keywords` takes any name. */
export interface Parameter {
  readonly name: string;
  readonly kind: "plain" | "positional" | "rest" | "keyword" | "keywords";
  readonly isOptional: boolean;
  readonly type: string;
  /** What it is where nobody gives it. */
  readonly value?: string;
}

/** How something is called. */
export interface Signature {
  readonly parameters: readonly Parameter[];
  readonly returns: string;
  readonly isAsync: boolean;
}

/** Something with a name that other code can use. */
export interface Definition {
  readonly name: string;
  readonly kind: DefinitionKind;
  /** The names of what it stands in, joined by dots; empty at the top of a file. */
  readonly scope: string;
  readonly line: number;
  readonly isExported: boolean;
  readonly signature?: Signature;
  /** A constant's value, or a type's text, as far as it is short. */
  readonly value?: string;
  /** The declared type. */
  readonly type?: string;
  /** Whether who implements its owner, or makes a literal of it, has to give it. */
  readonly isRequired?: boolean;
  readonly isAbstract?: boolean;
  /** Whether something stands on it that can change what it means: a decorator, an attribute, a condition. */
  readonly isDecorated?: boolean;
  /** Whether the language lets another one of its name stand beside it. */
  readonly isOverloadable?: boolean;
  /** What it extends or implements. */
  readonly supers?: readonly string[];
}

/** How many arguments a call gives. */
export interface Call {
  readonly positional: number;
  readonly keywords: readonly string[];
  /** Whether arguments are spread into it, so that nobody can tell how many. */
  readonly isOpen: boolean;
  /** The first argument, where it is a short text. */
  readonly text?: string;
}

/** A use of a name. */
export interface Reference {
  readonly name: string;
  /** What it is a member of: a name, names joined by dots, `this`; `?`: an expression; absent: the name alone. */
  readonly object?: string;
  readonly line: number;
  /** Where it stands: the definitions it is in. */
  readonly scope: string;
  readonly call?: Call;
  /** Whether it stands in a macro, where a name may be anything. */
  readonly isLoose?: boolean;
}

/** A name that a file has from another. `imported`: `*` is the whole, `default` what has no name. */
export interface ImportBinding {
  readonly local: string;
  readonly imported: string;
  readonly from: string;
  readonly line: number;
}

/** A name that a file gives under another name, or from another file. `*`: everything. */
export interface ExportBinding {
  readonly name: string;
  readonly local: string;
  readonly from?: string;
}

/** A literal whose type has a name. */
export interface TypedLiteral {
  readonly type: string;
  readonly keys: readonly string[];
  /** How many values it gives by their order. */
  readonly positional: number;
  readonly isOpen: boolean;
  readonly line: number;
  readonly scope: string;
}

/** A choice among the values of something: a `switch`, a `match`. */
export interface Choice {
  /** As they are written: `Color.Red`, `"red"`. */
  readonly labels: readonly string[];
  readonly hasDefault: boolean;
  readonly line: number;
  readonly scope: string;
}

/** What a file defines and uses. Plain data, that can be kept by the id of the file's content. */
export interface SymbolTable {
  readonly language: Language;
  /** The package, where the language has files say it. */
  readonly unit: string;
  readonly definitions: readonly Definition[];
  readonly references: readonly Reference[];
  readonly imports: readonly ImportBinding[];
  readonly exports: readonly ExportBinding[];
  readonly literals: readonly TypedLiteral[];
  readonly choices: readonly Choice[];
  /** Names that something in a function, or a type's parameter, gives a meaning of its own somewhere in the file. */
  readonly bound: readonly string[];
  /** Those of them that have it outside of functions. */
  readonly boundAtTop: readonly string[];
  /** Types of local names, where each is plain and the only one: `[name, type]`. */
  readonly instances: readonly (readonly [string, string])[];
  /** From where all names are imported at once. */
  readonly wildcards: readonly string[];
  /** Whether it may export more than can be seen. */
  readonly hasHiddenExports: boolean;
  /** Whether not all of it could be read. */
  readonly isPartial: boolean;
}

/** The whole name of a definition: its scope and its name. */
export function pathOf({ scope, name }: Pick<Definition, "scope" | "name">): string {
  return scope === "" ? name : `${scope}.${name}`;
}
