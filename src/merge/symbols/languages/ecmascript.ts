import type { Definition, Parameter, Signature } from "../symbol-table.ts";
import { readCall, type SymbolCollector } from "../symbol-collector.ts";
import { childIn, childOf, childrenOf, hasWord, type SyntaxNode } from "../syntax-node.ts";
import { readModuleStatement, readRequire, readCommonExports } from "./ecmascript-modules.ts";

const CALL = { spread: /^spread_element$/, text: "string" };
const FUNCTIONS = /^(function|generator_function)(_declaration|_expression|_signature)?$|^arrow_function$/;

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

function signatureOf(node: SyntaxNode, into: SymbolCollector): Signature {
  const parameters =
    childIn(node, "parameters")?.children ?? node.children.filter(({ field }) => field === "parameter");
  return {
    parameters: parameters.flatMap((one) => parameterOf(one, into)),
    returns: typeTextOf(childIn(node, "return_type"), into),
    isAsync: hasWord(node, "async"),
  };
}

function parameterOf(node: SyntaxNode, into: SymbolCollector): Parameter[] {
  if (node.type === "ERROR" || node.type === "decorator") return [];
  const pattern = childIn(node, "pattern") ?? childIn(node, "left") ?? node;
  if (pattern.type === "this") return [];
  const isRest = pattern.type === "rest_pattern";
  const isOptional =
    node.type === "optional_parameter" || node.type === "assignment_pattern" || childIn(node, "value") !== undefined;
  const name = into.short(isRest ? childOf(pattern, "identifier") : pattern);
  const value = into.short(childIn(node, "value") ?? childIn(node, "right"));
  const type = typeTextOf(childIn(node, "type"), into);
  return [{ name, kind: isRest ? "rest" : "plain", isOptional, type, ...(value === "" ? {} : { value }) }];
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

function superNames(heritage: SyntaxNode, into: SymbolCollector): string[] {
  const clauses = childrenOf(heritage, "extends_clause", "implements_clause");
  const named = (clauses.length > 0 ? clauses : [heritage]).flatMap(({ children }) =>
    children.filter(({ type }) => !["extends", "implements", "type_arguments"].includes(type)),
  );
  return named.map((one) => into.text(one.type === "generic_type" ? childIn(one, "name") : one));
}

function walkMember(node: SyntaxNode, into: SymbolCollector): void {
  const name = into.text(childIn(node, "name") ?? childIn(node, "property"));
  const isPlain = name !== "" && !name.startsWith("[");
  const more = { isExported: false, isDecorated: childOf(node, "decorator") !== undefined };
  switch (node.type) {
    case "method_definition":
    case "method_signature":
    case "abstract_method_signature": {
      const isAbstract = node.type === "abstract_method_signature";
      const isOverloadable =
        ["get", "set", "static"].some((word) => hasWord(node, word)) || node.type === "method_signature";
      const kind = hasWord(node, "get") || hasWord(node, "set") ? "field" : "method";
      const member = { name, isAbstract, isRequired: isAbstract, isOverloadable, ...more } as const;
      const signature = kind === "method" ? { signature: signatureOf(node, into) } : {};
      if (isPlain) into.define(node, { ...member, kind, ...signature });
      if (name === "constructor") defineParameterFields(node, into);
      return into.within(name, true, () => walkCallable(node, into));
    }
    case "public_field_definition":
    case "field_definition": {
      const [type, value] = [childIn(node, "type"), childIn(node, "value")];
      const signature =
        value !== undefined && FUNCTIONS.test(value.type) ? { signature: signatureOf(value, into) } : {};
      const isAbstract = hasWord(node, "abstract");
      const field = { name, kind: "field", isAbstract, isRequired: isAbstract, type: typeTextOf(type, into) } as const;
      if (isPlain) into.define(node, { ...field, value: into.short(value), ...signature, ...more });
      return into.within(name, true, () =>
        node.children.forEach((child) => child.field !== "name" && walk(child, into, false)),
      );
    }
    default:
      return into.within("", true, () => walk(node, into, false));
  }
}

/** `constructor(private readonly store: Store)` makes a field. */
function defineParameterFields(node: SyntaxNode, into: SymbolCollector): void {
  for (const parameter of childIn(node, "parameters")?.children ?? []) {
    if (!hasWord(parameter, "accessibility_modifier") && !hasWord(parameter, "readonly")) continue;
    const type = typeTextOf(childIn(parameter, "type"), into);
    const name = into.text(childIn(parameter, "pattern"));
    into.defineIn(into.scope, parameter, { name, kind: "field", isExported: false, type });
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
  into.within(name, false, () => defineProperties(childIn(node, "body"), into));
}

function defineProperties(body: SyntaxNode | undefined, into: SymbolCollector): void {
  for (const member of body?.children ?? []) {
    const isMethod = member.type === "method_signature";
    const key = childIn(member, "name");
    if (key?.type === "property_identifier" && (isMethod || member.type === "property_signature")) {
      const isRequired = !/^\s*\?/.test(into.text({ ...member, start: key.end }).slice(0, 4));
      const type = typeTextOf(childIn(member, "type"), into);
      const signature = isMethod ? { signature: signatureOf(member, into) } : {};
      const kind = isMethod ? "method" : "field";
      into.define(member, {
        name: into.text(key),
        kind,
        isExported: false,
        isRequired,
        type,
        isOverloadable: true,
        ...signature,
      });
    }
    into.within("", true, () => walkCallable(member, into));
  }
}

function walkAlias(node: SyntaxNode, into: SymbolCollector, isExported: boolean): void {
  const name = into.text(childIn(node, "name"));
  const value = childIn(node, "value");
  into.define(node, { name, kind: "type", isExported, value: into.short(value) });
  into.within(name, false, () => {
    if (value?.type === "object_type") defineProperties(value, into);
    else {
      defineChoices(value, into);
      into.within("", true, () => walkCallable(node, into));
    }
  });
}

/** The values of a union of literals are members of it. */
function defineChoices(value: SyntaxNode | undefined, into: SymbolCollector): void {
  if (value === undefined || value.end - value.start > 10_000) return;
  if (value.type === "union_type") for (const child of value.children) defineChoices(child, into);
  else if (value.type === "literal_type") {
    into.defineIn(into.scope, value, { name: into.text(value), kind: "enum-member", isExported: false });
  } else if (value.type === "object_type") {
    const [kind] = childrenOf(value, "property_signature").flatMap((one) =>
      childrenOf(childIn(one, "type"), "literal_type"),
    );
    if (kind !== undefined)
      into.defineIn(into.scope, kind, { name: into.text(kind), kind: "enum-member", isExported: false });
  }
}

function walkEnum(node: SyntaxNode, into: SymbolCollector, isExported: boolean): void {
  const name = into.text(childIn(node, "name"));
  into.define(node, { name, kind: "enum", isExported });
  into.within(name, false, () => {
    for (const member of childIn(node, "body")?.children ?? []) {
      const key = member.type === "enum_assignment" ? childIn(member, "name") : member;
      const value = into.short(childIn(member, "value"));
      into.define(member, {
        name: into.text(key).replaceAll(/^["']|["']$/g, ""),
        kind: "enum-member",
        isExported: false,
        value,
      });
    }
  });
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

/** The entries of an object are members of the constant that holds it. */
function defineEntries(name: string, value: SyntaxNode, into: SymbolCollector): void {
  const object = /^(as|satisfies)_expression$/.test(value.type) ? value.children[0] : value;
  if (object?.type !== "object") return;
  into.within(name, false, () => {
    for (const entry of childrenOf(object, "pair")) {
      const [key, given] = [childIn(entry, "key"), childIn(entry, "value")];
      const text = into.text(key).replaceAll(/^["']|["']$/g, "");
      if (key?.type !== "property_identifier" && key?.type !== "string") continue;
      into.define(entry, {
        name: text,
        kind: "field",
        isExported: false,
        value: into.short(given),
        isOverloadable: true,
      });
    }
  });
}

/** A value that is known to be of a type: an object literal has to give what the type requires. */
function walkTyped(value: SyntaxNode, type: string | undefined, into: SymbolCollector): void {
  if (value.type === "object" && type !== undefined) {
    const keys = value.children.map((child) => into.text(childIn(child, "key") ?? childIn(child, "name") ?? child));
    const isOpen =
      value.children.some(({ type: kind }) => kind === "spread_element") || keys.some((key) => key.startsWith("["));
    into.literal(value, { type, keys: keys.map((key) => key.replaceAll(/^["']|["']$/g, "")), positional: 0, isOpen });
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
        into.refer(index, into.text(index).replaceAll(/^["']|["']$/g, ""), { object });
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

function typeTextOf(annotation: SyntaxNode | undefined, into: SymbolCollector): string {
  return into.short(annotation).replace(/^:\s*/, "");
}

/** The type, where it is one name. */
function typeNameOf(node: SyntaxNode, into: SymbolCollector): string | undefined {
  const type = childIn(node, "type")?.children[0];
  return type?.type === "type_identifier" ? into.text(type) : undefined;
}

function instanceOf(value: SyntaxNode | undefined, into: SymbolCollector): string | undefined {
  const made = value?.type === "await_expression" ? value.children.at(-1) : value;
  const constructor = made?.type === "new_expression" ? childIn(made, "constructor") : undefined;
  return constructor?.type === "identifier" ? into.text(constructor) : undefined;
}
