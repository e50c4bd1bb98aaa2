import { parseTree, type Node as JsonNode, type ParseError } from "jsonc-parser";
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, Parser, type Node as YamlNode } from "yaml";

import { nestsDeeply } from "../yaml-depth.ts";

/** A value of a data file, as it counts: leaves are known by the text that stands for them. */
export type DataValue =
  | { readonly kind: "map"; readonly entries: ReadonlyMap<string, DataValue> }
  | { readonly kind: "list"; readonly items: readonly DataValue[] }
  | { readonly kind: "leaf"; readonly text: string };

/** What a data file holds, and the keys that stand twice in one map of it. */
export interface ReadData {
  readonly value: DataValue;
  readonly doubleKeys: readonly string[];
}

/** Deeper values are not read: whoever nests so deep is no person. */
const MAX_DEPTH = 256;

/** Reads a data file by the ending of its name; nothing where it cannot be read without doubt. */
export function readData(path: string, text: string): ReadData | undefined {
  if (isTooDeep(text)) return undefined;
  const doubleKeys: string[] = [];
  try {
    const value = readValue(path, text, doubleKeys);
    return value && { value, doubleKeys };
  } catch (error) {
    // Brackets in texts can hide how deep it is.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readValue(path: string, text: string, doubleKeys: string[]): DataValue | undefined {
  return /\.ya?ml$/i.test(path) ? readYaml(text, doubleKeys) : readJson(text, doubleKeys);
}

function isTooDeep(text: string): boolean {
  let [depth, deepest] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 91 || code === 123) deepest = Math.max(deepest, (depth += 1));
    else if (code === 93 || code === 125) depth -= 1;
  }
  return deepest > MAX_DEPTH || /^ {512}/m.test(text);
}

function readJson(text: string, doubleKeys: string[]): DataValue | undefined {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  return root === undefined || errors.length > 0 ? undefined : valueOfJson(root, text, "", doubleKeys);
}

function valueOfJson(node: JsonNode, text: string, place: string, doubleKeys: string[]): DataValue {
  const { type, children = [] } = node;
  if (type === "array") {
    return { kind: "list", items: children.map((child) => valueOfJson(child, text, `${place}[]`, doubleKeys)) };
  }
  if (type !== "object") return { kind: "leaf", text: text.slice(node.offset, node.offset + node.length) };
  const entries = new Map<string, DataValue>();
  for (const { children: [name, value] = [] } of children) {
    const key = String(name?.value);
    const inside = `${place}/${key}`;
    if (entries.has(key)) doubleKeys.push(inside);
    if (value !== undefined) entries.set(key, valueOfJson(value, text, inside, doubleKeys));
  }
  return { kind: "map", entries };
}

function readYaml(text: string, doubleKeys: string[]): DataValue | undefined {
  if (nestsDeeply([...new Parser().parse(text)])) return undefined;
  const documents = parseAllDocuments(text, { uniqueKeys: false, intAsBigInt: true });
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) return undefined;
  const items = documents.map(({ contents }) => valueOfYaml(contents as YamlNode | null, "", doubleKeys));
  return items.length === 1 ? items[0] : { kind: "list", items };
}

function valueOfYaml(node: YamlNode | null | undefined, place: string, doubleKeys: string[]): DataValue {
  if (isSeq(node)) {
    const items = node.items.map((item) => valueOfYaml(item as YamlNode, `${place}[]`, doubleKeys));
    return withMark(node, { kind: "list", items });
  }
  if (!isMap(node)) return { kind: "leaf", text: leafText(node) };
  const entries = new Map<string, DataValue>();
  for (const pair of node.items) {
    const key = leafText(pair.key as YamlNode);
    const inside = `${place}/${key}`;
    if (entries.has(key)) doubleKeys.push(inside);
    entries.set(key, valueOfYaml(pair.value as YamlNode | null, inside, doubleKeys));
  }
  return withMark(node, { kind: "map", entries });
}

/** An anchor or a tag is part of what a value says. */
function withMark({ anchor, tag }: { anchor?: string; tag?: string }, value: DataValue): DataValue {
  const mark = markOf(anchor, tag);
  return mark === "" ? value : { kind: "list", items: [{ kind: "leaf", text: mark }, value] };
}

function leafText(node: YamlNode | null | undefined): string {
  if (isAlias(node)) return `*${node.source}`;
  if (!isScalar(node)) return String(node ?? "");
  const value = typeof node.value === "string" ? JSON.stringify(node.value) : (node.source ?? String(node.value));
  return `${markOf(node.anchor, node.tag)}${value}`;
}

function markOf(anchor: string | undefined, tag: string | undefined): string {
  return `${anchor === undefined ? "" : `&${anchor} `}${tag === undefined ? "" : `${tag} `}`;
}
