import type { SymbolCollector } from "../symbol-collector.ts";
import type { Parameter, Signature } from "../symbol-table.ts";
import { childIn, childOf, hasWord, type SyntaxNode } from "../syntax-node.ts";

/** How the types of nodes that can be called are named. */
export const FUNCTIONS = /^(function|generator_function)(_declaration|_expression|_signature)?$|^arrow_function$/;

/** What something that can be called takes and gives. */
export function signatureOf(node: SyntaxNode, into: SymbolCollector): Signature {
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

/** The type that an annotation names, as it is written. */
export function typeTextOf(annotation: SyntaxNode | undefined, into: SymbolCollector): string {
  return into.short(annotation).replace(/^:\s*/, "");
}

/** The type, where it is one name. */
export function typeNameOf(node: SyntaxNode, into: SymbolCollector): string | undefined {
  const type = childIn(node, "type")?.children[0];
  return type?.type === "type_identifier" ? into.text(type) : undefined;
}

/** The class that a value is made of, where it is made here. */
export function instanceOf(value: SyntaxNode | undefined, into: SymbolCollector): string | undefined {
  const made = value?.type === "await_expression" ? value.children.at(-1) : value;
  const constructor = made?.type === "new_expression" ? childIn(made, "constructor") : undefined;
  return constructor?.type === "identifier" ? into.text(constructor) : undefined;
}
