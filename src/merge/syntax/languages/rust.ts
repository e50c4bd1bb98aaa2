import type { Node } from "web-tree-sitter";

import type { EntityKind } from "../entity.ts";
import { between, named, present, STATEMENT, textOf, type LanguageRules, type Part } from "../language-rules.ts";

const LEAVES: Readonly<Record<string, EntityKind>> = {
  const_item: "variable",
  static_item: "variable",
  type_item: "type",
  associated_type: "type",
  macro_definition: "macro",
  field_declaration: "field",
  enum_variant: "property",
};

/** How entities are seen in Rust. */
export const RUST: LanguageRules = {
  comments: new Set(["line_comment", "block_comment", "empty_statement"]),
  prefixes: new Set(["attribute_item"]),
  isHeader: () => false,
  opensFile: (node) => node.type === "inner_attribute_item",
  runOf,
  partOf: (node, owner, prefixes) => {
    const part = partOf(node, owner);
    const condition = prefixes.map((prefix) => textOf(prefix) ?? "").filter((text) => text.startsWith("#[cfg("));
    return condition.length === 0 ? part : { ...part, signature: [part.signature, ...condition].join(" ").trim() };
  },
};

function runOf(node: Node): string | undefined {
  switch (node.type) {
    case "use_declaration":
    case "extern_crate_declaration":
      return "imports";
    case "mod_item":
      return node.childForFieldName("body") === null ? "modules" : undefined;
    default:
      return undefined;
  }
}

function partOf(node: Node, owner: EntityKind | undefined): Part {
  const { type } = node;
  const kind = LEAVES[type];
  if (kind !== undefined) return named(node, kind);
  switch (type) {
    case "function_item":
    case "function_signature_item":
      return named(node, owner === "implementation" || owner === "interface" ? "method" : "function");
    case "struct_item":
    case "union_item":
      return { ...named(node, "class"), body: fields(node.childForFieldName("body")) };
    case "enum_item":
      return {
        ...named(node, "enum"),
        body: between(node.childForFieldName("body"), { separator: ",", isOrdered: true }),
      };
    case "trait_item":
      return { ...named(node, "interface"), body: between(node.childForFieldName("body")) };
    case "impl_item":
      return implementation(node);
    case "mod_item":
      return { ...named(node, "namespace"), body: between(node.childForFieldName("body")) };
    case "foreign_mod_item":
      return { ...STATEMENT, kind: "namespace", name: "extern", body: between(node.childForFieldName("body")) };
    case "macro_invocation":
      return macro(node);
    case "expression_statement":
      return node.firstNamedChild?.type === "macro_invocation" ? macro(node.firstNamedChild) : STATEMENT;
    default:
      return STATEMENT;
  }
}

/** The fields in braces; those of a tuple have no names. */
function fields(body: Node | null): Part["body"] {
  return body?.type === "field_declaration_list" ? between(body, { separator: "," }) : undefined;
}

function implementation(node: Node): Part {
  const generics = textOf(node.childForFieldName("type_parameters")) ?? "";
  const trait = textOf(node.childForFieldName("trait")) ?? "";
  return {
    kind: "implementation",
    name: textOf(node.childForFieldName("type")),
    signature: [generics, trait].filter(Boolean).join(" "),
    body: between(node.childForFieldName("body")),
  };
}

/** A call of a macro that declares something has a name in it. */
function macro(node: Node): Part {
  const tree = present(node.namedChildren).find(({ type }) => type === "token_tree");
  const identifier = present(tree?.namedChildren ?? []).find(({ type }) => type === "identifier");
  const words = [`${textOf(node.childForFieldName("macro")) ?? ""}!`, textOf(identifier)];
  return { ...STATEMENT, kind: "macro", name: words.filter(Boolean).join(" ") };
}
