import { describe, expect, it } from "vitest";

import { pathOf, type SymbolTable } from "../../../../src/merge/symbols/symbol-table.ts";
import { loadFor, symbolsOf } from "./trees.ts";

async function read(path: string, text: string): Promise<SymbolTable> {
  await loadFor(path);
  return symbolsOf(path, text);
}

const names = ({ definitions }: SymbolTable): string[] => definitions.map((one) => `${one.kind} ${pathOf(one)}`);
const find = (table: SymbolTable, name: string): SymbolTable["definitions"][number] | undefined =>
  table.definitions.find((one) => pathOf(one) === name);
const uses = ({ references }: SymbolTable): string[] =>
  references.map(({ object, name, call }) => {
    const given = call === undefined ? "" : `(${[call.positional, ...call.keywords].join()}${call.isOpen ? ",…" : ""})`;
    return `${object === undefined ? "" : `${object}.`}${name}${given}`;
  });

describe("the symbols of TypeScript", () => {
  const text = `import one, { a as b, type T } from "./x.js";
import * as all from "./y.js";
export { q as r } from "./z.js";
export * from "./w.js";

export abstract class Store<Key> extends Base implements Closable {
  constructor(private readonly place: string, depth?: number) {
    super();
  }
  abstract open(name: string): void;
  static async load({ p, q: z }: T, ...rest: string[]): Promise<void> {
    this.close(1, ...rest);
    all.run(z, p);
  }
  readonly size = 3;
}

export interface Options {
  depth: number;
  name?: string;
  run(of: Options): void;
}
export type Word = "first" | "second";
export enum Color {
  Red,
  Blue = 2,
}
export const sum = (left: number, right = 2): number => left + right;
const options: Options = { depth: 1, run() {} };
const store = new Store("a");
export function choose(color: Color): string {
  switch (color) {
    case Color.Red:
      return b();
    default:
      return assertNever(color);
  }
}
`;

  it("are its definitions, with their members", async () => {
    const table = await read("a.ts", text);
    expect(names(table)).toEqual([
      "class Store",
      "method Store.constructor",
      "field Store.place",
      "method Store.open",
      "method Store.load",
      "field Store.size",
      "interface Options",
      "field Options.depth",
      "field Options.name",
      "method Options.run",
      "type Word",
      'enum-member Word."first"',
      'enum-member Word."second"',
      "enum Color",
      "enum-member Color.Red",
      "enum-member Color.Blue",
      "variable sum",
      "variable options",
      "field options.depth",
      "variable store",
      "function choose",
    ]);
    expect(find(table, "Store")).toMatchObject({ isExported: true, isAbstract: true, supers: ["Base", "Closable"] });
    expect(find(table, "Store.open")).toMatchObject({ isAbstract: true, isRequired: true });
    expect(find(table, "Options.name")?.isRequired).toBe(false);
    expect(find(table, "options")?.isExported).toBe(false);
    expect(find(table, "Store.load")?.signature).toEqual({
      parameters: [
        { name: "{ p, q: z }", kind: "plain", isOptional: false, type: "T" },
        { name: "rest", kind: "rest", isOptional: false, type: "string[]" },
      ],
      returns: "Promise<void>",
      isAsync: true,
    });
    expect(find(table, "sum")?.signature?.parameters[1]).toMatchObject({ name: "right", isOptional: true, value: "2" });
  });

  it("are what it imports and gives", async () => {
    const { imports, exports } = await read("a.ts", text);
    expect(imports.map(({ local, imported, from }) => `${imported} as ${local} from ${from}`)).toEqual([
      "default as one from ./x.js",
      "a as b from ./x.js",
      "T as T from ./x.js",
      "* as all from ./y.js",
      "q as  from ./z.js",
      "* as  from ./w.js",
    ]);
    expect(exports).toEqual([
      { name: "r", local: "q", from: "./z.js" },
      { name: "*", local: "*", from: "./w.js" },
    ]);
  });

  it("are what it uses, without what its functions name themselves", async () => {
    const table = await read("a.ts", text);
    expect(uses(table)).toEqual(
      expect.arrayContaining(["this.close(1,…)", "all.run(2)", "Store(1)", "Color.Red", "b(0)", "assertNever(1)"]),
    );
    expect(uses(table)).not.toContain("z");
    expect(table.literals).toMatchObject([{ type: "Options", keys: ["depth", "run"], isOpen: false }]);
    expect(table.choices).toMatchObject([{ labels: ["Color.Red"], hasDefault: false }]);
    expect(table.instances).toContainEqual(["store", "Store"]);
  });

  it("are those of JavaScript, also where modules are CommonJS", async () => {
    const table = await read(
      "a.js",
      'const { one, two: second } = require("./x");\nfunction run() {}\nmodule.exports = { run, other: one };\n',
    );
    expect(table.imports.map(({ local, imported }) => `${imported} as ${local}`)).toEqual([
      "one as one",
      "two as second",
    ]);
    expect(table.exports.map(({ name, local }) => `${local} as ${name}`)).toEqual(["run as run", "one as other"]);
  });

  it("are those of JSX", async () => {
    const table = await read(
      "a.tsx",
      'import { Field } from "./field";\nexport const form = () => <Field name="a">{label(1)}</Field>;\n',
    );
    expect(uses(table)).toEqual(expect.arrayContaining(["Field", "label(1)"]));
  });
});

