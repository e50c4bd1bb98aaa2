import type { Call, Parameter, Signature } from "../symbol-table.ts";
import { readCall, type SymbolCollector } from "../symbol-collector.ts";
import { childIn, childOf, childrenOf, hasWord, type SyntaxNode } from "../syntax-node.ts";

const CALL = { spread: /^$/, text: "string_literal" };

/** Reads the symbols of Rust. */
export function readRust(root: SyntaxNode, into: SymbolCollector): void {
  walkItems(root, into);
}

/** Attributes stand before what they are for. */
function walkItems(list: SyntaxNode | undefined, into: SymbolCollector, isGeneric = false): void {
  let isDecorated = isGeneric;
  for (const child of list?.children ?? []) {
    walk(child, into, isDecorated);
    const isCondition =
      child.type === "attribute_item" && (isDecorated || /^#\[\s*(cfg|test)\b/.test(into.short(child)));
    isDecorated = isGeneric || isCondition;
  }
}

function walk(node: SyntaxNode, into: SymbolCollector, isDecorated = false): void {
  const name = into.text(childIn(node, "name"));
  const isExported = childOf(node, "visibility_modifier") !== undefined;
  const plain = { name, isExported, isDecorated };
  switch (node.type) {
    case "attribute_item":
    case "inner_attribute_item":
      return;
    case "use_declaration": {
      const argument = childIn(node, "argument");
      return argument === undefined ? undefined : readUse(argument, "", into, isExported);
    }
    case "mod_item":
      into.define(node, { ...plain, kind: "namespace" });
      return into.within(name, false, () => walkItems(childIn(node, "body"), into));
    case "const_item":
    case "static_item":
      into.define(node, {
        ...plain,
        kind: "variable",
        type: into.short(childIn(node, "type")),
        value: into.short(childIn(node, "value")),
      });
      return walkChildren(node, into, "name");
    case "type_item":
    case "associated_type":
      into.define(node, {
        ...plain,
        kind: "type",
        value: into.short(childIn(node, "type")),
        isRequired: node.type === "associated_type",
      });
      return walkChildren(node, into, "name");
    case "struct_item":
    case "union_item":
    case "enum_item":
    case "enum_variant":
      return walkType(node, into, plain);
    case "trait_item":
      into.define(node, { ...plain, kind: "interface" });
      return into.within(name, false, () => walkItems(childIn(node, "body"), into));
    case "impl_item":
      return walkImplementation(node, into, isDecorated);
    case "function_item":
    case "function_signature_item": {
      const isAbstract = node.type === "function_signature_item";
      const kind = into.scope === "" ? "function" : "method";
      into.define(node, { ...plain, kind, isAbstract, isRequired: isAbstract, signature: signatureOf(node, into) });
      return into.within(name, true, () => walkChildren(node, into, "name"));
    }
    case "macro_definition":
      return into.define(node, { name: `${name}!`, kind: "function", isExported: true, isOverloadable: true });
    default:
      return walkExpression(node, into);
  }
}

function walkChildren(node: SyntaxNode, into: SymbolCollector, without?: string): void {
  for (const child of node.children) if (without === undefined || child.field !== without) walk(child, into);
}

function readUse(node: SyntaxNode, prefix: string, into: SymbolCollector, isExported: boolean): void {
  const joined = (name: string): string => (prefix === "" ? name : `${prefix}::${name}`);
  const add = (path: string, alias: string): void => {
    const names = path.replace(/::self$/, "").split("::");
    const imported = names.at(-1) ?? "";
    const local = alias || imported;
    if (into.isLocal) into.bind(local);
    into.import(node, { local, imported, from: names.slice(0, -1).join("::") });
    if (isExported) into.export({ name: local, local });
  };
  if (node.type === "use_wildcard") {
    const path = joined(into.text(node).replace(/(::)?\*$/, ""));
    // Tests within a file have all that the file has.
    if (into.scope === "" || !path.startsWith("super")) into.wildcard(path);
    if (isExported) into.hasHiddenExports = true;
  } else if (node.type === "scoped_use_list") {
    const path = joined(into.text(childIn(node, "path")));
    for (const one of childIn(node, "list")?.children ?? []) readUse(one, path, into, isExported);
  } else if (node.type === "use_list") for (const one of node.children) readUse(one, prefix, into, isExported);
  else if (node.type === "use_as_clause")
    add(joined(into.text(childIn(node, "path"))), into.text(childIn(node, "alias")));
  else add(joined(into.text(node)), "");
}

function walkType(
  node: SyntaxNode,
  into: SymbolCollector,
  plain: { readonly name: string; readonly isExported: boolean; readonly isDecorated: boolean },
): void {
  const kind = node.type === "enum_item" ? "enum" : node.type === "enum_variant" ? "enum-member" : "class";
  const body = childIn(node, "body");
  const values = childrenOf(body, "type_identifier", "primitive_type", "generic_type", "reference_type");
  into.define(node, { ...plain, kind, value: kind === "enum-member" && values.length > 0 ? into.short(body) : "" });
  into.within(plain.name, false, () => {
    for (const field of childrenOf(body, "field_declaration")) {
      const [name, type] = [into.text(childIn(field, "name")), into.short(childIn(field, "type"))];
      into.define(field, {
        name,
        kind: "field",
        isExported: childOf(field, "visibility_modifier") !== undefined,
        isRequired: true,
        type,
      });
    }
    if (node.type === "enum_item") walkItems(body, into);
    else into.within("", true, () => body?.children.forEach((child) => walkChildren(child, into, "name")));
  });
}

function walkImplementation(node: SyntaxNode, into: SymbolCollector, isDecorated: boolean): void {
  const nameOf = (part: SyntaxNode | undefined): string =>
    into.short(part?.type === "generic_type" ? childIn(part, "type") : part).replace(/^.*::/, "");
  const trait = childIn(node, "trait");
  const type = nameOf(childIn(node, "type"));
  for (const child of node.children) if (child.field !== "body") walk(child, into);
  const isGeneric = childIn(node, "type")?.type === "generic_type";
  if (trait === undefined) return into.within(type, false, () => walkItems(childIn(node, "body"), into, isGeneric));
  const name = `<${into.short(trait)} for ${into.short(childIn(node, "type"))}>`;
  const supers = trait.type === "generic_type" ? [] : [into.short(trait)];
  into.define(node, { name, kind: "implementation", isExported: false, supers, isDecorated, isOverloadable: true });
  into.within(name, false, () => walkItems(childIn(node, "body"), into));
}

function signatureOf(node: SyntaxNode, into: SymbolCollector): Signature {
  const list = childIn(node, "parameters")?.children ?? [];
  const parameters = list.flatMap((one): Parameter[] => {
    if (one.type !== "parameter" && one.type !== "self_parameter") return [];
    const isSelf = one.type === "self_parameter";
    const name = isSelf ? "self" : into.short(childIn(one, "pattern"));
    return [
      { name, kind: "plain", isOptional: false, type: isSelf ? into.short(one) : into.short(childIn(one, "type")) },
    ];
  });
  return {
    parameters,
    returns: into.short(childIn(node, "return_type")),
    isAsync: hasWord(childOf(node, "function_modifiers") ?? node, "async"),
  };
}

function walkExpression(node: SyntaxNode, into: SymbolCollector): void {
  switch (node.type) {
    case "identifier":
    case "type_identifier":
      return into.refer(node, into.text(node));
    case "parameter":
    case "let_declaration":
    case "let_condition":
    case "for_expression":
    case "match_arm": {
      const pattern = childIn(node, "pattern");
      if (pattern !== undefined) bindPattern(pattern, into, typeNameOf(node, into));
      return walkChildren(node, into, "pattern");
    }
    case "closure_parameters":
      return node.children.forEach((child) =>
        child.type === "parameter" ? walk(child, into) : bindPattern(child, into),
      );
    case "type_parameter":
      into.bind(into.text(childIn(node, "name")));
      return walkChildren(node, into, "name");
    case "call_expression": {
      const callee = childIn(node, "function");
      const inner = callee?.type === "generic_function" ? childIn(callee, "function") : callee;
      const call = readCall(into, childIn(node, "arguments"), CALL);
      if (inner !== undefined) walkCallee(inner, into, call);
      return walkChildren(node, into, "function");
    }
    case "scoped_identifier":
    case "scoped_type_identifier":
    case "field_expression":
      return walkCallee(node, into);
    case "struct_expression":
      return walkLiteral(node, into);
    case "match_expression":
      readChoice(node, into);
      return walkChildren(node, into);
    case "token_tree":
      return walkTokens(node, into);
    case "field_initializer":
      return walkChildren(node, into, "field");
    case "block":
      return walkItems(node, into);
    default:
      return walkChildren(node, into);
  }
}

function walkCallee(node: SyntaxNode, into: SymbolCollector, call?: Call): void {
  const more = call === undefined ? {} : { call };
  if (node.type === "field_expression") {
    const value = childIn(node, "value");
    const text = into.short(value);
    const object = text === "self" ? "this" : /^\w+(\.\w+)*$/.test(text) ? text : "?";
    into.refer(node, into.text(childIn(node, "field")), { object, ...more });
    if (value !== undefined) walk(value, into);
  } else if (node.type === "scoped_identifier" || node.type === "scoped_type_identifier") {
    const path = into.short(childIn(node, "path"));
    const object = path === "Self" ? "this" : path.replaceAll("::", ".");
    into.refer(node, into.text(childIn(node, "name")), { object: /^[\w.]+$/.test(object) ? object : "?", ...more });
    const [first = ""] = path.split("::");
    if (/^\w+$/.test(first) && !/^(crate|self|super|Self)$/.test(first)) into.refer(node, first);
  } else if (node.type === "identifier") into.refer(node, into.text(node), more);
  else walk(node, into);
}

function walkTokens(node: SyntaxNode, into: SymbolCollector): void {
  for (const child of node.children) {
    if (child.type === "token_tree") walkTokens(child, into);
    else if (child.type === "identifier") into.refer(child, into.text(child), { isLoose: true });
  }
}

function walkLiteral(node: SyntaxNode, into: SymbolCollector): void {
  const [type, body] = [childIn(node, "name"), childIn(node, "body")];
  const fields = childrenOf(body, "field_initializer", "shorthand_field_initializer");
  const keys = fields.map((one) => into.text(childIn(one, "field") ?? one.children.at(-1)));
  const isOpen = childOf(body, "base_field_initializer") !== undefined;
  if (type?.type === "type_identifier") into.literal(node, { type: into.text(type), keys, positional: 0, isOpen });
  walkChildren(node, into);
}

function bindPattern(node: SyntaxNode, into: SymbolCollector, type?: string): void {
  if (node.type === "identifier" || node.type === "shorthand_field_identifier") {
    const name = into.text(node);
    // What begins with a capital is a constant or a variant, unless told otherwise.
    if (/^[A-Z]/.test(name)) into.refer(node, name);
    else into.bind(name, type);
  } else if (node.type === "scoped_identifier" || node.type === "scoped_type_identifier") walkCallee(node, into);
  else if (node.type === "tuple_struct_pattern" || node.type === "struct_pattern") {
    for (const child of node.children) {
      if (child.field !== "type") bindPattern(child, into);
      else if (child.type.startsWith("scoped")) walkCallee(child, into);
      else into.refer(child, into.text(child));
    }
  } else {
    for (const child of node.children) {
      if (child.field === "condition") walk(child, into);
      else if (child.type !== "field_identifier") bindPattern(child, into);
    }
  }
}

function typeNameOf(node: SyntaxNode, into: SymbolCollector): string | undefined {
  const type = childIn(node, "type");
  const inner = type?.type === "reference_type" ? childIn(type, "type") : type;
  if (inner?.type === "type_identifier") return into.text(inner);
  const value = node.type === "let_declaration" ? childIn(node, "value") : undefined;
  if (value?.type === "struct_expression") return into.text(childIn(value, "name"));
  const [, made] =
    value?.type === "call_expression"
      ? (/^([A-Z]\w*)::(new|default|from)$/.exec(into.short(childIn(value, "function"))) ?? [])
      : [];
  return made;
}

function readChoice(node: SyntaxNode, into: SymbolCollector): void {
  const arms = childrenOf(childIn(node, "body"), "match_arm");
  const labels = arms.flatMap((arm) => into.short(childIn(arm, "pattern")).split(/\s*\|\s*/));
  const hasDefault = labels.some((label) => /^_$|^[a-z]\w*$/.test(label));
  into.choice(node, {
    labels: labels.map((label) => label.replace(/\s*[({].*$/, "").replaceAll("::", ".")),
    hasDefault,
  });
}
