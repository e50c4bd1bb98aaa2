import { unquote } from "../quotes.ts";
import type { Definition } from "../symbol-table.ts";
import { readCall, type SymbolCollector } from "../symbol-collector.ts";
import { childIn, childOf, childrenOf, hasWord, type SyntaxNode } from "../syntax-node.ts";
import {
  defineChoices,
  defineEntries,
  defineEnumMembers,
  defineField,
  defineMethod,
  defineProperties,
  superNames,
} from "./ecmascript-members.ts";
import { readModuleStatement, readRequire, readCommonExports } from "./ecmascript-modules.ts";
import { FUNCTIONS, instanceOf, signatureOf, typeNameOf, typeTextOf } from "./ecmascript-signatures.ts";

const CALL = { spread: /^spread_element$/, text: "string" };

/** Reads the symbols of JavaScript and TypeScript. */
export function readEcmaScript(root: SyntaxNode, into: SymbolCollector): void {
  for (const child of root.children) walk(child, into, false);
}

function walk(node: SyntaxNode, into: SymbolCollector, isExported: boolean): void {
  switch (node.type) {
    case "import_statement":
      return readModuleStatement(node, into);
    case "export_statement":
      return walkExport(node, into);
    case "ambient_declaration":
      for (const child of node.children) walk(child, into, isExported);
      return;
    case "function_declaration":
    case "generator_function_declaration":
    case "function_signature":
      return walkFunction(node, into, isExported);
    case "class_declaration":
    case "abstract_class_declaration":
    case "class":
      return walkClass(node, into, isExported);
    case "interface_declaration":
      return walkInterface(node, into, isExported);
    case "type_alias_declaration":
      return walkAlias(node, into, isExported);
    case "enum_declaration":
      return walkEnum(node, into, isExported);
    case "internal_module":
    case "module":
      return walkNamespace(node, into, isExported);
    case "lexical_declaration":
    case "variable_declaration":
      for (const one of childrenOf(node, "variable_declarator")) walkVariable(one, node, into, isExported);
      return;
    default:
      return walkExpression(node, into);
  }
}

function walkExport(node: SyntaxNode, into: SymbolCollector): void {
  const declaration = childIn(node, "declaration");
  readModuleStatement(node, into);
  if (declaration !== undefined) walk(declaration, into, true);
  const value = childIn(node, "value");
  if (value !== undefined) walkExpression(value, into);
  if (!hasWord(node, "default")) return;
  const name = into.text(childIn(declaration, "name") ?? (value?.type === "identifier" ? value : undefined));
  into.export({ name: "default", local: name });
}

function walkFunction(node: SyntaxNode, into: SymbolCollector, isExported: boolean): void {
  const name = into.text(childIn(node, "name"));
  const isOverloadable = node.type === "function_signature";
  into.define(node, { name, kind: "function", isExported, signature: signatureOf(node, into), isOverloadable });
  into.within(name, true, () => walkCallable(node, into));
}

/** The parameters and the body of something that can be called. */
function walkCallable(node: SyntaxNode, into: SymbolCollector): void {
  for (const child of node.children) {
    if (child.field === "name") continue;
    if (child.field === "parameter") bindPattern(child, into);
    else if (child.field !== "parameters") walk(child, into, false);
    else for (const parameter of child.children) walkParameter(parameter, into);
  }
}

function walkParameter(node: SyntaxNode, into: SymbolCollector): void {
  const pattern = childIn(node, "pattern") ?? childIn(node, "left") ?? (isTyped(node) ? undefined : node);
  if (pattern !== undefined) bindPattern(pattern, into, typeNameOf(node, into));
  for (const child of node.children) if (child !== pattern && child.field !== "left") walkExpression(child, into);
}

function isTyped({ type }: SyntaxNode): boolean {
  return type === "required_parameter" || type === "optional_parameter";
}

function walkClass(node: SyntaxNode, into: SymbolCollector, isExported: boolean): void {
  const name = into.text(childIn(node, "name"));
  const heritage = childOf(node, "class_heritage");
  const supers = heritage === undefined ? [] : superNames(heritage, into);
  const isAbstract = node.type === "abstract_class_declaration";
  const isDecorated = childOf(node, "decorator") !== undefined;
  if (name !== "") into.define(node, { name, kind: "class", isExported, supers, isAbstract, isDecorated });
  if (heritage !== undefined) walkExpression(heritage, into);
  into.within(name, name === "", () => {
    for (const member of childIn(node, "body")?.children ?? []) walkMember(member, into);
  });
}

