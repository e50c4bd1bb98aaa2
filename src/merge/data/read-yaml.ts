import { Composer, CST, Parser } from "yaml";

import { nestsDeeply } from "../yaml-depth.ts";
import type { DataDocument, DataItem, DataNode, DataTable } from "./node.ts";

/** A text that is read, and what its documents say. */
export interface YamlText {
  readonly documents: readonly DataDocument[];
  readonly values: readonly unknown[];
}

/**
 * Reads YAML, with the text that each part stands in. Block maps and block lists are taken apart, and lists of words on
 * one line; all else is a leaf.
 *
 * @returns nothing where the text has an error, or says something that is not surely understood
 *
 * @example
 * readYaml("a: 1 # one\n")
 */
export function readYaml(text: string): YamlText | undefined {
  try {
    const tokens = [...new Parser().parse(text)];
    if (nestsDeeply(tokens)) return undefined;
    const values = valuesOf(tokens);
    const documents = values && documentsOf(tokens);
    return documents && { documents, values };
  } catch {
    // An alias that stands for too much.
    return undefined;
  }
}

function valuesOf(tokens: readonly CST.Token[]): unknown[] | undefined {
  const values: unknown[] = [];
  for (const document of new Composer({ uniqueKeys: true, logLevel: "silent" }).compose(tokens)) {
    if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
    values.push(document.toJS({ maxAliasCount: 100 }));
  }
  return values;
}

function documentsOf(tokens: readonly CST.Token[]): DataDocument[] | undefined {
  const documents: DataDocument[] = [];
  let before = "";
  for (const token of tokens) {
    if (token.type === "comment" || token.type === "newline" || token.type === "space") before += token.source;
    else if (token.type === "document") {
      documents.push(readDocument(token, before));
      before = "";
    } else if (token.type === "doc-end") before += CST.stringify(token);
    else return undefined;
  }
  const last = documents.pop();
  return last && [...documents, { ...last, tail: last.tail + before }];
}

function readDocument({ start, value, end }: CST.Document, before: string): DataDocument {
  const lead = before + sourceOf(start);
  const tail = sourceOf(end ?? []);
  if (value === undefined) return { lead, root: { type: "leaf", source: "" }, tail };
  const { head, node, trail } = readValue(value, lead, 0);
  return { lead: head, root: node, tail: trail + tail };
}

/** A value, what stands before it on its line or above, and what stands behind it. */
interface ReadValue {
  readonly head: string;
  readonly node: DataNode;
  readonly trail: string;
}

function readValue(token: CST.Token | null | undefined, head: string, depth: number): ReadValue {
  if (token === undefined || token === null) return { head, node: { type: "leaf", source: "" }, trail: "" };
  if (token.type === "block-map" || token.type === "block-seq") return readBlock(token, head, depth);
  const source = CST.stringify(token);
  const end = sourceOf(endOf(token));
  const own = source.slice(0, source.length - end.length);
  return { head, node: readWords(own, token.offset) ?? { type: "leaf", source: own }, trail: end };
}

function endOf(token: CST.Token): readonly CST.SourceToken[] {
  if (!("end" in token) || token.end === undefined) return [];
  return token.type === "flow-collection" ? token.end.slice(1) : token.end;
}

function readBlock(token: CST.BlockMap | CST.BlockSequence, head: string, depth: number): ReadValue {
  const source = CST.stringify(token);
  // What stands on lines of its own before the first item belongs to that.
  const lineStart = head.lastIndexOf("\n", depth === 0 ? head.length : head.indexOf("\n")) + 1;
  const isOnOwnLine = lineStart > 0 || (depth === 0 && head.trim() === "");
  const [ownHead, firstLead] = isOnOwnLine ? [head.slice(0, lineStart), head.slice(lineStart)] : [head, ""];
  const items = readItems(token, firstLead, depth);
  if (items === undefined) return { head, node: { type: "leaf", source }, trail: "" };
  const table: DataTable = {
    type: token.type === "block-map" ? "map" : "list",
    source: firstLead + source,
    open: "",
    items: items.items,
    close: items.close,
    separator: "",
    endsWithSeparator: false,
    indentation: " ".repeat(Math.max(0, token.indent)),
  };
  return { head: ownHead, node: table, trail: "" };
}

