import type { ParsedText } from "../syntax/parsers.ts";

/** A node of a syntax tree as a plain object: named nodes and key words, no punctuation. */
export interface SyntaxNode {
  readonly type: string;
  /** What it is to its parent, where the grammar has a name for that. */
  readonly field: string | undefined;
  readonly start: number;
  readonly end: number;
  readonly children: readonly SyntaxNode[];
}

/** A tree that was copied. */
export interface SyntaxCopy {
  readonly root: SyntaxNode;
  /** Whether something in it does not parse, or it was too deep to be copied whole. */
  readonly isPartial: boolean;
}

const DEEPEST = 300;
const NO_CHILDREN: readonly SyntaxNode[] = [];

/** Copies a syntax tree, since each touch of a node costs a call into the parser. */
export function copySyntax({ tree }: ParsedText): SyntaxCopy {
  const { language } = tree;
  const kinds = language.types.map((type, id) => kindOf(type, language.nodeTypeIsNamed(id)));
  const cursor = tree.walk();
  let isPartial = tree.rootNode.hasError;

  const copy = (depth: number): SyntaxNode | undefined => {
    const id = cursor.nodeTypeId;
    const kind = kinds[id] ?? "named";
    if (kind === "none") return undefined;
    const type = language.types[id] ?? "ERROR";
    const field = language.fields[cursor.currentFieldId] ?? undefined;
    const [start, end] = [cursor.startIndex, cursor.endIndex];
    if (kind === "word" || !cursor.gotoFirstChild()) return { type, field, start, end, children: NO_CHILDREN };
    const children: SyntaxNode[] = [];
    if (depth >= DEEPEST) isPartial = true;
    else {
      do {
        const child = copy(depth + 1);
        if (child !== undefined) children.push(child);
      } while (cursor.gotoNextSibling());
    }
    cursor.gotoParent();
    return { type, field, start, end, children };
  };

  try {
    const root = copy(0) ?? { type: "ERROR", field: undefined, start: 0, end: 0, children: [] };
    return { root, isPartial };
  } finally {
    cursor.delete();
  }
}

function kindOf(type: string | null, isNamed: boolean): "named" | "word" | "none" {
  if (type === "comment" || type === "line_comment" || type === "block_comment") return "none";
  if (isNamed) return "named";
  return type !== null && /^[a-z_]+$/.test(type) ? "word" : "none";
}

/** The first child in a field. */
export function childIn(node: SyntaxNode | undefined, field: string): SyntaxNode | undefined {
  return node?.children.find((child) => child.field === field);
}

/** The children of some types. */
export function childrenOf(node: SyntaxNode | undefined, ...types: readonly string[]): SyntaxNode[] {
  return node?.children.filter((child) => types.includes(child.type)) ?? [];
}

/** The first child of some types. */
export function childOf(node: SyntaxNode | undefined, ...types: readonly string[]): SyntaxNode | undefined {
  return node?.children.find((child) => types.includes(child.type));
}

/** Whether a key word stands in a node, not in something within it. */
export function hasWord(node: SyntaxNode, word: string): boolean {
  return node.children.some((child) => child.type === word);
}
