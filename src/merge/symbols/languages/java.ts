import type { Call, Definition, Parameter, Signature } from "../symbol-table.ts";
import { readCall, type SymbolCollector } from "../symbol-collector.ts";
import { childIn, childOf, childrenOf, hasWord, type SyntaxNode } from "../syntax-node.ts";

const CALL = { spread: /^$/, text: "string_literal" };
const KINDS: Readonly<Record<string, Definition["kind"]>> = {
  class_declaration: "class",
  record_declaration: "class",
  interface_declaration: "interface",
  annotation_type_declaration: "interface",
  enum_declaration: "enum",
};

/** Reads the symbols of Java. */
export function readJava(root: SyntaxNode, into: SymbolCollector): void {
  for (const child of root.children) walk(child, into, false);
}

function walk(node: SyntaxNode, into: SymbolCollector, isInterface: boolean): void {
  switch (node.type) {
    case "package_declaration":
      into.unit = into.text(childOf(node, "scoped_identifier", "identifier"));
      return;
    case "import_declaration":
      return readImport(node, into);
    case "class_declaration":
    case "record_declaration":
    case "interface_declaration":
    case "annotation_type_declaration":
    case "enum_declaration":
      return walkType(node, into);
    case "enum_constant": {
      const constant = { name: into.text(childIn(node, "name")), kind: "enum-member", isExported: true } as const;
      into.define(node, { ...constant, value: into.short(childIn(node, "arguments")) });
      return into.within("", true, () => walkChildren(node, into, "name"));
    }
    case "field_declaration":
    case "constant_declaration":
      return walkField(node, into);
    case "method_declaration":
    case "constructor_declaration":
    case "compact_constructor_declaration":
      return walkMethod(node, into, isInterface);
    case "static_initializer":
    case "lambda_expression":
      return into.within("", true, () => {
        const parameter = childIn(node, "parameters");
        if (parameter?.type === "identifier") into.bind(into.text(parameter));
        for (const one of childrenOf(parameter, "identifier")) into.bind(into.text(one));
        walkChildren(node, into, parameter?.type === "formal_parameters" ? undefined : "parameters");
      });
    default:
      return walkExpression(node, into);
  }
}

function walkChildren(node: SyntaxNode, into: SymbolCollector, without?: string): void {
  for (const child of node.children) if (without === undefined || child.field !== without) walk(child, into, false);
}

function readImport(node: SyntaxNode, into: SymbolCollector): void {
  const path = into.text(childOf(node, "scoped_identifier", "identifier"));
  if (childOf(node, "asterisk") !== undefined) return into.wildcard(path);
  const names = path.split(".");
  const name = names.at(-1) ?? "";
  const from = hasWord(node, "static") ? names.slice(0, -1).join(".") : path;
  into.import(node, { local: name, imported: hasWord(node, "static") ? name : "default", from });
}

function walkType(node: SyntaxNode, into: SymbolCollector): void {
  const name = into.text(childIn(node, "name"));
  const kind = KINDS[node.type] ?? "class";
  const supers = childrenOf(node, "superclass", "super_interfaces", "extends_interfaces").flatMap(({ children }) =>
    children.flatMap((child) => (child.type === "type_list" ? child.children : [child])),
  );
  into.define(node, {
    name,
    kind,
    isExported: true,
    isAbstract: isModified(node, "abstract"),
    supers: supers
      .filter(({ type }) => type !== "extends" && type !== "implements")
      .map((one) => into.short(one).replace(/<.*$/, "")),
  });
  into.within(name, false, () => {
    if (node.type === "record_declaration") defineRecord(node, into, name);
    for (const child of node.children) {
      if (child.field !== "body" && child.field !== "name") into.within("", true, () => walk(child, into, false));
    }
    const body = childIn(node, "body")?.children ?? [];
    for (const member of body.flatMap((one) => (one.type === "enum_body_declarations" ? one.children : [one])))
      walk(member, into, kind === "interface");
  });
}

function defineRecord(node: SyntaxNode, into: SymbolCollector, name: string): void {
  const signature = signatureOf(node, into);
  into.define(node, { name, kind: "method", isExported: true, signature });
  for (const { name: field, type } of signature.parameters)
    into.define(node, {
      name: field,
      kind: "method",
      isExported: true,
      signature: { parameters: [], returns: type, isAsync: false },
    });
}

function isModified(node: SyntaxNode, word: string): boolean {
  const modifiers = childOf(node, "modifiers");
  return modifiers !== undefined && hasWord(modifiers, word);
}

function walkField(node: SyntaxNode, into: SymbolCollector): void {
  const type = into.short(childIn(node, "type"));
  for (const one of childrenOf(node, "variable_declarator")) {
    const [name, value] = [into.text(childIn(one, "name")), into.short(childIn(one, "value"))];
    into.define(one, { name, kind: "field", isExported: true, type, value });
    into.instance(name, type);
  }
  into.within("", true, () => {
    for (const child of node.children) {
      if (child.field === "declarator") walkChildren(child, into, "name");
      else walk(child, into, false);
    }
  });
}

