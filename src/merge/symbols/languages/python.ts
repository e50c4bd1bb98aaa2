import { unquote } from "../quotes.ts";
import type { Call, Definition, Parameter, Signature } from "../symbol-table.ts";
import { readCall, type SymbolCollector } from "../symbol-collector.ts";
import { childIn, childOf, childrenOf, hasWord, type SyntaxNode } from "../syntax-node.ts";

const CALL = { spread: /^(list|dictionary)_splat$/, keyword: "keyword_argument", text: "string" };

/** Reads the symbols of Python. */
export function readPython(root: SyntaxNode, into: SymbolCollector): void {
  walkChildren(root, into, { isDecorated: false });
}

interface Place {
  /** Whether a decorator or a condition stands above. */
  readonly isDecorated: boolean;
  readonly decorators?: readonly string[];
  /** The class whose body this is. */
  readonly owner?: "class" | "dataclass";
}

function walk(node: SyntaxNode, into: SymbolCollector, place: Place): void {
  switch (node.type) {
    case "import_statement":
    case "import_from_statement":
      return readImport(node, into);
    case "decorated_definition": {
      const decorators = childrenOf(node, "decorator");
      for (const decorator of decorators) walkChildren(decorator, into, place);
      const definition = childIn(node, "definition");
      const names = decorators.map((one) => into.short(one.children[0]));
      if (definition !== undefined) walk(definition, into, { ...place, isDecorated: true, decorators: names });
      return;
    }
    case "function_definition":
      return walkFunction(node, into, place);
    case "class_definition":
      return walkClass(node, into, place);
    case "assignment":
      return walkAssignment(node, into, place);
    case "if_statement":
    case "try_statement":
    case "else_clause":
    case "except_clause":
    case "finally_clause":
    case "with_statement":
      return walkChildren(node, into, { ...place, isDecorated: true });
    case "block":
    case "expression_statement":
      return walkChildren(node, into, place);
    default:
      return walkExpression(node, into, place);
  }
}

function walkChildren(node: SyntaxNode, into: SymbolCollector, place: Place): void {
  for (const child of node.children) walk(child, into, place);
}

function readImport(node: SyntaxNode, into: SymbolCollector): void {
  const from = into.text(childIn(node, "module_name"));
  if (childOf(node, "wildcard_import") !== undefined) into.wildcard(from);
  for (const name of node.children.filter(({ field }) => field === "name")) {
    const imported = into.text(childIn(name, "name") ?? name);
    const alias = into.text(childIn(name, "alias"));
    if (into.isLocal) into.bind(alias || (from === "" ? (imported.split(".")[0] ?? "") : imported));
    if (from !== "") into.import(name, { local: alias || imported, imported, from });
    else into.import(name, { local: alias || (imported.split(".")[0] ?? ""), imported: "*", from: imported });
  }
}

function walkFunction(node: SyntaxNode, into: SymbolCollector, { isDecorated, decorators = [], owner }: Place): void {
  const name = into.text(childIn(node, "name"));
  const isStatic = decorators.includes("staticmethod");
  const signature = signatureOf(node, into, owner !== undefined && !isStatic);
  const isAbstract = decorators.some((one) => one.endsWith("abstractmethod"));
  const isProperty = decorators.some((one) => /(^|\.)(cached_)?property$|\.(setter|deleter)$/.test(one));
  const kind = owner === undefined ? "function" : isProperty ? "field" : "method";
  const definition: Omit<Definition, "scope" | "line"> = { name, kind, isExported: true, isDecorated, isAbstract };
  into.define(node, { ...definition, isRequired: isAbstract, ...(isProperty ? {} : { signature }) });
  into.within(name, true, () => {
    for (const parameter of childIn(node, "parameters")?.children ?? []) bindParameter(parameter, into);
    for (const child of node.children) {
      if (child.field === "return_type" || child.field === "body") walk(child, into, { isDecorated: false });
    }
  });
}

function bindParameter(node: SyntaxNode, into: SymbolCollector): void {
  const name = childIn(node, "name") ?? childOf(node, "identifier") ?? node;
  const type = childIn(node, "type");
  const inner = childOf(name, "identifier") ?? name;
  if (inner.type === "identifier") into.bind(into.text(inner), type === undefined ? undefined : into.short(type));
  for (const child of node.children) {
    if (child.field === "type" || child.field === "value") walkExpression(child, into, { isDecorated: false });
  }
}