describe("the symbols of other languages", () => {
  it("are those of Python", async () => {
    const table = await read(
      "a.py",
      `from .mod import a as b, c
from x import *
import os.path as p

LIMIT: int = 3
DEFAULTS = {"cache": True}


class Store(Base):
    name: str

    def __init__(self, key, /, depth=1, *rest, deep, **more):
        self.key = key

    @property
    def size(self):
        return len(self.key)


async def load(key: str) -> Store:
    store = Store(key, deep=True)
    return [one for one in store.items(*key)]
`,
    );
    expect(names(table)).toEqual([
      "variable LIMIT",
      "variable DEFAULTS",
      "field DEFAULTS.cache",
      "class Store",
      "field Store.name",
      "method Store.__init__",
      "field Store.key",
      "field Store.size",
      "function load",
    ]);
    expect(
      find(table, "Store.__init__")?.signature?.parameters.map(
        ({ name, kind, isOptional }) => `${kind} ${name}${isOptional ? "?" : ""}`,
      ),
    ).toEqual(["positional key", "plain depth?", "rest rest?", "keyword deep", "keywords more?"]);
    expect(table.wildcards).toEqual(["x"]);
    expect(uses(table)).toEqual(expect.arrayContaining(["Store(1,deep)", "store.items(0,…)", "len(1)", "this.key"]));
    expect(uses(table)).not.toContain("one.a");
    expect(table.instances).toContainEqual(["store", "Store"]);
  });

  it("are those of Go", async () => {
    const table = await read(
      "a.go",
      `package store

import al "a/b"

const Max = 3

type Item struct {
	Key  string
	Size int
}

type Shape interface {
	Area(depth int) int
}

func (i *Item) Grow(by int, more ...string) error {
	other := Item{Key: "a"}
	return al.Run(other, by)
}
`,
    );
    expect(table.unit).toBe("store");
    expect(names(table)).toEqual([
      "variable Max",
      "class Item",
      "field Item.Key",
      "field Item.Size",
      "interface Shape",
      "method Shape.Area",
      "method Item.Grow",
    ]);
    expect(uses(table)).toContain("al.Run(2)");
    expect(table.literals).toMatchObject([{ type: "Item", keys: ["Key"] }]);
    expect(table.imports).toMatchObject([{ local: "al", from: "a/b" }]);
  });

  it("are those of Rust", async () => {
    const table = await read(
      "src/a.rs",
      `use crate::shape::{Shape, Item as Thing};
pub const MAX: u32 = 3;
pub enum Color { Red, Blue(u32) }
pub trait Named { fn name(&self) -> u32; fn loud(&self) {} }
impl Named for Color { fn name(&self) -> u32 { match self { Color::Red => 1, Color::Blue(n) => helper(*n, MAX) } } }
impl Color { pub fn make(of: u32) -> Self { Color::Blue(of) } }
fn helper(one: u32, two: u32) -> u32 { let thing = Thing { key: one }; thing.grow(two) }
`,
    );
    expect(names(table)).toEqual([
      "variable MAX",
      "enum Color",
      "enum-member Color.Red",
      "enum-member Color.Blue",
      "interface Named",
      "method Named.name",
      "method Named.loud",
      "implementation <Named for Color>",
      "method <Named for Color>.name",
      "method Color.make",
      "function helper",
    ]);
    expect(find(table, "Named.name")?.isRequired).toBe(true);
    expect(find(table, "Named.loud")?.isRequired).toBe(false);
    expect(uses(table)).toEqual(expect.arrayContaining(["helper(2)", "Color.Blue(1)", "thing.grow(1)", "MAX"]));
    expect(table.choices).toMatchObject([{ labels: ["Color.Red", "Color.Blue"], hasDefault: false }]);
    expect(table.imports.map(({ local, imported, from }) => `${from}::${imported} as ${local}`)).toEqual([
      "crate::shape::Shape as Shape",
      "crate::shape::Item as Thing",
    ]);
  });

  it("are those of Java", async () => {
    const table = await read(
      "A.java",
      `package a.b;

import c.Shape;

public abstract class Store extends Base implements Shape {
  static final int MAX = 3;
  private final Item item = new Item(1, "x");

  public Store(int depth, String... names) {
    super(depth);
  }

  abstract void open(int depth);

  int size(Color color) {
    return switch (color) {
      case RED, BLUE -> item.grow(MAX);
    };
  }
}
`,
    );
    expect(names(table)).toEqual([
      "class Store",
      "field Store.MAX",
      "field Store.item",
      "method Store.Store",
      "method Store.open",
      "method Store.size",
    ]);
    expect(find(table, "Store")?.supers).toEqual(["Base", "Shape"]);
    expect(find(table, "Store.open")?.isRequired).toBe(true);
    expect(uses(table)).toEqual(expect.arrayContaining(["Item(2)", "item.grow(1)"]));
    expect(table.choices).toMatchObject([{ labels: ["RED", "BLUE"], hasDefault: false }]);
  });
});