function walkMethod(node: SyntaxNode, into: SymbolCollector, isInterface: boolean): void {
  const name = into.text(childIn(node, "name"));
  const isAbstract = isModified(node, "abstract") || (isInterface && childIn(node, "body") === undefined);
  const signature = signatureOf(node, into);
  const method = { name, kind: "method", isExported: true, isAbstract, isRequired: isAbstract, signature } as const;
  if (node.type !== "compact_constructor_declaration") into.define(node, method);
  into.within(name, true, () => walkChildren(node, into, "name"));
}

function signatureOf(node: SyntaxNode, into: SymbolCollector): Signature {
  const list = childIn(node, "parameters")?.children ?? [];
  const parameters = list.flatMap((one): Parameter[] => {
    if (one.type === "spread_parameter") {
      const name = into.text(childIn(childOf(one, "variable_declarator"), "name"));
      return [
        {
          name,
          kind: "rest",
          isOptional: true,
          type: into.short(one.children.find(({ type }) => type !== "modifiers")),
        },
      ];
    }
    if (one.type !== "formal_parameter") return [];
    const [name, type] = [into.text(childIn(one, "name")), into.short(childIn(one, "type"))];
    return [{ name, kind: "plain", isOptional: false, type }];
  });
  return { parameters, returns: into.short(childIn(node, "type")), isAsync: false };
}

function walkExpression(node: SyntaxNode, into: SymbolCollector): void {
  switch (node.type) {
    case "identifier":
    case "type_identifier":
      return into.refer(node, into.text(node));
    case "local_variable_declaration": {
      const type = into.short(childIn(node, "type"));
      for (const one of childrenOf(node, "variable_declarator")) into.bind(into.text(childIn(one, "name")), type);
      return node.children.forEach((child) =>
        child.field === "declarator" ? walkChildren(child, into, "name") : walk(child, into, false),
      );
    }
    case "formal_parameter":
    case "catch_formal_parameter":
    case "enhanced_for_statement":
    case "resource":
    case "type_pattern":
    case "record_pattern_component":
      into.bind(
        into.text(childIn(node, "name") ?? childrenOf(node, "identifier").at(-1)),
        into.short(childIn(node, "type")),
      );
      return walkChildren(node, into, "name");
    case "spread_parameter":
      into.bind(into.text(childIn(childOf(node, "variable_declarator"), "name")));
      return walkChildren(node, into);
    case "type_parameter":
      return into.bind(into.text(childOf(node, "type_identifier", "identifier")));
    case "instanceof_expression":
      into.bind(into.text(childIn(node, "name")), into.short(childIn(node, "right")));
      return walkChildren(node, into, "name");
    case "method_invocation":
      return walkMember(node, into, "name", readCall(into, childIn(node, "arguments"), CALL));
    case "field_access":
      return walkMember(node, into, "field");
    case "object_creation_expression": {
      const type = into.short(childIn(node, "type")).replace(/<.*$/, "");
      into.refer(node, type, { call: readCall(into, childIn(node, "arguments"), CALL) });
      const body = childOf(node, "class_body");
      if (body !== undefined) into.within("", true, () => walkChildren(body, into));
      return node.children.forEach((child) =>
        child === body || child.field === "type" ? undefined : walk(child, into, false),
      );
    }
    case "switch_expression":
    case "switch_statement":
      readChoice(node, into);
      return walkChildren(node, into);
    case "switch_label":
      return node.children.forEach((child) =>
        child.type === "identifier" ? into.refer(child, into.text(child), { object: "?" }) : walk(child, into, false),
      );
    case "element_value_pair":
      return walkChildren(node, into, "key");
    case "labeled_statement":
      return node.children.slice(1).forEach((child) => walk(child, into, false));
    case "break_statement":
    case "continue_statement":
      return;
    default:
      return walkChildren(node, into);
  }
}

function walkMember(node: SyntaxNode, into: SymbolCollector, field: string, call?: Call): void {
  const object = childIn(node, "object");
  const text = into.short(object);
  const plain = object === undefined ? {} : { object: /^\w+(\.\w+)*$/.test(text) ? text : "?" };
  into.refer(node, into.text(childIn(node, field)), { ...plain, ...(call === undefined ? {} : { call }) });
  walkChildren(node, into, field);
}

function readChoice(node: SyntaxNode, into: SymbolCollector): void {
  const body = childIn(node, "body")?.children ?? [];
  const labels = body.flatMap((one) => childrenOf(one, "switch_label"));
  const hasDefault = labels.some((label) => hasWord(label, "default"));
  const names = labels.flatMap((label) => label.children.filter(({ type }) => type !== "case" && type !== "default"));
  into.choice(node, { labels: names.map((name) => into.short(name)), hasDefault });
}