function walkMember(node: SyntaxNode, into: SymbolCollector): void {
  const name = into.text(childIn(node, "name") ?? childIn(node, "property"));
  switch (node.type) {
    case "method_definition":
    case "method_signature":
    case "abstract_method_signature":
      defineMethod(node, name, into);
      return into.within(name, true, () => walkCallable(node, into));
    case "public_field_definition":
    case "field_definition":
      defineField(node, name, into);
      return into.within(name, true, () =>
        node.children.forEach((child) => child.field !== "name" && walk(child, into, false)),
      );
    default:
      return into.within("", true, () => walk(node, into, false));
  }
}

function walkInterface(node: SyntaxNode, into: SymbolCollector, isExported: boolean): void {
  const name = into.text(childIn(node, "name"));
  const clause = childOf(node, "extends_type_clause");
  const supers = childrenOf(clause, "type_identifier", "generic_type", "nested_type_identifier").map((one) =>
    into.text(one.type === "generic_type" ? childIn(one, "name") : one),
  );
  into.define(node, { name, kind: "interface", isExported, supers, isOverloadable: true });
  if (clause !== undefined) walkExpression(clause, into);
  into.within(name, false, () => walkProperties(childIn(node, "body"), into));
}

function walkProperties(body: SyntaxNode | undefined, into: SymbolCollector): void {
  defineProperties(body, into);
  for (const member of body?.children ?? []) into.within("", true, () => walkCallable(member, into));
}

function walkAlias(node: SyntaxNode, into: SymbolCollector, isExported: boolean): void {
  const name = into.text(childIn(node, "name"));
  const value = childIn(node, "value");
  into.define(node, { name, kind: "type", isExported, value: into.short(value) });
  into.within(name, false, () => {
    if (value?.type === "object_type") walkProperties(value, into);
    else {
      defineChoices(value, into);
      into.within("", true, () => walkCallable(node, into));
    }
  });
}

function walkEnum(node: SyntaxNode, into: SymbolCollector, isExported: boolean): void {
  const name = into.text(childIn(node, "name"));
  into.define(node, { name, kind: "enum", isExported });
  into.within(name, false, () => defineEnumMembers(childIn(node, "body"), into));
}

function walkNamespace(node: SyntaxNode, into: SymbolCollector, isExported: boolean): void {
  const name = into.text(childIn(node, "name"));
  into.define(node, { name, kind: "namespace", isExported, isOverloadable: true });
  into.within(name, false, () => {
    for (const child of childIn(node, "body")?.children ?? []) walk(child, into, false);
  });
}

function walkVariable(node: SyntaxNode, list: SyntaxNode, into: SymbolCollector, isExported: boolean): void {
  const [pattern, type, value] = [childIn(node, "name"), childIn(node, "type"), childIn(node, "value")];
  const name = pattern?.type === "identifier" ? into.text(pattern) : "";
  const instance = typeNameOf(node, into) ?? instanceOf(value, into);
  if (readRequire(pattern, value, node, into)) return;
  if (name === "" || into.isLocal) {
    if (pattern !== undefined) bindPattern(pattern, into, instance, isExported ? node : undefined);
  } else {
    const isFunction = value !== undefined && FUNCTIONS.test(value.type);
    const signature = isFunction ? { signature: signatureOf(value, into) } : {};
    const definition: Omit<Definition, "scope" | "line"> = {
      name,
      kind: "variable",
      isExported,
      type: typeTextOf(type, into),
      value: isFunction ? "" : into.short(value),
      isOverloadable: list.type === "variable_declaration",
      ...signature,
    };
    into.define(node, definition);
    if (value !== undefined) defineEntries(name, value, into);
    if (instance !== undefined) into.instance(name, instance);
  }
  into.within(name, true, () => {
    if (type !== undefined) walkExpression(type, into);
    if (value !== undefined) walkTyped(value, typeNameOf(node, into), into);
  });
}

/** A value that is known to be of a type: an object literal has to give what the type requires. */
function walkTyped(value: SyntaxNode, type: string | undefined, into: SymbolCollector): void {
  if (value.type === "object" && type !== undefined) {
    const keys = value.children.map((child) => into.text(childIn(child, "key") ?? childIn(child, "name") ?? child));
    const isOpen =
      value.children.some(({ type: kind }) => kind === "spread_element") || keys.some((key) => key.startsWith("["));
    into.literal(value, { type, keys: keys.map(unquote), positional: 0, isOpen });
  }
  walk(value, into, false);
}

