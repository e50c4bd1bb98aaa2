import type { Language } from "../../../../src/merge/language.ts";

const JAVASCRIPT = [
  "#!/usr/bin/env node\n",
  "// @flow\n",
  "'use strict';\n",
  '/* licence */\nimport a, { b } from "a"; // first\n',
  'import c from "c";\n\n// why\nconst { d } = require("d");\n',
  'export * from "e";\n',
  "/** Says. */\nexport function f(x) {\n  return x;\n}\n",
  "export default class A {\n  // one\n  get x() {\n    return 1;\n  }\n  set x(y) {}\n\n  static z = 1; // two\n  // three\n}\n",
  "const o = {\n  a: 1,\n  // b\n  b() {},\n  c: {\n    d,\n  },\n};\n",
  'describe("x", () => {\n  beforeEach(() => {});\n\n  it("y", async () => {\n    await z();\n  });\n});\n',
  "let p = 1; let q = 2; /* and\nso on */ r();\n",
  "module.exports = {\n  a,\n};\n",
  "if (x) {\n  y();\n}\n",
];

const TYPESCRIPT = [
  ...JAVASCRIPT,
  "interface I {\n  a: string;\n  b(): void;\n  b(x: number): void;\n}\n",
  "enum E {\n  A,\n  // second\n  B = 2,\n}\n",
  "export function g(a: string): void;\nexport function g(a: number): void;\nexport function g(a: unknown) {}\n",
  "namespace N {\n  export const x = 1;\n}\n",
  "@Component({})\nexport class C {\n  @Input() name = 1;\n  @Output()\n  other(): void {}\n}\n",
  "type T = {\n  a: string;\n};\n",
];

const PYTHON = [
  '#!/usr/bin/env python\n"""Says."""\n',
  "import a\nfrom b import (\n    c,\n)\n",
  "# why\n@d\nclass A(B):  # here\n    # first\n    x: int = 1\n\n    @property\n    def y(self):\n        return 1\n\n    @y.setter\n    def y(self, v): ...\n    # last\n",
  "def f(x):\n    def g():\n        pass\n    return g\n",
  "try:\n    import z\nexcept ImportError:\n    z = None\n",
  "a, b = 1, 2; c = 3\n",
  'd = {\n    "a": 1,\n    "b": {\n        "c": 2,\n    },\n}\n',
  'if __name__ == "__main__":\n    main()\n',
];

const JAVA = [
  "/* licence */\npackage a.b;\n",
  "import java.util.*;\nimport static x.Y.z; // z\n",
  "/** Says. */\n@Deprecated\npublic class A<T> extends B {\n    private final int x = 1, y[] = {2};\n\n    static {\n        init();\n    }\n\n    @Inject\n    A(final int a, String... b) {\n    }\n\n    // one\n    void m(int a) {\n        new Runnable() {\n            public void run() {}\n        };\n    }\n    void m(List<String> a) {}\n\n    class Inner {\n        int z;\n    }\n    // last\n}\n",
  "enum E {\n    P,\n    // second\n    Q(1) {\n        void x() {}\n    };\n\n    private int v;\n}\n",
  "interface I {\n    int C = 1;\n    default void d() {}\n}\n",
  "record R(int a) {\n    R {\n    }\n}\n",
  "int top = 1; /* and\nso on */ int more = 2;\n",
];

const RUST = [
  "//! Says.\n#![feature(x)]\n",
  "use std::io;\nextern crate foo;\n",
  "pub mod m;\n#[macro_use]\nmod n;\n",
  "/// Says.\n#[derive(Debug)]\n// why\npub struct S<T> {\n    pub a: u8,\n    #[serde(skip)]\n    b: T, // last\n}\n",
  "pub enum E {\n    A,\n    /// second\n    B(u8),\n    C { x: u8 },\n}\n",
  "impl<T> Tr<T> for S<T> {\n    type Q = u8;\n    const K: u8 = 1;\n\n    fn f(&self) {}\n}\n",
  "trait Tr<T> {\n    fn f(&self);\n    fn d(&self) {}\n}\n",
  "#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn t() {}\n}\n",
  "declare_lint! {\n    /// Says.\n    pub NAME,\n    Warn\n}\n",
  "foo!(a); bar!(b); /* and\nso on */ baz!();\n",
  "macro_rules! mac {\n    () => {};\n}\n",
  "pub async fn h() {\n    let x = 1;\n}\n",
];

const GO = [
  "// licence\n\n// Package x says.\npackage x\n",
  'import "fmt"\nimport (\n\t"a"\n\tb "c"\n)\n',
  "// A says.\ntype A struct {\n\tX, Y int\n\t// embedded\n\t*Emb\n}\n",
  "type I interface {\n\tM(x int) error\n\tOther\n}\n",
  "type (\n\tP int\n\tQ = string\n)\n",
  "const (\n\tC1 = iota\n\n\t// second\n\tC2\n)\n",
  "var (\n\tv1 = 1\n\tv2, v3 int // last\n)\n",
  'var w = map[string]int{\n\t"a": 1,\n\t"b": 2,\n}\n',
  "func (a *A) M(x int) error {\n\treturn nil\n}\n",
  "func f() {}; func g() {} /* and\nso on */\n",
];

/** Pieces of code that may follow each other. */
export const SNIPPETS: Readonly<Record<Language, readonly string[]>> = {
  javascript: JAVASCRIPT,
  typescript: TYPESCRIPT,
  tsx: [...TYPESCRIPT, "const v = (\n  <div>\n    {x}\n  </div>\n);\n"],
  python: PYTHON,
  java: JAVA,
  rust: RUST,
  go: GO,
};
