import type { DataDocument, DataItem, DataNode, DataTable } from "./node.ts";

/** Deeper than this, a document is not looked into. */
const DEEPEST = 200;

/** What is thrown inside of this file only, where a text is not understood. */
class NotUnderstood extends Error {}

/**
 * Reads JSON, with the text that each part stands in.
 *
 * @param isStrict comments and commas after the last item are errors, as for package managers
 * @returns nothing where the text has an error, nests too deeply or gives one name twice in a map
 *
 * @example
 * readJson('{ "a": 1 }\n', true)
 */
export function readJson(text: string, isStrict: boolean): DataDocument | undefined {
  try {
    return new Reader(text, isStrict).readDocument();
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined;
    throw error;
  }
}

/**
 * What a text says; nothing where it has an error.
 *
 * @example
 * readJsonValue('{ "a": 1, } // one') // { a: 1 }
 */
export function readJsonValue(text: string, isStrict: boolean): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    const document = isStrict ? undefined : readJson(text, isStrict);
    return document && { value: JSON.parse(withoutComments(document.root)) };
  }
}

function withoutComments(node: DataNode): string {
  if (node.type === "leaf") return node.source;
  const items = node.items.map(({ key, value }) => {
    const text = withoutComments(value);
    return node.type === "map" ? `${JSON.stringify(key)}:${text}` : text;
  });
  return node.type === "map" ? `{${items.join(",")}}` : `[${items.join(",")}]`;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const LINE_COMMENT = /\/\/[^\n]*/y;
const LINE_TRAIL = /[ \t]*(?:\/\*[^\n]*?\*\/[ \t]*(?=\n)|\/\/[^\n]*)/y;

const [BLANK, QUOTE, BACKSLASH, COMMA] = [0x20, 0x22, 0x5c, 0x2c];

class Reader {
  private at = 0;
  /** Where the separator after the item that was read last would be. */
  private afterItem = 0;
  private readonly text: string;
  private readonly isStrict: boolean;

  constructor(text: string, isStrict: boolean) {
    this.text = text;
    this.isStrict = isStrict;
  }

  readDocument(): DataDocument {
    const lead = this.readSpace();
    const root = this.readValue(0);
    const tail = this.readSpace();
    if (this.at < this.text.length) throw new NotUnderstood();
    return { lead, root, tail };
  }

  private readValue(depth: number): DataNode {
    const first = this.text[this.at];
    if (first === "{" || first === "[") return this.readTable(depth);
    const start = this.at;
    if (first === '"') this.skipString();
    else if (this.match(NUMBER) === "" && this.match(WORD) === "") throw new NotUnderstood();
    return { type: "leaf", source: this.text.slice(start, this.at) };
  }

  private readTable(depth: number): DataTable {
    if (depth >= DEEPEST) throw new NotUnderstood();
    const start = this.at;
    const isMap = this.text[start] === "{";
    this.at += 1;
    const [open, end] = isMap ? ["{", "}"] : ["[", "]"];
    const items: DataItem[] = [];
    const names = new Set<string>();
    let space = this.readSpace();
    let endsWithSeparator = false;
    while (!this.skip(end)) {
      if (items.length > 0 && !endsWithSeparator) throw new NotUnderstood();
      const item = this.readItem(space, isMap, depth);
      if (isMap && names.has(item.key)) throw new NotUnderstood();
      names.add(item.key);
      items.push(item);
      endsWithSeparator = this.text.charCodeAt(this.afterItem) === COMMA;
      space = this.readSpace();
    }
    if (endsWithSeparator && this.isStrict) throw new NotUnderstood();
    const source = this.text.slice(start, this.at);
    const type = isMap ? "map" : "list";
    return { type, source, open, items, close: space + end, separator: ",", endsWithSeparator, indentation: undefined };
  }

  private readItem(lead: string, isMap: boolean, depth: number): DataItem {
    const start = this.at;
    const key = isMap ? this.readName() : "";
    const head = this.text.slice(start, this.at);
    const value = this.readValue(depth + 1);
    const end = this.at;
    const tail = this.readSpace();
    this.afterItem = this.at;
    if (this.skip(",")) return { key, lead, head, value, tail, trail: this.match(LINE_TRAIL), start, end };
    // It is the last one: what follows on its line is its own, and the rest stands before the closing bracket.
    this.at = end;
    return { key, lead, head, value, tail: "", trail: this.match(LINE_TRAIL), start, end };
  }

  private readName(): string {
    const start = this.at;
    const isEscaped = this.skipString();
    const name = isEscaped
      ? String(JSON.parse(this.text.slice(start, this.at)))
      : this.text.slice(start + 1, this.at - 1);
    this.readSpace();
    if (!this.skip(":")) throw new NotUnderstood();
    this.readSpace();
    return name;
  }

  /** @returns whether something in the string is escaped */
  private skipString(): boolean {
    const start = this.at;
    if (this.text.charCodeAt(start) !== QUOTE) throw new NotUnderstood();
    let isEscaped = false;
    for (let at = start + 1; at < this.text.length; at += 1) {
      const code = this.text.charCodeAt(at);
      if (code < BLANK) throw new NotUnderstood();
      if (code === BACKSLASH) {
        isEscaped = true;
        at += 1;
      } else if (code === QUOTE) {
        this.at = at + 1;
        if (isEscaped) this.checkString(start);
        return isEscaped;
      }
    }
    throw new NotUnderstood();
  }

  private checkString(start: number): void {
    try {
      JSON.parse(this.text.slice(start, this.at));
    } catch {
      throw new NotUnderstood();
    }
  }

  private readSpace(): string {
    const start = this.at;
    for (;;) {
      while (isSpace(this.text.charCodeAt(this.at))) this.at += 1;
      if (this.text[this.at] !== "/") return this.text.slice(start, this.at);
      if (this.isStrict) throw new NotUnderstood();
      if (this.match(LINE_COMMENT) !== "") continue;
      const end = this.text.startsWith("/*", this.at) ? this.text.indexOf("*/", this.at + 2) : -1;
      if (end < 0) throw new NotUnderstood();
      this.at = end + 2;
    }
  }

  private skip(sign: string): boolean {
    if (this.text[this.at] !== sign) return false;
    this.at += 1;
    return true;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [found = ""] = pattern.exec(this.text) ?? [];
    this.at += found.length;
    return found;
  }
}

function isSpace(code: number): boolean {
  return code === BLANK || code === 0x0a || code === 0x09 || code === 0x0d;
}
