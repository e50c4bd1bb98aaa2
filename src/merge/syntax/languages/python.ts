import type { Node } from "web-tree-sitter";

import type { EntityKind } from "../entity.ts";
import {
  between,
  named,
  present,
  STATEMENT,
  textOf,
  type LanguageRules,
  type Part,
  type PartBody,
} from "../language-rules.ts";

const IMPORTS = new Set(["import_statement", "import_from_statement", "future_import_statement"]);

/** How entities are seen in Python. */
export const PYTHON: LanguageRules = {
  comments: new Set(["comment"]),
  prefixes: new Set(),
  isHeader: (node) => node.type === "expression_statement" && node.firstNamedChild?.type === "string",
  opensFile: () => false,
  runOf: (node) => (IMPORTS.has(node.type) ? "imports" : undefined),
  partOf,
};

function partOf(node: Node, owner: EntityKind | undefined): Part {
  switch (node.type) {
    case "decorated_definition":
      return decorated(node, owner);
    case "function_definition":
      return named(node, owner === "class" ? "method" : "function");
    case "class_definition":
      return classPart(node);
    case "expression_statement":
      return assignment(node.firstNamedChild, owner);
    case "type_alias_statement":
      return { ...STATEMENT, kind: "type", name: textOf(node.childForFieldName("left")) };
    default:
      return owner === "property" || owner === "variable" || owner === "field" ? pair(node) : STATEMENT;
  }
}

function decorated(node: Node, owner: EntityKind | undefined): Part {
  const definition = node.childForFieldName("definition");
  if (definition === null) return STATEMENT;
  const part = partOf(definition, owner);
  return { ...part, signature: decoratedSignature(node, definition) };
}

/** Several functions of one name are meant where a property has a setter, or a function overloads. */
function decoratedSignature(node: Node, definition: Node): string {
  const decorators = present(node.namedChildren)
    .filter((child) => child.type === "decorator")
    .map((child) => textOf(child) ?? "");
  const accessor = decorators.find((text) => /\.(setter|deleter|getter|register)\b/.test(text));
  if (accessor !== undefined) return accessor;
  if (!decorators.some((text) => /\boverload$/.test(text))) return "";
  return textOf(definition.childForFieldName("parameters")) ?? "";
}

function classPart(node: Node): Part {
  const block = node.childForFieldName("body");
  return block === null ? named(node, "class") : named(node, "class", { body: blockBody(block) });
}

function blockBody(block: Node): PartBody {
  const { column } = block.startPosition;
  const nodes = present(block.namedChildren);
  // A comment that is indented less belongs to what follows the block.
  while (nodes.at(-1)?.type === "comment" && (nodes.at(-1)?.startPosition.column ?? column) < column) nodes.pop();
  return { nodes, opening: colonBefore(block), closing: undefined, separator: undefined, isOrdered: false };
}

function colonBefore(block: Node): number {
  let before = block.previousSibling;
  while (before !== null && before.type === "comment") before = before.previousSibling;
  return before?.endIndex ?? block.startIndex;
}

function assignment(node: Node | null, owner: EntityKind | undefined): Part {
  if (node?.type !== "assignment") return STATEMENT;
  const right = node.childForFieldName("right");
  const body = right?.type === "dictionary" ? between(right, { separator: "," }) : undefined;
  const kind = owner === "class" ? "field" : "variable";
  return { kind, name: textOf(node.childForFieldName("left")), signature: "", body };
}

function pair(node: Node): Part {
  if (node.type !== "pair") return STATEMENT;
  const value = node.childForFieldName("value");
  const body = value?.type === "dictionary" ? between(value, { separator: "," }) : undefined;
  return { kind: "property", name: textOf(node.childForFieldName("key")), signature: "", body };
}
