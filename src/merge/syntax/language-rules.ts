import type { Node } from "web-tree-sitter";

import type { EntityKind } from "./entity.ts";

/** What a node of a list is, and where its own parts are. */
export interface Part {
  readonly kind: EntityKind;
  readonly name: string | undefined;
  readonly signature: string;
  readonly body: PartBody | undefined;
}

/** The nodes of a body. They count as entities only if they stand on lines of their own. */
export interface PartBody {
  readonly nodes: readonly Node[];
  /** The offset after the brace, parenthesis or colon that opens the body. */
  readonly opening: number;
  /** The offset of what closes it, where something does. */
  readonly closing: number | undefined;
  readonly separator: "," | undefined;
  readonly isOrdered: boolean;
}

/** How to see entities in the syntax trees of a language. */
export interface LanguageRules {
  /** Node types of comments, and of whatever has no meaning of its own. */
  readonly comments: ReadonlySet<string>;
  /** Node types that belong to the next node of the list: decorators and attributes. */
  readonly prefixes: ReadonlySet<string>;
  /** Whether this first node of a file belongs to its header, like a comment. */
  isHeader(node: Node): boolean;
  /** Whether leading comments belong to the file even if they touch this node. */
  opensFile(node: Node): boolean;
  /** The name of the run that a node belongs to, such as `imports`. */
  runOf(node: Node): string | undefined;
  /** What a node is, with its prefixes, in a list of this kind of owner; a file has none. */
  partOf(node: Node, owner: EntityKind | undefined, prefixes: readonly Node[]): Part;
}

/** A part without a name. */
export const STATEMENT: Part = { kind: "statement", name: undefined, signature: "", body: undefined };

/** Says what a node is when its name is one of its fields. */
export function named(node: Node, kind: EntityKind, options: { signature?: string; body?: PartBody } = {}): Part {
  return {
    kind,
    name: textOf(node.childForFieldName("name")),
    signature: options.signature ?? "",
    body: options.body,
  };
}

/** The body between the braces or parentheses of a node. */
export function between(
  node: Node | null | undefined,
  how: { separator?: ","; isOrdered?: boolean } = {},
): PartBody | undefined {
  if (node === null || node === undefined) return undefined;
  return {
    nodes: present(node.namedChildren),
    opening: node.startIndex + 1,
    closing: node.endIndex - 1,
    separator: how.separator,
    isOrdered: how.isOrdered ?? false,
  };
}

/** The text of a node with every stretch of white space as one space. */
export function textOf(node: Node | null | undefined): string | undefined {
  return node === null || node === undefined ? undefined : node.text.replace(/\s+/g, " ");
}

/** Nodes without the holes that the types of the parser allow. */
export function present(nodes: readonly (Node | null)[]): Node[] {
  return nodes.filter((node) => node !== null);
}