function signatureOf(node: SyntaxNode, into: SymbolCollector, isBound: boolean): Signature {
  const parameters: Parameter[] = [];
  let kind: "plain" | "keyword" = "plain";
  for (const one of childIn(node, "parameters")?.children ?? []) {
    if (one.type === "positional_separator") {
      parameters.forEach((before, index) => (parameters[index] = { ...before, kind: "positional" }));
      continue;
    }
    if (one.type === "keyword_separator") {
      kind = "keyword";
      continue;
    }
    const name = into.text(childIn(one, "name") ?? childOf(one, "identifier") ?? one).replace(/^\*+/, "");
    const splat = one.type === "typed_parameter" ? (one.children[0]?.type ?? "") : one.type;
    const isOptional = childIn(one, "value") !== undefined;
    const type = into.short(childIn(one, "type"));
    if (splat === "dictionary_splat_pattern") parameters.push({ name, kind: "keywords", isOptional: true, type });
    else if (splat === "list_splat_pattern") {
      parameters.push({
        name: into.text(childOf(one, "list_splat_pattern") ?? one).replace(/^\*+/, ""),
        kind: "rest",
        isOptional: true,
        type,
      });
      kind = "keyword";
    } else {
      const value = into.short(childIn(one, "value"));
      parameters.push({ name, kind, isOptional, type, ...(value === "" ? {} : { value }) });
    }
  }
  return {
    parameters: isBound ? parameters.slice(1) : parameters,
    returns: into.short(childIn(node, "return_type")),
    isAsync: hasWord(node, "async"),
  };
}

function walkClass(node: SyntaxNode, into: SymbolCollector, place: Place): void {
  const name = into.text(childIn(node, "name"));
  const list = childIn(node, "superclasses");
  const supers = (list?.children ?? []).filter(({ type }) => /^(identifier|attribute|subscript)$/.test(type));
  const isDataclass = place.decorators?.some((one) => /^(dataclasses\.)?dataclass\b|^attrs?\b/.test(one)) === true;
  into.define(node, {
    name,
    kind: supers.some((one) => /Enum$|Flag$/.test(into.text(one))) ? "enum" : "class",
    isExported: true,
    isDecorated: place.isDecorated && !isDataclass,
    supers: supers.map((one) => into.text(one.type === "subscript" ? childIn(one, "value") : one)),
  });
  for (const child of list?.children ?? []) walkExpression(child, into, place);
  into.within(name, false, () => {
    const body = childIn(node, "body");
    const owner = isDataclass ? "dataclass" : "class";
    if (body !== undefined) walkChildren(body, into, { isDecorated: false, owner });
  });
}

function walkAssignment(node: SyntaxNode, into: SymbolCollector, place: Place): void {
  const [left, type, right] = [childIn(node, "left"), childIn(node, "type"), childIn(node, "right")];
  if (left?.type === "identifier") {
    const name = into.text(left);
    const made = right?.type === "call" ? childIn(right, "function") : undefined;
    const instance =
      type === undefined ? (made?.type === "identifier" ? into.text(made) : undefined) : into.short(type);
    if (into.isLocal) into.bind(name, instance);
    else {
      const isField = place.owner !== undefined;
      const isRequired = place.owner === "dataclass" && right === undefined;
      const more = {
        isExported: true,
        value: into.short(right),
        type: into.short(type),
        isRequired,
        isOverloadable: true,
      };
      into.define(node, { name, kind: isField ? "field" : "variable", ...more });
      if (right?.type === "dictionary") defineEntries(name, right, into);
      if (!isField && instance !== undefined) into.instance(name, instance);
    }
  } else if (left !== undefined) bindTarget(left, into);
  for (const child of [type, right]) if (child !== undefined) walk(child, into, { isDecorated: false });
}

/** The entries of a dictionary are members of the name that holds it. */
function defineEntries(name: string, dictionary: SyntaxNode, into: SymbolCollector): void {
  into.within(name, false, () => {
    for (const entry of childrenOf(dictionary, "pair")) {
      const [key, value] = [childIn(entry, "key"), childIn(entry, "value")];
      if (key?.type !== "string") continue;
      into.define(entry, {
        name: unquote(into.text(key)),
        kind: "field",
        isExported: true,
        value: into.short(value),
        isOverloadable: true,
      });
    }
  });
}

/** `self.x = …` in a method makes a field of its class. */
function bindTarget(node: SyntaxNode, into: SymbolCollector): void {
  if (node.type === "identifier") {
    if (into.isLocal) into.bind(into.text(node));
    else into.define(node, { name: into.text(node), kind: "variable", isExported: true, isOverloadable: true });
  } else if (node.type === "attribute" && into.text(childIn(node, "object")) === "self") {
    const owner = into.scope.split(".").slice(0, -1).join(".");
    if (owner !== "")
      into.defineIn(owner, node, { name: into.text(childIn(node, "attribute")), kind: "field", isExported: true });
  } else if (node.type === "attribute" || node.type === "subscript") walkExpression(node, into, { isDecorated: false });
  else for (const child of node.children) bindTarget(child, into);
}

