import { describe, expect, it } from "vitest";

import type { SemanticHitKind } from "../../../../src/merge/symbols/semantic-hit.ts";
import { change, hitsOf, type Texts } from "./trees.ts";

type Edits = Readonly<Record<string, string | undefined>>;

interface Case {
  readonly name: string;
  readonly kind: SemanticHitKind;
  readonly certain: boolean;
  readonly base: Texts;
  readonly ours: Edits;
  readonly theirs: Edits;
  /** The same change of ours beside which this one of theirs is harmless. */
  readonly harmless: Edits;
}

const store =
  "export interface Item {\n  id: string;\n}\n\nexport function load(id: string): Item {\n  return { id };\n}\n\nexport class Store {\n  get(id: string): Item {\n    return load(id);\n  }\n}\n";
const app = 'import { Store } from "./store.js";\n\nexport const store = new Store();\n';

const CASES: readonly Case[] = [
  {
    name: "a function that one side renamed and the other side imports anew",
    kind: "missing-definition",
    certain: true,
    base: { "src/store.ts": store, "src/app.ts": app },
    ours: { "src/store.ts": store.replaceAll("load", "fetchItem") },
    theirs: { "src/new.ts": 'import { load } from "./store.js";\n\nexport const item = load("a");\n' },
    harmless: { "src/new.ts": 'import { Store } from "./store.js";\n\nexport const load = new Store().get("a");\n' },
  },
  {
    name: "a function that one side renamed in a file where the other side calls it anew",
    kind: "missing-definition",
    certain: true,
    base: { "src/store.ts": store },
    ours: { "src/store.ts": store.replaceAll("load", "fetchItem") },
    theirs: { "src/store.ts": `${store}\nexport function first(): Item {\n  return load("first");\n}\n` },
    harmless: {
      "src/store.ts": `${store}\nexport function first(load: (id: string) => Item): Item {\n  return load("first");\n}\n`,
    },
  },
  {
    name: "an import that one side removed as unused and the other side uses",
    kind: "missing-definition",
    certain: true,
    base: {
      "src/a.ts":
        'import { join, sep } from "node:path";\n\nexport const one = join("a", "b");\n\nexport function last(): void {}\n',
    },
    ours: {
      "src/a.ts":
        'import { join } from "node:path";\n\nexport const one = join("a", "b");\n\nexport function last(): void {}\n',
    },
    theirs: {
      "src/a.ts":
        'import { join, sep } from "node:path";\n\nexport const one = join("a", "b");\n\nexport function last(): string {\n  return sep;\n}\n',
    },
    harmless: {
      "src/a.ts":
        'import { join, sep } from "node:path";\n\nexport const one = join("a", "b");\n\nexport function last(): string {\n  return one;\n}\n',
    },
  },
  {
    name: "a new parameter that a new call does not give",
    kind: "argument-count",
    certain: true,
    base: { "src/store.ts": store },
    ours: {
      "src/store.ts": store
        .replace("load(id: string)", "load(id: string, version: number)")
        .replace("load(id);", "load(id, 1);"),
    },
    theirs: { "src/new.ts": 'import { load } from "./store";\n\nload("a");\n' },
    harmless: { "src/new.ts": 'import { load } from "./other";\n\nload("a");\n' },
  },
  {
    name: "parameters in another order",
    kind: "argument-order",
    certain: true,
    base: { "src/copy.ts": "export function copy(from: string, to: string): void {}\n" },
    ours: { "src/copy.ts": "export function copy(to: string, from: string): void {}\n" },
    theirs: { "src/new.ts": 'import { copy } from "./copy.js";\n\ncopy("a", "b");\n' },
    harmless: { "src/new.ts": 'function copy(one: string, two: string): void {}\n\ncopy("a", "b");\n' },
  },
  {
    name: "another result",
    kind: "result",
    certain: false,
    base: { "src/store.ts": store },
    ours: {
      "src/store.ts": store.replace(
        "load(id: string): Item {\n  return { id };",
        "load(id: string): Item | undefined {\n  return undefined;",
      ),
    },
    theirs: { "src/new.ts": 'import { load } from "./store.js";\n\nexport const id = load("a").id;\n' },
    harmless: { "src/new.ts": 'import { Store } from "./store.js";\n\nexport const id = new Store();\n' },
  },
  {
    name: "a file that one side moved and the other side imports anew",
    kind: "missing-module",
    certain: true,
    base: { "src/store.ts": store },
    ours: { "src/store.ts": undefined, "src/data/store.ts": store },
    theirs: { "src/new.ts": 'import { load } from "./store.js";\n\nload("a");\n' },
    harmless: { "src/new.ts": 'import { load } from "./data/stores.js";\n\nload("a");\n' },
  },
  {
    name: "one name that both define in one file",
    kind: "duplicate",
    certain: true,
    base: { "src/a.ts": "export const one = 1;\n\nexport const middle = 2;\n\nexport const last = 3;\n" },
    ours: {
      "src/a.ts":
        "export function trim(): void {}\n\nexport const one = 1;\n\nexport const middle = 2;\n\nexport const last = 3;\n",
    },
    theirs: {
      "src/a.ts":
        "export const one = 1;\n\nexport const middle = 2;\n\nexport const last = 3;\n\nexport function trim(): void {}\n",
    },
    harmless: {
      "src/a.ts":
        "export const one = 1;\n\nexport const middle = 2;\n\nexport const last = 3;\n\nexport function trimAll(): void {}\n",
    },
  },
  {
    name: "one name that both give through a file that gives all",
    kind: "duplicate",
    certain: true,
    base: {
      "src/index.ts": 'export * from "./a.js";\nexport const between = 1;\nexport * from "./z.js";\n',
      "src/a.ts": "export const a = 1;\n",
      "src/z.ts": "export const z = 1;\n",
    },
    ours: {
      "src/a.ts": "export const a = 1;\nexport const both = 1;\n",
      "src/index.ts": 'export * from "./a.js";\nexport const between = 2;\nexport * from "./z.js";\n',
    },
    theirs: { "src/z.ts": "export const z = 1;\nexport const both = 2;\n" },
    harmless: { "src/z.ts": "export const z = 1;\nconst both = 2;\n" },
  },
  {
    name: "a member that an interface asks for anew and a new class lacks",
    kind: "missing-member",
    certain: true,
    base: { "src/shape.ts": "export interface Shape {\n  area(): number;\n}\n" },
    ours: { "src/shape.ts": "export interface Shape {\n  area(): number;\n  name(): string;\n}\n" },
    theirs: {
      "src/round.ts":
        'import type { Shape } from "./shape.js";\n\nexport class Round implements Shape {\n  area(): number {\n    return 1;\n  }\n}\n',
    },
    harmless: {
      "src/round.ts":
        'import type { Shape } from "./shape.js";\n\nexport abstract class Round implements Shape {\n  area(): number {\n    return 1;\n  }\n}\n',
    },
  },
  {
    name: "a field that is required anew and a new literal lacks",
    kind: "missing-field",
    certain: true,
    base: { "src/shape.ts": "export interface Options {\n  depth: number;\n}\n" },
    ours: { "src/shape.ts": "export interface Options {\n  depth: number;\n  name: string;\n}\n" },
    theirs: {
      "src/round.ts": 'import type { Options } from "./shape.js";\n\nexport const options: Options = { depth: 1 };\n',
    },
    harmless: {
      "src/round.ts": "type Options = { depth: number };\n\nexport const options: Options = { depth: 1 };\n",
    },
  },
  {
    name: "a new value of an enum that a new choice does not know",
    kind: "open-choice",
    certain: false,
    base: { "src/color.ts": "export enum Color {\n  Red,\n  Blue,\n}\n" },
    ours: { "src/color.ts": "export enum Color {\n  Red,\n  Blue,\n  Green,\n}\n" },
    theirs: {
      "src/name.ts":
        'import { Color } from "./color.js";\n\nexport function nameOf(color: Color): string {\n  switch (color) {\n    case Color.Red:\n      return "red";\n    case Color.Blue:\n      return "blue";\n  }\n}\n',
    },
    harmless: {
      "src/name.ts":
        'export function nameOf(color: string): string {\n  switch (color) {\n    case "Red":\n      return "red";\n    default:\n      return "blue";\n  }\n}\n',
    },
  },
  {
    name: "a default that one side flipped and the other side reads anew",
    kind: "value",
    certain: false,
    base: { "src/settings.ts": "export const defaults = { cache: true, depth: 3 };\n" },
    ours: { "src/settings.ts": "export const defaults = { cache: false, depth: 3 };\n" },
    theirs: { "src/new.ts": 'import { defaults } from "./settings.js";\n\nexport const isCached = defaults.cache;\n' },
    harmless: { "src/new.ts": "const other = { cache: true };\n\nexport const isCached = other.cache;\n" },
  },
  {
    name: "a setting in a file that one side changed and the other side reads anew",
    kind: "value",
    certain: false,
    base: { "config/app.yaml": "retries: 3\nverbose: true\n" },
    ours: { "config/app.yaml": "retries: 0\nverbose: true\n" },
    theirs: { "src/new.ts": 'import { config } from "./config.js";\n\nexport const tries = config.get("retries");\n' },
    harmless: {
      "src/new.ts": 'import { config } from "./config.js";\n\nexport const tries = config.get("verbose");\n',
    },
  },
  {
    name: "two values of which each side changed one, and that something relies on together",
    kind: "write-skew",
    certain: false,
    base: {
      "src/low.ts": "export const LOW = 1;\n",
      "src/high.ts": "export const HIGH = 10;\n",
      "src/check.ts":
        'import { LOW } from "./low.js";\nimport { HIGH } from "./high.js";\n\nexport function check(): boolean {\n  return LOW < HIGH;\n}\n// 1\n',
    },
    ours: { "src/low.ts": "export const LOW = 5;\n" },
    theirs: {
      "src/high.ts": "export const HIGH = 4;\n",
      "src/check.ts":
        'import { LOW } from "./low.js";\nimport { HIGH } from "./high.js";\n\nexport function check(): boolean {\n  return LOW < HIGH;\n}\n// 2\n',
    },
    harmless: { "src/high.ts": "export const HIGHEST = 4;\nexport const HIGH = 10;\n" },
  },
  {
    name: "two migrations with one number",
    kind: "same-number",
    certain: true,
    base: { "db/migrations/0001_start.sql": "create table a (id int);\n" },
    ours: { "db/migrations/0002_names.sql": "alter table a add name text;\n" },
    theirs: { "db/migrations/0002_ages.sql": "alter table a add age int;\n" },
    harmless: { "db/migrations/0003_ages.sql": "alter table a add age int;\n" },
  },
  {
    name: "two migrations that follow one and the same",
    kind: "same-number",
    certain: true,
    base: { "versions/a.py": 'revision = "a"\ndown_revision = None\n' },
    ours: { "versions/b.py": 'revision = "b"\ndown_revision = "a"\n' },
    theirs: { "versions/c.py": 'revision = "c"\ndown_revision = "a"\n' },
    harmless: { "versions/c.py": 'revision = "c"\ndown_revision = "x"\n' },
  },
  {
    name: "one route that both register",
    kind: "same-route",
    certain: false,
    base: { "src/app.ts": "export {};\n" },
    ours: { "src/users.ts": 'import { app } from "./app.js";\n\napp.get("/users", () => 1);\n' },
    theirs: { "src/people.ts": 'import { app } from "./app.js";\n\napp.get("/users", () => 2);\n' },
    harmless: { "src/people.ts": 'import { app } from "./app.js";\n\napp.get("/people", () => 2);\n' },
  },
  {
    name: "a package that one side took out and the other side imports anew",
    kind: "dependency",
    certain: true,
    base: { "package.json": '{ "dependencies": { "chalk": "1.0.0", "left-pad": "1.0.0" } }\n' },
    ours: { "package.json": '{ "dependencies": { "chalk": "1.0.0" } }\n' },
    theirs: { "src/new.ts": 'import pad from "left-pad";\n\nexport const text = pad("a");\n' },
    harmless: { "src/new.ts": 'import chalk from "chalk";\n\nexport const text = chalk("a");\n' },
  },
  {
    name: "a Python function that one side renamed and the other side imports anew",
    kind: "missing-definition",
    certain: true,
    base: { "pkg/__init__.py": "", "pkg/store.py": "def load(key):\n    return key\n" },
    ours: { "pkg/store.py": "def fetch(key):\n    return key\n" },
    theirs: { "pkg/new.py": "from .store import load\n\nprint(load(1))\n" },
    harmless: { "pkg/new.py": "from .stores import load\n\nprint(load(1))\n" },
  },
  {
    name: "a function of a Python module that one side renamed and the other side uses through the module",
    kind: "missing-definition",
    certain: true,
    base: { "pkg/__init__.py": "", "pkg/store.py": "def load(key):\n    return key\n" },
    ours: { "pkg/store.py": "def fetch(key):\n    return key\n" },
    theirs: { "pkg/new.py": "from pkg import store\n\nprint(store.load(1))\n" },
    harmless: { "pkg/new.py": "from pkg import stores as store\n\nprint(store.load(1))\n" },
  },
  {
    name: "a function that one side renamed and the other side uses through all of its module",
    kind: "missing-definition",
    certain: true,
    base: { "src/store.ts": store },
    ours: { "src/store.ts": store.replaceAll("load", "fetchItem") },
    theirs: { "src/new.ts": 'import * as all from "./store.js";\n\nexport const item = all.load("a");\n' },
    harmless: { "src/new.ts": 'import * as all from "./store.js";\n\nexport const item = new all.Store();\n' },
  },
  {
    name: "a Python parameter that is given by its name only",
    kind: "argument-count",
    certain: true,
    base: { "pkg/store.py": "def load(key, deep=False):\n    return key\n" },
    ours: { "pkg/store.py": "def load(key, *, deep=False):\n    return key\n" },
    theirs: { "pkg/new.py": "from pkg.store import load\n\nprint(load(1, True))\n" },
    harmless: { "pkg/new.py": "from pkg.store import load\n\nprint(load(1, deep=True))\n" },
  },
  {
    name: "a field of a Python data class that is required anew",
    kind: "argument-count",
    certain: true,
    base: { "pkg/item.py": "from dataclasses import dataclass\n\n\n@dataclass\nclass Item:\n    key: str\n" },
    ours: {
      "pkg/item.py": "from dataclasses import dataclass\n\n\n@dataclass\nclass Item:\n    key: str\n    size: int\n",
    },
    theirs: { "pkg/new.py": 'from pkg.item import Item\n\nitem = Item("a")\n' },
    harmless: { "pkg/new.py": "from pkg.item import Item\n\nitem = Item\n" },
  },
  {
    name: "an attribute of a Python class that one side renamed",
    kind: "missing-definition",
    certain: false,
    base: { "pkg/item.py": "class Item:\n    def __init__(self, key):\n        self.key = key\n" },
    ours: { "pkg/item.py": "class Item:\n    def __init__(self, key):\n        self.name = key\n" },
    theirs: { "pkg/new.py": 'from pkg.item import Item\n\nitem = Item("a")\nprint(item.key)\n' },
    harmless: { "pkg/new.py": 'from pkg.item import Item\n\nitem = Item("a")\nprint(item)\n' },
  },
  {
    name: "an abstract method of Python that a new class lacks",
    kind: "missing-member",
    certain: true,
    base: {
      "pkg/shape.py":
        "from abc import ABC, abstractmethod\n\n\nclass Shape(ABC):\n    @abstractmethod\n    def area(self): ...\n",
    },
    ours: {
      "pkg/shape.py":
        "from abc import ABC, abstractmethod\n\n\nclass Shape(ABC):\n    @abstractmethod\n    def area(self): ...\n\n    @abstractmethod\n    def name(self): ...\n",
    },
    theirs: {
      "pkg/new.py": "from pkg.shape import Shape\n\n\nclass Round(Shape):\n    def area(self):\n        return 1\n",
    },
    harmless: {
      "pkg/new.py":
        "from pkg.shape import Shape\n\n\nclass Round(Shape):\n    def area(self):\n        return 1\n\n    def name(self):\n        return 'round'\n",
    },
  },
  {
    name: "a Go function with one more parameter",
    kind: "argument-count",
    certain: true,
    base: { "store/store.go": "package store\n\nfunc Load(key string) int { return 1 }\n" },
    ours: { "store/store.go": "package store\n\nfunc Load(key string, deep bool) int { return 1 }\n" },
    theirs: { "store/new.go": 'package store\n\nfunc First() int { return Load("a") }\n' },
    harmless: {
      "other/new.go":
        'package other\n\nfunc Load(key string) int { return 1 }\n\nfunc First() int { return Load("a") }\n',
    },
  },
  {
    name: "one Go function in two files of a package",
    kind: "duplicate",
    certain: true,
    base: { "store/store.go": "package store\n" },
    ours: { "store/one.go": "package store\n\nfunc Trim() int { return 1 }\n" },
    theirs: { "store/two.go": "package store\n\nfunc Trim() int { return 2 }\n" },
    harmless: { "store/two.go": "package store\n\nfunc TrimAll() int { return 2 }\n" },
  },
  {
    name: "a Rust trait that asks for one more function",
    kind: "missing-member",
    certain: true,
    base: { "src/shape.rs": "pub trait Shape {\n    fn area(&self) -> u32;\n}\n" },
    ours: { "src/shape.rs": "pub trait Shape {\n    fn area(&self) -> u32;\n    fn name(&self) -> u32;\n}\n" },
    theirs: {
      "src/round.rs":
        "use crate::shape::Shape;\n\npub struct Round;\n\nimpl Shape for Round {\n    fn area(&self) -> u32 {\n        1\n    }\n}\n",
    },
    harmless: {
      "src/round.rs":
        "use crate::shape::Shape;\n\npub struct Round;\n\nimpl Shape for Round {\n    fn area(&self) -> u32 {\n        1\n    }\n\n    fn name(&self) -> u32 {\n        2\n    }\n}\n",
    },
  },
  {
    name: "a field of a Rust structure that a new literal lacks",
    kind: "missing-field",
    certain: true,
    base: { "src/item.rs": "pub struct Item {\n    pub key: u32,\n}\n" },
    ours: { "src/item.rs": "pub struct Item {\n    pub key: u32,\n    pub size: u32,\n}\n" },
    theirs: { "src/new.rs": "use crate::item::Item;\n\npub fn make() -> Item {\n    Item { key: 1 }\n}\n" },
    harmless: {
      "src/new.rs": "use crate::item::Item;\n\npub fn make(other: Item) -> Item {\n    Item { key: 1, ..other }\n}\n",
    },
  },
  {
    name: "an abstract method of Java that a new class lacks",
    kind: "missing-member",
    certain: true,
    base: { "src/a/Shape.java": "package a;\n\npublic interface Shape {\n  int area();\n}\n" },
    ours: { "src/a/Shape.java": "package a;\n\npublic interface Shape {\n  int area();\n\n  String name();\n}\n" },
    theirs: {
      "src/a/Round.java":
        "package a;\n\npublic class Round implements Shape {\n  public int area() {\n    return 1;\n  }\n}\n",
    },
    harmless: {
      "src/a/Round.java": "package a;\n\npublic class Round {\n  public int area() {\n    return 1;\n  }\n}\n",
    },
  },
  {
    name: "a Java method that one side gave one more parameter",
    kind: "argument-count",
    certain: true,
    base: {
      "src/a/Store.java":
        "package a;\n\npublic class Store {\n  static int load(String key) {\n    return 1;\n  }\n}\n",
    },
    ours: {
      "src/a/Store.java":
        "package a;\n\npublic class Store {\n  static int load(String key, int depth) {\n    return 1;\n  }\n}\n",
    },
    theirs: { "src/a/User.java": 'package a;\n\nclass User {\n  int first() {\n    return Store.load("a");\n  }\n}\n' },
    harmless: {
      "src/a/User.java":
        'package a;\n\nclass User {\n  int load(String key) {\n    return 1;\n  }\n\n  int first() {\n    return load("a");\n  }\n}\n',
    },
  },
];

