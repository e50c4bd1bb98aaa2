import type { Language } from "../language.ts";

/** What kind of thing an entity is. `imports` and `header` stand for a whole run of statements or comment lines. */
export type EntityKind =
  | "header"
  | "imports"
  | "function"
  | "class"
  | "interface"
  | "enum"
  | "type"
  | "namespace"
  | "implementation"
  | "method"
  | "field"
  | "variable"
  | "property"
  | "test"
  | "macro"
  | "statement"
  | "comment";

/**
 * A named thing of a source, or a stretch without a name, with all that belongs to it: the blank lines, comments,
 * decorators and attributes before it, and what follows it on its last line.
 *
 * The entities of a list stand in the order of the text and cover it without gap or overlap: a list's texts, joined,
 * are the text of the list.
 */
export interface Entity {
  readonly kind: EntityKind;
  /** Its name in its scope. Free comments have none, statements only if they are calls with a text first. */
  readonly name: string | undefined;
  /** Tells apart what may bear one name in one scope: parameter types, the type an `impl` is for, `get` and `set`. */
  readonly signature: string;
  /** Offsets in the text: all that belongs to it. */
  readonly start: number;
  readonly end: number;
  /** Where the thing itself begins, after blank lines and comments; decorators and attributes are part of the thing. */
  readonly coreStart: number;
  /** Its parts, where it has any that are entities. */
  readonly body: EntityBody | undefined;
}

/** What stands between the braces, or below the colon, of an entity. */
export interface EntityBody {
  /** Offsets in the text: from the first of its entities to the last one's end. What is before and after is head and tail. */
  readonly start: number;
  readonly end: number;
  readonly entities: readonly Entity[];
  /** What has to stand between two of them. */
  readonly separator: "," | undefined;
  /** Whether the order of its parts has a meaning: that of enum members and statements has, that of methods has none. */
  readonly isOrdered: boolean;
}

/** A text seen as entities. */
export interface Source {
  readonly language: Language;
  readonly text: string;
  /** They cover the whole text. */
  readonly entities: readonly Entity[];
  /** Places that do not parse. Entities that hold one are whole and have no body. */
  readonly errorCount: number;
}
