import { unquote } from "../quotes.ts";
import type { SymbolCollector } from "../symbol-collector.ts";
import { childIn, childOf, childrenOf, type SyntaxNode } from "../syntax-node.ts";

/** Reads what an `import` or an `export … from` names. */
export function readModuleStatement(node: SyntaxNode, into: SymbolCollector): void {
  const source = childIn(node, "source");
  const from = source === undefined ? undefined : unquote(into.text(source));
  const isAll =
    source !== undefined && childOf(node, "export_clause", "namespace_export", "import_clause") === undefined;
  if (node.type === "import_statement") return readImport(node, from, into);
  for (const specifier of childrenOf(childOf(node, "export_clause"), "export_specifier")) {
    const local = unquote(into.text(childIn(specifier, "name")));
    const name = unquote(into.text(childIn(specifier, "alias") ?? childIn(specifier, "name")));
    into.export({ name, local, ...(from === undefined ? {} : { from }) });
    if (from === undefined) into.refer(specifier, local);
    else into.import(specifier, { local: "", imported: local, from });
  }
  const namespace = childOf(node, "namespace_export");
  if (namespace !== undefined && from !== undefined) {
    into.export({ name: into.text(namespace.children.at(-1)), local: "*", from });
    into.import(node, { local: "", imported: "*", from });
  }
  if (!isAll || from === undefined || childIn(node, "declaration") !== undefined) return;
  into.export({ name: "*", local: "*", from });
  into.import(node, { local: "", imported: "*", from });
}

function readImport(node: SyntaxNode, from: string | undefined, into: SymbolCollector): void {
  const clause = childOf(node, "import_clause");
  const required = childOf(node, "import_require_clause");
  if (required !== undefined) {
    const path = unquote(into.text(childIn(required, "source")));
    into.import(node, { local: into.text(childOf(required, "identifier")), imported: "*", from: path });
  }
  if (from === undefined) return;
  if (clause === undefined) into.import(node, { local: "", imported: "*", from });
  for (const part of clause?.children ?? []) {
    if (part.type === "identifier") into.import(part, { local: into.text(part), imported: "default", from });
    if (part.type === "namespace_import")
      into.import(part, { local: into.text(childOf(part, "identifier")), imported: "*", from });
    for (const specifier of childrenOf(part, "import_specifier")) {
      const imported = unquote(into.text(childIn(specifier, "name")));
      into.import(specifier, { local: into.text(childIn(specifier, "alias")) || imported, imported, from });
    }
  }
}

/** Reads `const { a, b: c } = require("./x")`. @returns whether that is what it is */
export function readRequire(
  pattern: SyntaxNode | undefined,
  value: SyntaxNode | undefined,
  node: SyntaxNode,
  into: SymbolCollector,
): boolean {
  if (value?.type !== "call_expression" || into.text(childIn(value, "function")) !== "require") return false;
  const source = childOf(childIn(value, "arguments"), "string");
  if (source === undefined || into.isLocal) return false;
  const from = unquote(into.text(source));
  if (pattern?.type === "identifier") into.import(node, { local: into.text(pattern), imported: "*", from });
  for (const part of pattern?.type === "object_pattern" ? pattern.children : []) {
    if (part.type === "shorthand_property_identifier_pattern")
      into.import(part, { local: into.text(part), imported: into.text(part), from });
    else if (part.type === "pair_pattern")
      into.import(part, { local: into.text(childIn(part, "value")), imported: into.text(childIn(part, "key")), from });
    else return false;
  }
  return pattern?.type === "identifier" || pattern?.type === "object_pattern";
}

/** Reads `module.exports = { a, b: c }` and `exports.a = …`. */
export function readCommonExports(node: SyntaxNode, into: SymbolCollector): void {
  const [left, right] = [into.short(childIn(node, "left")), childIn(node, "right")];
  const [, name] = /^(?:module\.)?exports\.([\w$]+)$/.exec(left) ?? [];
  if (name !== undefined) into.export({ name, local: right?.type === "identifier" ? into.text(right) : "" });
  if (left !== "module.exports") return;
  if (right?.type !== "object") into.hasHiddenExports = true;
  for (const part of right?.type === "object" ? right.children : []) {
    const key = into.text(childIn(part, "key") ?? childIn(part, "name") ?? part);
    const value = childIn(part, "value");
    if (part.type === "spread_element" || key.startsWith("[")) into.hasHiddenExports = true;
    else
      into.export({
        name: unquote(key),
        local: value === undefined || value.type === "identifier" ? into.text(value ?? part) : "",
      });
  }
}
