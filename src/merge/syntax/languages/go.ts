import type { Node } from "web-tree-sitter";

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

/** How entities are seen in Go. */
export const GO: LanguageRules = {
  comments: new Set(["comment", "empty_statement"]),
  prefixes: new Set(),
  isHeader: () => false,
  opensFile: (node) => node.type === "package_clause",
  runOf: (node) => (node.type === "import_declaration" ? "imports" : undefined),
  partOf,
};

function partOf(node: Node): Part {
  switch (node.type) {
    case "function_declaration":
      return named(node, "function");
    case "method_declaration":
      return method(node);
    case "type_declaration":
    case "const_declaration":
    case "var_declaration":
      return declaration(node);
    case "type_spec":
    case "type_alias":
      return typeSpec(node);
    case "const_spec":
    case "var_spec":
      return valueSpec(node);
    case "field_declaration":
      return { ...STATEMENT, kind: "field", name: namesOf(node) ?? textOf(node.childForFieldName("type")) };
    case "method_elem":
      return named(node, "method");
    case "keyed_element":
      return { ...STATEMENT, kind: "property", name: textOf(node.firstNamedChild) };
    default:
      return STATEMENT;
  }
}

function method(node: Node): Part {
  const receiver = node.childForFieldName("receiver")?.text ?? "";
  const [, type = ""] = /([\p{L}_][\p{L}\p{N}_]*)\s*(?:\[[^)]*\])?\s*,?\s*\)$/u.exec(receiver) ?? [];
  return { ...STATEMENT, kind: "method", name: `${type}.${textOf(node.childForFieldName("name")) ?? ""}` };
}

/** One specification, or a group of them in parentheses, which bears the name of its first. */
function declaration(node: Node): Part {
  const children = present(node.children);
  const list = children.find(({ type }) => type === "var_spec_list");
  const opening = children.find(({ type }) => type === "(");
  const first = present((list ?? node).namedChildren).find(({ type }) => type !== "comment");
  const part = first === undefined ? STATEMENT : partOf(first);
  if (list === undefined && opening === undefined) return part;
  return { ...part, signature: "group", body: groupBody(node, list ?? opening) };
}

function groupBody(node: Node, opening: Node | undefined): PartBody | undefined {
  if (opening === undefined) return undefined;
  const nodes = present((opening.type === "var_spec_list" ? opening : node).namedChildren);
  const isOrdered = node.type === "const_declaration";
  return { nodes, opening: opening.startIndex + 1, closing: node.endIndex - 1, separator: undefined, isOrdered };
}

function typeSpec(node: Node): Part {
  const type = node.childForFieldName("type");
  switch (type?.type) {
    case "struct_type":
      return { ...named(node, "class"), body: between(type.firstNamedChild) };
    case "interface_type":
      return { ...named(node, "interface"), body: interfaceBody(type) };
    default:
      return named(node, "type");
  }
}

function interfaceBody(type: Node): PartBody | undefined {
  const brace = present(type.children).find((child) => child.type === "{");
  const body = between(type);
  return brace && body && { ...body, opening: brace.endIndex };
}

function valueSpec(node: Node): Part {
  const name = namesOf(node);
  // Any number of values may have the blank name.
  const signature = name === "_" ? (textOf(node) ?? "") : "";
  return { ...STATEMENT, kind: "variable", name, signature, body: literalBody(node.childForFieldName("value")) };
}

function literalBody(values: Node | null): PartBody | undefined {
  const value = values?.namedChildCount === 1 ? values.firstNamedChild : undefined;
  return value?.type === "composite_literal"
    ? between(value.childForFieldName("body"), { separator: ",", isOrdered: true })
    : undefined;
}

function namesOf(node: Node): string | undefined {
  const names = present(node.childrenForFieldName("name")).map((name) => textOf(name) ?? "");
  return names.length === 0 ? undefined : names.filter((name) => name !== ",").join(",");
}