describe("what two clean changes may break together", () => {
  it.each(CASES)("knows $name", async ({ kind, certain, base, ours, theirs }) => {
    for (const [one, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      const hits = await hitsOf(base, change(base, one), change(base, other));
      expect(hits.map((hit) => [hit.kind, hit.isCertain])).toContainEqual([kind, certain]);
    }
  });

  it.each(CASES)("says nothing where there is no such thing as $name", async ({ base, ours, harmless }) => {
    const hits = await hitsOf(base, change(base, ours), change(base, harmless));
    expect(hits).toEqual([]);
  });

  it("is not what one side does by itself", async () => {
    const base: Texts = { "migrations/0001_start.up.sql": "create table a (id int);\n" };
    const ours = change(base, { "migrations/0002_names.sql": "alter 1;\n", "migrations/0002_ages.sql": "alter 2;\n" });
    const theirs = change(base, { "migrations/0003_sizes.sql": "alter 3;\n" });
    expect(await hitsOf(base, ours, theirs)).toEqual([]);
  });

  it("is not what a file that does not parse may be about, for certain", async () => {
    const base: Texts = { "src/store.ts": store };
    const ours = change(base, { "src/store.ts": store.replaceAll("load", "fetchItem") });
    const theirs = change(base, { "src/new.ts": 'import { load } from "./store.js";\n\nexport function broken( {\n' });
    const hits = await hitsOf(base, ours, theirs);
    expect(hits.filter(({ isCertain }) => isCertain)).toEqual([]);
  });
});