describe("a text that is hard to read", () => {
  it("is read as far as it parses, and said to be read in part", async () => {
    const table = await read("a.ts", "export function whole(): void {}\n\nexport function broken( {\n");
    expect(table.isPartial).toBe(true);
    expect(names(table)).toContain("function whole");
  });

  it("is read in part where it is too deep", async () => {
    const table = await read("a.ts", `export const deep = ${"(".repeat(5000)}1${")".repeat(5000)};\n`);
    expect(table.isPartial).toBe(true);
    expect(names(table)).toEqual(["variable deep"]);
  });

  it("is not read where it is too long", async () => {
    await loadFor("a.ts");
    expect(() => symbolsOf("a.ts", "x;\n".repeat(200_000))).toThrow("was not read");
  });

  it.each(["ts", "tsx", "js", "py", "go", "rs", "java"])("may be anything in .%s", async (ending) => {
    for (const text of [
      "",
      "\n\n",
      "}}}}((((",
      "\u0000\u0001",
      "é".repeat(200),
      'class "',
      "<<<<<<< a\n=======\n>>>>>>> b\n",
    ]) {
      const table = await read(`a.${ending}`, text);
      expect(table.definitions.length).toBeLessThan(5);
    }
  });

  it("says where things are, by line", async () => {
    const table = await read("a.py", "\n\ndef load():\n    pass\n\n\nload()\n");
    expect([find(table, "load")?.line, table.references.find(({ name }) => name === "load")?.line]).toEqual([3, 7]);
  });
});
