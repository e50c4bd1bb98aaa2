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

/** Pieces of code that may follow each other. */
export const SNIPPETS: Readonly<Partial<Record<Language, readonly string[]>>> = {
  javascript: JAVASCRIPT,
  typescript: TYPESCRIPT,
  tsx: [...TYPESCRIPT, "const v = (\n  <div>\n    {x}\n  </div>\n);\n"],
  python: PYTHON,
};
