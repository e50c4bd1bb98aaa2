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
import { memberOf, valueBody } from "./script-members.ts";
import { testPart } from "./script-tests.ts";

/** How entities are seen in TypeScript and JavaScript. */
export const SCRIPT: LanguageRules = {
  comments: new Set(["comment", "hash_bang_line", "html_comment", "empty_statement"]),
  prefixes: new Set(["decorator"]),
  isHeader: () => false,
  opensFile: (node) => node.type === "expression_statement" && node.firstNamedChild?.type === "string",
  runOf,
  partOf,
};

function runOf(node: Node): string | undefined {
  switch (node.type) {
    case "import_statement":
      return "imports";
    case "export_statement":
      return node.childForFieldName("source") === null ? undefined : "exports";
    case "lexical_declaration":
    case "variable_declaration":
      return isRequire(node) ? "imports" : undefined;
    default:
      return undefined;
  }
}

function isRequire(node: Node): boolean {
  if (node.namedChildCount !== 1) return false;
  const value = node.firstNamedChild?.childForFieldName("value");
  if (value?.type !== "call_expression") return false;
  return value.childForFieldName("function")?.text === "require";
}

function partOf(node: Node, owner: EntityKind | undefined): Part {
  switch (node.type) {
    case "function_declaration":
    case "generator_function_declaration":
      return named(node, "function");
    case "function_signature":
      return named(node, "function", { signature: textOf(node.childForFieldName("parameters")) ?? "" });
    case "class_declaration":
    case "abstract_class_declaration":
    case "class":
      return withBody(named(node, "class"), between(node.childForFieldName("body")));
    case "interface_declaration":
      return withBody(named(node, "interface"), between(node.childForFieldName("body")));
    case "enum_declaration":
      return withBody(
        named(node, "enum"),
        between(node.childForFieldName("body"), { separator: ",", isOrdered: true }),
      );
    case "type_alias_declaration":
      return withBody(named(node, "type"), valueBody(node.childForFieldName("value")));
    case "internal_module":
    case "module":
      return withBody(named(node, "namespace"), between(node.childForFieldName("body")));
    case "lexical_declaration":
    case "variable_declaration":
      return variables(node);
    case "export_statement":
      return exported(node, owner);
    case "ambient_declaration":
      return ambient(node, owner);
    case "expression_statement":
      return expression(node.firstNamedChild, owner);
    default:
      return memberOf(node);
  }
}

function withBody(part: Part, body: PartBody | undefined): Part {
  return { ...part, body };
}

function variables(node: Node): Part {
  const declarators = present(node.namedChildren).filter((child) => child.type === "variable_declarator");
  const names = declarators.flatMap((declarator) => boundNames(declarator.childForFieldName("name")));
  const body = declarators.length === 1 ? valueBody(declarators[0]?.childForFieldName("value")) : undefined;
  return { kind: "variable", name: names.join(","), signature: "", body };
}

const VALUES: Readonly<Record<string, EntityKind>> = {
  class: "class",
  function_expression: "function",
  generator_function: "function",
  arrow_function: "function",
};

const PATTERNS = new Set(["object_pattern", "array_pattern", "rest_pattern"]);

/** The names that a pattern binds. */
function boundNames(pattern: Node | null): string[] {
  if (pattern === null) return [];
  if (PATTERNS.has(pattern.type)) return present(pattern.namedChildren).flatMap(boundNames);
  switch (pattern.type) {
    case "pair_pattern":
      return boundNames(pattern.childForFieldName("value"));
    case "object_assignment_pattern":
    case "assignment_pattern":
      return boundNames(pattern.childForFieldName("left"));
    case "comment":
      return [];
    default:
      return [textOf(pattern) ?? ""];
  }
}

function exported(node: Node, owner: EntityKind | undefined): Part {
  const declaration = node.childForFieldName("declaration");
  if (declaration !== null) return asDefault(partOf(declaration, owner));
  const value = node.childForFieldName("value");
  if (value === null) return STATEMENT;
  return { kind: VALUES[value.type] ?? "variable", name: "default", signature: "", body: valueBody(value) };
}

function asDefault(part: Part): Part {
  return part.name === undefined && part.kind !== "statement" ? { ...part, name: "default" } : part;
}

function ambient(node: Node, owner: EntityKind | undefined): Part {
  const inner = present(node.namedChildren).find((child) => child.type !== "comment");
  if (inner === undefined) return STATEMENT;
  if (inner.type === "statement_block")
    return { kind: "namespace", name: "global", signature: "", body: between(inner) };
  return partOf(inner, owner);
}

function expression(node: Node | null, owner: EntityKind | undefined): Part {
  switch (node?.type) {
    case "internal_module":
      return partOf(node, owner);
    case "call_expression":
      return testPart(node) ?? registration(node);
    case "assignment_expression":
      return assignment(node);
    default:
      return STATEMENT;
  }
}

/** A call with a text first, such as `define("x", { … })`, is known by that text. */
function registration(call: Node): Part {
  const callee = call.childForFieldName("function");
  const title = call.childForFieldName("arguments")?.firstNamedChild;
  if (title?.type !== "string" || (callee?.type !== "identifier" && callee?.type !== "member_expression"))
    return STATEMENT;
  const name = `${textOf(callee) ?? ""} ${textOf(title) ?? ""}`;
  return { kind: "statement", name, signature: "", body: valueBody(call) };
}

function assignment(node: Node): Part {
  const left = node.childForFieldName("left");
  if (left?.type !== "member_expression" && left?.type !== "identifier") return STATEMENT;
  return { kind: "variable", name: textOf(left), signature: "", body: valueBody(node.childForFieldName("right")) };
}
