import type { Call, Parameter, Signature } from "../symbol-table.ts";
import { readCall, type SymbolCollector } from "../symbol-collector.ts";
import { childIn, childOf, childrenOf, type SyntaxNode } from "../syntax-node.ts";

const CALL = { spread: /^variadic_argument$/, text: "interpreted_string_literal" };

/** Reads the symbols of Go. */
export function readGo(root: SyntaxNode, into: SymbolCollector): void {
  into.unit = into.text(childOf(childOf(root, "package_clause"), "package_identifier"));
  for (const child of root.children) walk(child, into);
}

function walk(node: SyntaxNode, into: SymbolCollector): void {
  switch (node.type) {
    case "package_clause":
      return;
    case "import_spec": {
      const from = into.text(childIn(node, "path")).replaceAll(/["`]/g, "");
      const alias = into.text(childIn(node, "name"));
      if (alias === ".") return into.wildcard(from);
      return into.import(node, {
        local:
          alias ||
          (from
            .replace(/\/v\d+$/, "")
            .split("/")
            .at(-1) ??
            ""),
        imported: "*",
        from,
      });
    }
    case "const_spec":
    case "var_spec":
      return walkSpec(node, into);
    case "type_spec":
    case "type_alias":
      return walkType(node, into);
    case "function_declaration":
    case "method_declaration":
      return walkFunction(node, into);
    case "func_literal":
      return into.within("", true, () => walkCallable(node, into));
    case "short_var_declaration":
    case "range_clause":
    case "receive_statement":
      return walkBinding(node, into);
    case "type_switch_statement":
      for (const name of childIn(node, "alias")?.children ?? []) into.bind(into.text(name));
      return walkChildren(node, into, "alias");
    case "expression_switch_statement":
      readChoice(node, into);
      return walkChildren(node, into);
    case "composite_literal":
      return walkLiteral(node, into);
    case "call_expression":
      return walkCall(node, into);
    case "selector_expression":
      return walkSelector(node, into);
    case "qualified_type":
      into.refer(node, into.text(childIn(node, "name")), { object: into.text(childIn(node, "package")) });
      return into.refer(node, into.text(childIn(node, "package")));
    case "identifier":
    case "type_identifier":
      return into.refer(node, into.text(node));
    case "parameter_declaration":
    case "variadic_parameter_declaration":
    case "type_parameter_declaration":
      for (const name of node.children.filter(({ field }) => field === "name"))
        into.bind(into.text(name), typeNameOf(node, into));
      return walkChildren(node, into, "name");
    default:
      return walkChildren(node, into);
  }
}

function walkChildren(node: SyntaxNode, into: SymbolCollector, without?: string): void {
  for (const child of node.children) if (without === undefined || child.field !== without) walk(child, into);
}

function walkSpec(node: SyntaxNode, into: SymbolCollector): void {
  const names = node.children.filter(({ field }) => field === "name");
  const values = childIn(node, "value")?.children ?? [];
  const type = into.short(childIn(node, "type"));
  names.forEach((name, index) => {
    const value = into.short(values[index]);
    into.define(name, { name: into.text(name), kind: "variable", isExported: true, type, value });
  });
  walkChildren(node, into, "name");
}

function walkType(node: SyntaxNode, into: SymbolCollector): void {
  const name = into.text(childIn(node, "name"));
  const type = childIn(node, "type");
  const kind = type?.type === "interface_type" ? "interface" : type?.type === "struct_type" ? "class" : "type";
  into.define(node, { name, kind, isExported: true, value: kind === "type" ? into.short(type) : "" });
  into.within(name, false, () => {
    for (const field of childOf(type, "field_declaration_list")?.children ?? []) {
      const names = field.children.filter((child) => child.field === "name");
      const text = into.short(childIn(field, "type"));
      for (const one of names) into.define(one, { name: into.text(one), kind: "field", isExported: true, type: text });
      if (names.length === 0)
        into.define(field, { name: text.replace(/^\*|^.*\./g, ""), kind: "field", isExported: true, type: text });
    }
    for (const method of type?.type === "interface_type" ? childrenOf(type, "method_elem") : []) {
      const signature = signatureOf(method, into);
      into.define(method, {
        name: into.text(childIn(method, "name")),
        kind: "method",
        isExported: true,
        isRequired: true,
        isAbstract: true,
        signature,
      });
    }
    into.within("", true, () => walkChildren(node, into, "name"));
  });
}

function walkFunction(node: SyntaxNode, into: SymbolCollector): void {
  const name = into.text(childIn(node, "name"));
  const owner = into
    .short(childOf(childIn(node, "receiver"), "parameter_declaration")?.children.at(-1))
    .replace(/^\*/, "")
    .replace(/\[.*$/, "");
  const kind = node.type === "method_declaration" ? "method" : "function";
  const isOverloadable = kind === "function" && (name === "init" || name === "_" || name === "main");
  into.within(owner, false, () => {
    into.define(node, { name, kind, isExported: true, signature: signatureOf(node, into), isOverloadable });
    into.within(name, true, () => walkCallable(node, into));
  });
}

function walkCallable(node: SyntaxNode, into: SymbolCollector): void {
  for (const child of node.children) if (child.field !== "name") walk(child, into);
}

function signatureOf(node: SyntaxNode, into: SymbolCollector): Signature {
  const parameters = (childIn(node, "parameters")?.children ?? []).flatMap((one): Parameter[] => {
    const names = one.children.filter(({ field }) => field === "name").map((name) => into.text(name));
    const kind = one.type === "variadic_parameter_declaration" ? "rest" : "plain";
    const type = into.short(childIn(one, "type"));
    return (names.length === 0 ? [""] : names).map((name) => ({ name, kind, isOptional: false, type }));
  });
  return { parameters, returns: into.short(childIn(node, "result")), isAsync: false };
}

function walkBinding(node: SyntaxNode, into: SymbolCollector): void {
  const [left, right] = [childIn(node, "left"), childIn(node, "right")];
  const made = right?.children.length === 1 ? right.children[0] : undefined;
  const literal = made?.type === "unary_expression" ? childOf(made, "composite_literal") : made;
  const type = literal?.type === "composite_literal" ? typeNameOf(literal, into) : undefined;
  for (const name of left?.children ?? []) into.bind(into.text(name), left?.children.length === 1 ? type : undefined);
  walkChildren(node, into, "left");
}

function typeNameOf(node: SyntaxNode, into: SymbolCollector): string | undefined {
  const type = childIn(node, "type");
  const inner = type?.type === "pointer_type" ? type.children[0] : type;
  return inner?.type === "type_identifier" || inner?.type === "qualified_type" ? into.text(inner) : undefined;
}

function walkLiteral(node: SyntaxNode, into: SymbolCollector): void {
  const [type, body] = [childIn(node, "type"), childIn(node, "body")];
  const keyed = childrenOf(body, "keyed_element");
  const name = typeNameOf(node, into);
  if (name !== undefined) {
    const keys = keyed.map((one) => into.text(childIn(one, "key")));
    const positional = childrenOf(body, "literal_element").length;
    // Fields that are not named have the zero value.
    into.literal(node, { type: name, keys, positional, isOpen: positional === 0 });
  }
  if (type !== undefined) walk(type, into);
  for (const child of body?.children ?? []) {
    if (child.type !== "keyed_element") walk(child, into);
    else for (const part of child.children) if (part.field !== "key" || name === undefined) walk(part, into);
  }
}

function walkCall(node: SyntaxNode, into: SymbolCollector): void {
  const [callee, list] = [childIn(node, "function"), childIn(node, "arguments")];
  const read = readCall(into, list, CALL);
  const [only] = list?.children ?? [];
  // f(g()) may hand over all that g gives.
  const call = read.positional === 1 && only?.type === "call_expression" ? { ...read, isOpen: true } : read;
  if (callee?.type === "identifier") into.refer(node, into.text(callee), { call });
  else if (callee?.type === "selector_expression") walkSelector(callee, into, call);
  else if (callee !== undefined) walk(callee, into);
  walkChildren(node, into, "function");
}

function walkSelector(node: SyntaxNode, into: SymbolCollector, call?: Call): void {
  const operand = childIn(node, "operand");
  const text = into.short(operand);
  const object = /^\w+(\.\w+)*$/.test(text) ? text : "?";
  into.refer(node, into.text(childIn(node, "field")), { object, ...(call === undefined ? {} : { call }) });
  if (operand !== undefined) walk(operand, into);
}

function readChoice(node: SyntaxNode, into: SymbolCollector): void {
  const labels = childrenOf(node, "expression_case").flatMap((one) => childIn(one, "value")?.children ?? []);
  const hasDefault = childOf(node, "default_case") !== undefined;
  into.choice(node, { labels: labels.map((label) => into.short(label)), hasDefault });
}