function walkExpression(node: SyntaxNode, into: SymbolCollector, place: Place): void {
  switch (node.type) {
    case "identifier":
      return into.refer(node, into.text(node));
    case "attribute":
      return walkAttribute(node, into);
    case "call": {
      const callee = childIn(node, "function");
      const call = readCall(into, childIn(node, "arguments"), CALL);
      if (callee?.type === "identifier") into.refer(node, into.text(callee), { call });
      else if (callee?.type === "attribute") walkAttribute(callee, into, call);
      else if (callee !== undefined) walkExpression(callee, into, place);
      return childIn(node, "arguments")?.children.forEach((child) => walkExpression(child, into, place));
    }
    case "subscript": {
      const index = childIn(node, "subscript");
      const object = into.short(childIn(node, "value"));
      if (index?.type === "string" && /^[\w.]+$/.test(object)) into.refer(index, unquote(into.text(index)), { object });
      return node.children.forEach((child) => walkExpression(child, into, place));
    }
    case "keyword_argument":
      return node.children
        .filter(({ field }) => field === "value")
        .forEach((child) => walkExpression(child, into, place));
    case "lambda":
      return into.within("", true, () => {
        for (const parameter of childIn(node, "parameters")?.children ?? []) bindParameter(parameter, into);
        const body = childIn(node, "body");
        if (body !== undefined) walkExpression(body, into, place);
      });
    case "list_comprehension":
    case "set_comprehension":
    case "dictionary_comprehension":
    case "generator_expression":
      return into.within("", true, () => walkChildren(node, into, place));
    case "for_statement":
    case "for_in_clause":
      return node.children.forEach((child) =>
        child.field === "left" ? bindTarget(child, into) : walk(child, into, { ...place, isDecorated: true }),
      );
    case "as_pattern_target":
      return bindTarget(node, into);
    case "named_expression":
      into.bind(into.text(childIn(node, "name")));
      return node.children
        .filter(({ field }) => field === "value")
        .forEach((child) => walkExpression(child, into, place));
    case "global_statement":
    case "nonlocal_statement":
      return childrenOf(node, "identifier").forEach((one) => into.bind(into.text(one)));
    case "case_pattern":
      return walkPattern(node, into);
    case "match_statement":
      readChoice(node, into);
      return walkChildren(node, into, { ...place, isDecorated: true });
    case "while_statement":
      return walkChildren(node, into, { ...place, isDecorated: true });
    default:
      for (const child of node.children) walk(child, into, place);
  }
}

function walkAttribute(node: SyntaxNode, into: SymbolCollector, call?: Call): void {
  const object = childIn(node, "object");
  const text = into.short(object);
  const plain = text === "self" || text === "cls" ? "this" : /^\w+(\.\w+)*$/.test(text) ? text : "?";
  const name = into.text(childIn(node, "attribute"));
  into.refer(node, name, { object: plain, ...(call === undefined ? {} : { call }) });
  if (object !== undefined) walkExpression(object, into, { isDecorated: false });
}

function walkPattern(node: SyntaxNode, into: SymbolCollector): void {
  if (node.type === "dotted_name") {
    const names = node.children.map((child) => into.text(child));
    const [first = ""] = names;
    if (names.length === 1) into.bind(first);
    else {
      into.refer(node, names.at(-1) ?? "", { object: names.slice(0, -1).join(".") });
      into.refer(node, first);
    }
  } else if (node.type === "class_pattern") {
    const [type, ...parts] = node.children;
    if (type !== undefined) into.refer(type, into.text(type).split(".")[0] ?? "");
    for (const part of parts) walkPattern(part, into);
  } else if (node.type === "identifier") into.bind(into.text(node));
  else if (node.type === "keyword_pattern") node.children.slice(1).forEach((child) => walkPattern(child, into));
  else for (const child of node.children) walkPattern(child, into);
}

function readChoice(node: SyntaxNode, into: SymbolCollector): void {
  const cases = childrenOf(childIn(node, "body"), "case_clause");
  const labels = cases.flatMap((one) => childrenOf(one, "case_pattern").map((pattern) => into.short(pattern)));
  into.choice(node, { labels: labels.flatMap((label) => label.split(/\s*\|\s*/)), hasDefault: labels.includes("_") });
}
