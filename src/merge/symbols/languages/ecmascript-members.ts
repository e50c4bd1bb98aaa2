import { unquote } from "../quotes.ts";
import type { SymbolCollector } from "../symbol-collector.ts";
import { childIn, childOf, childrenOf, hasWord, type SyntaxNode } from "../syntax-node.ts";
import { FUNCTIONS, signatureOf, typeTextOf } from "./ecmascript-signatures.ts";

/** What a class says that it extends and implements. */
export function superNames(heritage: SyntaxNode, into: SymbolCollector): string[] {
  const clauses = childrenOf(heritage, "extends_clause", "implements_clause");
  const named = (clauses.length > 0 ? clauses : [heritage]).flatMap(({ children }) =>
    children.filter(({ type }) => !["extends", "implements", "type_arguments"].includes(type)),
  );
  return named.map((one) => into.text(one.type === "generic_type" ? childIn(one, "name") : one));
}

/** Defines a method of a class, or what stands for one: `get` and `set` make a field. */
export function defineMethod(node: SyntaxNode, name: string, into: SymbolCollector): void {
  const isAbstract = node.type === "abstract_method_signature";
  const isAccessor = hasWord(node, "get") || hasWord(node, "set");
  const isOverloadable = isAccessor || hasWord(node, "static") || node.type === "method_signature";
  const kind = isAccessor ? "field" : "method";
  const member = { name, isAbstract, isRequired: isAbstract, isOverloadable, ...decorationOf(node) } as const;
  const signature = kind === "method" ? { signature: signatureOf(node, into) } : {};
  if (isPlain(name)) into.define(node, { ...member, kind, ...signature });
  if (name === "constructor") defineParameterFields(node, into);
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

/** Defines a field of a class. */
export function defineField(node: SyntaxNode, name: string, into: SymbolCollector): void {
  if (!isPlain(name)) return;
  const [type, value] = [childIn(node, "type"), childIn(node, "value")];
  const signature = value !== undefined && FUNCTIONS.test(value.type) ? { signature: signatureOf(value, into) } : {};
  const isAbstract = hasWord(node, "abstract");
  const field = { name, kind: "field", isAbstract, isRequired: isAbstract, type: typeTextOf(type, into) } as const;
  into.define(node, { ...field, value: into.short(value), ...signature, ...decorationOf(node) });
}

function decorationOf(node: SyntaxNode): { readonly isExported: false; readonly isDecorated: boolean } {
  return { isExported: false, isDecorated: childOf(node, "decorator") !== undefined };
}

// A name that is worked out is none that could be referred to.
function isPlain(name: string): boolean {
  return name !== "" && !name.startsWith("[");
}

/** Defines the properties and methods of an interface, or of a type that is an object. */
export function defineProperties(body: SyntaxNode | undefined, into: SymbolCollector): void {
  for (const member of body?.children ?? []) {
    const isMethod = member.type === "method_signature";
    const key = childIn(member, "name");
    if (key?.type !== "property_identifier" || !(isMethod || member.type === "property_signature")) continue;
    const isRequired = !/^\s*\?/.test(into.text({ ...member, start: key.end }).slice(0, 4));
    const property = { name: into.text(key), isExported: false, isRequired, isOverloadable: true } as const;
    const type = typeTextOf(childIn(member, "type"), into);
    if (isMethod) into.define(member, { ...property, kind: "method", type, signature: signatureOf(member, into) });
    else into.define(member, { ...property, kind: "field", type });
  }
}

/** The values of a union of literals are members of it. */
export function defineChoices(value: SyntaxNode | undefined, into: SymbolCollector): void {
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

/** Defines the members of an enum. */
export function defineEnumMembers(body: SyntaxNode | undefined, into: SymbolCollector): void {
  for (const member of body?.children ?? []) {
    const key = member.type === "enum_assignment" ? childIn(member, "name") : member;
    const [name, value] = [unquote(into.text(key)), into.short(childIn(member, "value"))];
    into.define(member, { name, kind: "enum-member", isExported: false, value });
  }
}

/** The entries of an object are members of the constant that holds it. */
export function defineEntries(name: string, value: SyntaxNode, into: SymbolCollector): void {
  const object = /^(as|satisfies)_expression$/.test(value.type) ? value.children[0] : value;
  if (object?.type !== "object") return;
  into.within(name, false, () => {
    for (const entry of childrenOf(object, "pair")) {
      const [key, given] = [childIn(entry, "key"), childIn(entry, "value")];
      if (key?.type !== "property_identifier" && key?.type !== "string") continue;
      into.define(entry, {
        name: unquote(into.text(key)),
        kind: "field",
        isExported: false,
        value: into.short(given),
        isOverloadable: true,
      });
    }
  });
}