function walkExpression(node: SyntaxNode, into: SymbolCollector): void {
  switch (node.type) {
    case "identifier":
    case "type_identifier":
    case "shorthand_property_identifier":
      return into.refer(node, into.text(node));
    case "call_expression":
    case "new_expression":
      return walkCall(node, into);
    case "member_expression":
      return walkMemberOf(node, into);
    case "nested_type_identifier":
      into.refer(node, into.text(childIn(node, "name")), { object: into.short(childIn(node, "module")) });
      return into.refer(node, into.text(childIn(node, "module")).split(".")[0] ?? "");
    case "satisfies_expression":
    case "as_expression": {
      const [value, type] = [node.children[0], node.children.at(-1)];
      const isLiteral = node.type === "satisfies_expression" && type?.type === "type_identifier";
      if (value !== undefined) walkTyped(value, isLiteral ? into.text(type) : undefined, into);
      for (const child of node.children.slice(1)) walkExpression(child, into);
      return;
    }
    case "subscript_expression": {
      const index = childIn(node, "index");
      const object = into.short(childIn(node, "object"));
      if (index?.type === "string" && /^[\w$.]+$/.test(object))
        into.refer(index, unquote(into.text(index)), { object });
      return walkChildren(node, into);
    }
    case "catch_clause":
    case "for_in_statement": {
      const pattern =
        childIn(node, "parameter") ?? (childIn(node, "kind") === undefined ? undefined : childIn(node, "left"));
      if (pattern !== undefined) bindPattern(pattern, into);
      for (const child of node.children) if (child !== pattern) walk(child, into, false);
      return;
    }
    case "assignment_expression":
      readCommonExports(node, into);
      return walkChildren(node, into);
    case "switch_statement":
      readChoice(node, into);
      return walkChildren(node, into);
    case "type_parameter":
    case "mapped_type_clause":
    case "infer_type":
      into.bind(into.text(childIn(node, "name") ?? childOf(node, "type_identifier")));
      return node.children.filter(({ field }) => field !== "name").forEach((child) => walkExpression(child, into));
    case "object_pattern":
    case "array_pattern":
      return bindPattern(node, into);
    default:
      if (FUNCTIONS.test(node.type) || node.type === "method_definition") {
        into.bind(into.text(childIn(node, "name")));
        return into.within("", true, () => walkCallable(node, into));
      }
      if (/_type$|signature$/.test(node.type) && childIn(node, "parameters") !== undefined)
        return walkCallable(node, into);
      return walkChildren(node, into);
  }
}

function walkChildren(node: SyntaxNode, into: SymbolCollector): void {
  for (const child of node.children) walk(child, into, false);
}

function walkCall(node: SyntaxNode, into: SymbolCollector): void {
  const callee = childIn(node, "function") ?? childIn(node, "constructor");
  const list = childIn(node, "arguments");
  const call = readCall(into, list, CALL);
  if (callee?.type === "identifier") into.refer(node, into.text(callee), { call });
  else if (callee?.type === "member_expression") walkMemberOf(callee, into, call);
  else if (callee !== undefined) walk(callee, into, false);
  for (const child of node.children) if (child !== callee) walk(child, into, false);
}

function walkMemberOf(node: SyntaxNode, into: SymbolCollector, call?: ReturnType<typeof readCall>): void {
  const [object, property] = [childIn(node, "object"), childIn(node, "property")];
  const text = into.short(object);
  const plain = /^[\w$]+(\.[\w$#]+)*$/.test(text) ? text : "?";
  into.refer(property ?? node, into.text(property), { object: plain, ...(call === undefined ? {} : { call }) });
  if (object !== undefined) walk(object, into, false);
}

function readChoice(node: SyntaxNode, into: SymbolCollector): void {
  const cases = childrenOf(childIn(node, "body"), "switch_case");
  const fallback = childOf(childIn(node, "body"), "switch_default");
  // What must never be reached is a check that all is covered, by whatever name.
  const isCheck = fallback !== undefined && /never|exhaust|unreachable/i.test(into.text(fallback).slice(0, 400));
  const labels = cases.map((one) => into.short(childIn(one, "value")));
  into.choice(node, { labels, hasDefault: fallback !== undefined && !isCheck });
}

/** Notes the names that a pattern gives a meaning. */
function bindPattern(node: SyntaxNode, into: SymbolCollector, type?: string, exported?: SyntaxNode): void {
  switch (node.type) {
    case "identifier":
    case "shorthand_property_identifier_pattern":
      if (into.isLocal) into.bind(into.text(node), type);
      else into.define(node, { name: into.text(node), kind: "variable", isExported: exported !== undefined });
      return;
    case "pair_pattern":
      return childIn(node, "value") === undefined
        ? undefined
        : bindPattern(childIn(node, "value") ?? node, into, undefined, exported);
    case "assignment_pattern":
    case "object_assignment_pattern":
      for (const child of node.children) {
        if (child.field === "left") bindPattern(child, into, type, exported);
        else walk(child, into, false);
      }
      return;
    case "member_expression":
    case "subscript_expression":
      return walk(node, into, false);
    default:
      for (const child of node.children) bindPattern(child, into, undefined, exported);
  }
}
