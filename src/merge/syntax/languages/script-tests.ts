import type { Node } from "web-tree-sitter";

import { between, present, textOf, type Part } from "../language-rules.ts";

const GROUPS = new Set(["describe", "suite", "context"]);
const BLOCKS = new Set(
  "it test bench specify setup teardown before after beforeEach afterEach beforeAll afterAll".split(" "),
);
const FUNCTIONS = new Set(["arrow_function", "function_expression", "function"]);

/** What a call is, if it is a block of a test. */
export function testPart(call: Node): Part | undefined {
  const callee = call.childForFieldName("function");
  const word = /^[A-Za-z]+/.exec(callee?.text.slice(0, 40) ?? "")?.[0] ?? "";
  if (!GROUPS.has(word) && !BLOCKS.has(word)) return undefined;
  const values = present(call.childForFieldName("arguments")?.namedChildren ?? []);
  const block = values.find((value) => FUNCTIONS.has(value.type))?.childForFieldName("body");
  if (block?.type !== "statement_block") return undefined;
  const title = values.find((value) => value.type === "string" || value.type === "template_string");
  const name = [textOf(callee), textOf(title)].filter((text) => text !== undefined).join(" ");
  return { kind: "test", name, signature: "", body: GROUPS.has(word) ? between(block) : undefined };
}
