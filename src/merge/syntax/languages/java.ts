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

const TYPES: Readonly<Record<string, EntityKind>> = {
  class_declaration: "class",
  record_declaration: "class",
  interface_declaration: "interface",
  annotation_type_declaration: "interface",
};

/** How entities are seen in Java. */
export const JAVA: LanguageRules = {
  comments: new Set(["block_comment", "line_comment"]),
  prefixes: new Set(),
  isHeader: () => false,
  opensFile: (node) => node.type === "package_declaration",
  runOf: (node) => (node.type === "import_declaration" ? "imports" : undefined),
  partOf,
};

function partOf(node: Node): Part {
  const { type } = node;
  const kind = TYPES[type];
  if (kind !== undefined) return { ...named(node, kind), body: between(node.childForFieldName("body")) };
  switch (type) {
    case "enum_declaration":
      return { ...named(node, "enum"), body: enumBody(node.childForFieldName("body")) };
    case "method_declaration":
    case "constructor_declaration":
      return named(node, "method", { signature: parameterTypes(node) });
    case "compact_constructor_declaration":
    case "annotation_type_element_declaration":
      return named(node, "method");
    case "field_declaration":
    case "constant_declaration":
      return field(node);
    case "enum_constant":
      return named(node, "property");
    default:
      return STATEMENT;
  }
}

/** What overloads of a method differ in. */
function parameterTypes(node: Node): string {
  const parameters = present(node.childForFieldName("parameters")?.namedChildren ?? []);
  return `(${parameters.flatMap(parameterType).join(", ")})`;
}

function parameterType(parameter: Node): string[] {
  switch (parameter.type) {
    case "formal_parameter": {
      const dimensions = textOf(parameter.childForFieldName("dimensions")) ?? "";
      return [`${textOf(parameter.childForFieldName("type")) ?? ""}${dimensions}`];
    }
    case "spread_parameter":
      return [`${textOf(present(parameter.namedChildren).find(({ type }) => type !== "modifiers")) ?? ""}...`];
    default:
      return [];
  }
}

function field(node: Node): Part {
  const names = present(node.childrenForFieldName("declarator")).map(
    (declarator) => textOf(declarator.childForFieldName("name")) ?? "",
  );
  return { ...STATEMENT, kind: "field", name: names.join(",") };
}

/** Constants, and perhaps members after them. With members, a semicolon ends the constants, and nothing may be moved. */
function enumBody(body: Node | null): PartBody | undefined {
  const constants = between(body, { separator: ",", isOrdered: true });
  const members = constants?.nodes.find(({ type }) => type === "enum_body_declarations");
  if (constants === undefined || members === undefined) return constants;
  const nodes = constants.nodes.flatMap((node) => (node === members ? present(members.namedChildren) : [node]));
  return { ...constants, nodes, separator: undefined };
}