function readItems(
  token: CST.BlockMap | CST.BlockSequence,
  firstLead: string,
  depth: number,
): { readonly items: DataItem[]; readonly close: string } | undefined {
  const items: DataItem[] = [];
  const names = new Set<string>();
  let close = "";
  for (const [at, item] of token.items.entries()) {
    const isLast = at === token.items.length - 1;
    if (isLast && items.length > 0 && isSpaceOnly(item)) {
      close = sourceOf(item.start);
      break;
    }
    const lead = at === 0 ? firstLead : "";
    const read = token.type === "block-map" ? readEntry(item, lead, depth) : readElement(item, lead, depth);
    if (read === undefined || (token.type === "block-map" && names.has(read.key))) return undefined;
    names.add(read.key);
    items.push(read);
  }
  return { items, close };
}

function isSpaceOnly({ start, key, sep, value }: CST.CollectionItem): boolean {
  return key === undefined && sep === undefined && value === undefined && start.every(isSpace);
}

function isSpace({ type }: CST.SourceToken): boolean {
  return type === "space" || type === "comment" || type === "newline";
}

function readEntry(
  { start, key, sep, value }: CST.CollectionItem,
  before: string,
  depth: number,
): DataItem | undefined {
  if (!start.every(isSpace) || key === null || key === undefined || sep === undefined) return undefined;
  const name = nameOf(key);
  if (name === undefined) return undefined;
  const read = readValue(value, CST.stringify(key) + sourceOf(sep), depth + 1);
  return itemOf(name, before + sourceOf(start), read, key.offset);
}

function nameOf(key: CST.Token): string | undefined {
  const isScalar = key.type === "scalar" || key.type === "single-quoted-scalar" || key.type === "double-quoted-scalar";
  if (!isScalar || key.source.includes("\n")) return undefined;
  const name = CST.resolveAsScalar(key, true);
  return name.value;
}

function readElement(
  { start, key, sep, value }: CST.CollectionItem,
  before: string,
  depth: number,
): DataItem | undefined {
  const at = start.findIndex(({ type }) => type === "seq-item-ind");
  const [dash] = start.slice(at, at + 1);
  if (dash === undefined || !start.slice(0, at).every(isSpace) || key !== undefined || sep !== undefined)
    return undefined;
  const read = readValue(value, sourceOf(start.slice(at)), depth + 1);
  return itemOf("", before + sourceOf(start.slice(0, at)), read, dash.offset);
}

function itemOf(key: string, lead: string, { head, node, trail }: ReadValue, start: number): DataItem {
  const length = head.length + (node.source?.length ?? 0) + trail.length;
  return { key, lead, head, value: node, tail: "", trail, start, end: start + length };
}

const WORDS = /^\[ *(?:[\w./*@$-]+(?: *, *[\w./*@$-]+)*)? *\]$/;
const EMPTY_MAP: DataTable = {
  type: "map",
  source: "{}",
  open: "{",
  items: [],
  close: "}",
  separator: ",",
  endsWithSeparator: false,
  indentation: undefined,
};
const WORD = /[\w./*@$-]+/g;

/** Reads a list of plain words on one line, or an empty map. */
function readWords(source: string, offset: number): DataTable | undefined {
  if (/^\{ *\}$/.test(source)) return { ...EMPTY_MAP, source, close: source.slice(1) };
  if (!WORDS.test(source)) return undefined;
  const items: DataItem[] = [];
  let last = 1;
  for (const { 0: word, index } of source.matchAll(WORD)) {
    const lead = source.slice(last, index).replace(/^ *,/, "");
    const end = index + word.length;
    items.push({
      key: "",
      lead,
      head: "",
      value: { type: "leaf", source: word },
      tail: "",
      trail: "",
      start: offset + index,
      end: offset + end,
    });
    last = end;
  }
  const close = source.slice(last);
  return {
    type: "list",
    source,
    open: "[",
    items,
    close,
    separator: ",",
    endsWithSeparator: false,
    indentation: undefined,
  };
}

function sourceOf(tokens: readonly CST.SourceToken[]): string {
  return tokens.map(({ source }) => source).join("");
}
