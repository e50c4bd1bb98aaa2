import type { ListItem } from "./name-list.ts";

/** One imported thing. Its key tells what is imported from where under which name; equal keys mean the same import. */
export interface ImportedName {
  readonly key: string;
  /** What is imported from where, without the name it gets and without whether only its type is. */
  readonly target: string;
  /** The name it gets in the file; none where it binds none, such as all names of a module. */
  readonly local: string | undefined;
  /** How it is written in its list of names, with the comments beside it. */
  readonly item: ListItem;
  /** Whether it stands before a list, as a default import does. */
  readonly isBefore?: boolean;
  /** The key of an import that makes this one needless: a value is its own type as well. */
  readonly coveredBy?: string;
}

/** What a language's reader finds in a statement. */
export interface ReadStatement {
  /** Statements of one form can take each other's names. */
  readonly form: string;
  /** Whether names go into a statement of their form although it has none of theirs. */
  readonly joins: boolean;
  readonly names: readonly ImportedName[];
  /** Keywords and options: what it says beside its names. */
  readonly frame: string;
  /** By what it is sorted among its neighbours. */
  readonly sortKey: string;
  /** Whether running it does something, so that its place among others like it has a meaning. */
  readonly hasEffect: boolean;
  /** Writes it with other names. Not there where it cannot hold others; nothing where it cannot be done well. */
  readonly rewrite?: (edit: NameEdit) => string | undefined;
}

/** A statement of a run, with the lines it ends on. */
export interface ImportStatement extends ReadStatement {
  /** Blank lines and comments before it. */
  readonly lead: string;
  /** From its first line to the end of its last one. */
  readonly text: string;
}

/** What changes in the names of one statement. */
export interface NameEdit {
  readonly removed: ReadonlySet<string>;
  readonly added: readonly ImportedName[];
  /** The statement that the added names come from: their order there, and their comments. */
  readonly from: ImportStatement | undefined;
  /** Whether names from there go before others that stand at the same place. */
  readonly isFirst: boolean;
}

/** Import statements that stand together, in order. Leads, statements and the tail, joined, are its text. */
export interface ImportRun {
  readonly statements: readonly ImportStatement[];
  /** Blank lines and comments after the last one. */
  readonly tail: string;
}

/** How lists that become too long for a line are broken. */
export interface Layout {
  readonly indent: string;
  readonly hasLastComma: boolean;
  readonly width: number;
}

/** The end of a statement's key that tells equal imports of one run apart. */
export const REPEATED = "\u0000again ";

/** What the key of a statement begins with that no reader understands. */
export const UNKNOWN = "other ";
