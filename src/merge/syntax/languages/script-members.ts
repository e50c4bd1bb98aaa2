import type { Node } from "web-tree-sitter";

import { between, present, STATEMENT, textOf, type Part, type PartBody } from "../language-rules.ts";

/** What a node is in a class, an interface, an enum or an object. */
export function memberOf(node: Node): Part {
  switch (node.type) {
    case "method_definition":
      return part("method", keyOf(node.childForFieldName("name")), wordsBefore(node));
    case "method_signature":
    case "abstract_method_signature":
      return part("method", keyOf(node.childForFieldName("name")), `${wordsBefore(node)}${parameters(node)}`);
    case "construct_signature":
      return part("method", "new", parameters(node));
    case "call_signature":
      return part("method", "()", parameters(node));
    case "public_field_definition":
      return part("field", keyOf(node.childForFieldName("name")), wordsBefore(node), node.childForFieldName("value"));
    case "field_definition":
      return part(
        "field",
        keyOf(node.childForFieldName("property")),
        wordsBefore(node),
        node.childForFieldName("value"),
      );
    case "property_signature":
      return part("property", keyOf(node.childForFieldName("name")), "", node.childForFieldName("type"));
    case "index_signature":
      return part("property", textOf(node), "");
    case "enum_assignment":
      return part("property", keyOf(node.childForFieldName("name")), "");
    case "pair":
      return part("property", keyOf(node.childForFieldName("key")), "", node.childForFieldName("value"));
    case "property_identifier":
    case "shorthand_property_identifier":
    case "string":
      return part("property", keyOf(node), "");
    default:
      return STATEMENT;
  }
}

function part(kind: Part["kind"], name: string | undefined, signature: string, value?: Node | null): Part {
  return { kind, name, signature, body: valueBody(value) };
}

/** The parts of a value that is an object, a type of one, or a class. */
export function valueBody(value: Node | null | undefined): PartBody | undefined {
  switch (value?.type) {
    case "object": {
      const body = between(value, { separator: "," });
      return body && { ...body, isOrdered: body.nodes.some((node) => node.type === "spread_element") };
    }
    case "object_type":
      return between(value);
    case "class":
      return between(value.childForFieldName("body"));
    case "as_expression":
    case "satisfies_expression":
    case "type_annotation":
      return valueBody(value.firstNamedChild);
    case "call_expression":
      return onlyBody(value.childForFieldName("arguments"), "object");
    case "generic_type":
      return onlyBody(value.childForFieldName("type_arguments"), "object_type");
    case "intersection_type":
      return onlyBody(value, "object_type");
    default:
      return undefined;
  }
}

/** The body of the only child that has one: that of `readonly({ … })`, `Readonly<{ … }>` and `A & { … }`. */
function onlyBody(node: Node | null, type: "object" | "object_type"): PartBody | undefined {
  const found = present(node?.namedChildren ?? []).filter((child) => child.type === type);
  return found.length === 1 ? valueBody(found[0]) : undefined;
}

/** A key is the same with quotes and without. */
function keyOf(node: Node | null): string | undefined {
  const text = textOf(node);
  return text !== undefined && node?.type === "string" ? text.slice(1, -1) : text;
}

/** `get`, `set` and `static` tell apart members of one name. */
function wordsBefore(node: Node): string {
  const words: string[] = [];
  for (const child of present(node.children)) {
    const { type } = child;
    if (type === "get" || type === "set" || type === "static") words.push(type);
    if (type === "property_identifier" || type === "formal_parameters") break;
  }
  return words.join(" ");
}

function parameters(node: Node): string {
  return textOf(node.childForFieldName("parameters")) ?? "";
}
