import { describe, expect, it } from "vitest";

import { mergeImports } from "../../../../src/merge/imports/merge-imports.ts";
import type { Language } from "../../../../src/merge/language.ts";

function merge(language: Language, base: string, ours: string, theirs: string): string {
  const merged = mergeImports(language, { base, ours, theirs });
  return merged.status === "merged" ? merged.text : "conflict";
}

function classOfMerge(language: Language, base: string, ours: string, theirs: string): string {
  const merged = mergeImports(language, { base, ours, theirs });
  return merged.status === "merged" ? merged.steps.map((step) => `${step.resolver} ${step.class}`).join() : "conflict";
}

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join("");

describe("imports of JavaScript and TypeScript", () => {
  it("take the names that each side added to one statement", () => {
    const base = lines('import { a } from "m";');
    expect(merge("typescript", base, lines('import { a, b } from "m";'), lines('import { a, c } from "m";'))).toBe(
      lines('import { a, b, c } from "m";'),
    );
    expect(
      classOfMerge("typescript", base, lines('import { a, b } from "m";'), lines('import { c, a } from "m";')),
    ).toBe("imports B");
  });

  it("keep lists over several lines as they are, with the comma after the last name, and in order", () => {
    const list = (...names: string[]): string => lines("import {", ...names.map((name) => `  ${name},`), '} from "m";');
    expect(merge("typescript", list("a", "c", "e"), list("a", "b", "c", "e"), list("a", "c", "d", "e"))).toBe(
      list("a", "b", "c", "d", "e"),
    );
    expect(merge("typescript", list("a", "c", "e"), list("a", "e"), list("a", "c", "e", "f"))).toBe(
      list("a", "e", "f"),
    );
    const bare = (...names: string[]): string =>
      lines("import {", names.map((name) => `  ${name}`).join(",\n"), "} from 'm'");
    expect(merge("javascript", bare("a", "c"), bare("a"), bare("a", "c", "d"))).toBe(bare("a", "d"));
    expect(merge("javascript", bare("a", "c"), bare("a", "b", "c"), bare("a", "c", "d"))).toBe(
      bare("a", "b", "c", "d"),
    );
  });

  it("give a list that has become too long a line for each name", () => {
    const long = "x".repeat(30);
    expect(
      merge(
        "typescript",
        lines('import { a } from "m";'),
        lines(`import { a, b${long} } from "m";`),
        lines(`import { a, c${long} } from "m";`),
      ),
    ).toBe(lines("import {", "  a,", `  b${long},`, `  c${long},`, '} from "m";'));
  });

  it("put new statements where they stand in their own version", () => {
    const base = lines('import a from "a";', "", 'import d from "./d";');
    const ours = lines('import a from "a";', 'import b from "b";', "", 'import d from "./d";');
    const theirs = lines('import a from "a";', "", 'import c from "./c";', 'import d from "./d";');
    expect(merge("typescript", base, ours, theirs)).toBe(
      lines('import a from "a";', 'import b from "b";', "", 'import c from "./c";', 'import d from "./d";'),
    );
    expect(classOfMerge("typescript", base, ours, theirs)).toBe("imports B");
    expect(classOfMerge("typescript", base, ours, `import z from "z";\n${base}`)).toBe("imports A");
  });

  it("sort new statements at one place where all are sorted", () => {
    const run = (...modules: string[]): string => lines(...modules.map((each) => `import ${each} from "${each}";`));
    expect(merge("typescript", run("a", "b", "z"), run("a", "b", "d", "z"), run("a", "b", "c", "z"))).toBe(
      run("a", "b", "c", "d", "z"),
    );
    expect(merge("typescript", run("z", "b"), run("z", "b", "d"), run("z", "b", "c"))).toBe(run("z", "b", "d", "c"));
    expect(merge("typescript", run("z", "b"), run("z", "b", "c"), run("z", "b", "c", "d"))).toBe(
      run("z", "b", "c", "d"),
    );
  });

  it("drop what one side removed, with its comment", () => {
    const base = lines('import a from "a";', "// why b", 'import b from "b";', 'import { c, d } from "c";');
    const ours = lines('import a from "a";', 'import { c, d } from "c";');
    const theirs = lines('import a from "a";', "// why b", 'import b from "b";', 'import { c } from "c";');
    expect(merge("typescript", base, ours, theirs)).toBe(lines('import a from "a";', 'import { c } from "c";'));
  });

  it("know default names, names of all of a module, and types", () => {
    expect(
      merge(
        "typescript",
        lines('import { a } from "m";'),
        lines('import M, { a } from "m";'),
        lines('import { a, type T } from "m";'),
      ),
    ).toBe(lines('import M, { a, type T } from "m";'));
    expect(
      merge(
        "typescript",
        lines('import M from "m";'),
        lines('import M from "m";', 'import * as all from "m";'),
        lines('import M, { a } from "m";'),
      ),
    ).toBe(lines('import M, { a } from "m";', 'import * as all from "m";'));
    expect(
      merge(
        "typescript",
        lines('import M, { a } from "m";'),
        lines('import { a } from "m";'),
        lines('import M from "m";'),
      ),
    ).toBe("");
    expect(
      merge(
        "typescript",
        lines('import M, { a } from "m";', 'import z from "z";'),
        lines('import { a } from "m";', 'import z from "z";'),
        lines('import M, { a, b } from "m";', 'import z from "z";'),
      ),
    ).toBe(lines('import { a, b } from "m";', 'import z from "z";'));
  });

  it("need no import of a type where the value is imported", () => {
    const base = lines('import z from "z";');
    const type = lines('import z from "z";', 'import type { T } from "m";');
    const value = lines('import z from "z";', 'import { T } from "m";');
    expect(merge("typescript", base, type, value)).toBe(value);
    expect(merge("typescript", base, value, type)).toBe(value);
  });

  it("follow a module that one side moved", () => {
    expect(
      merge(
        "typescript",
        lines('import { a } from "./old.ts";'),
        lines('import { a } from "./new.ts";'),
        lines('import { a, b } from "./old.ts";'),
      ),
    ).toBe(lines('import { a, b } from "./new.ts";'));
    expect(
      merge(
        "typescript",
        lines('import { a } from "./old.ts";'),
        lines('import { a, b } from "./old.ts";'),
        lines('import { a } from "./new.ts";'),
      ),
    ).toBe(lines('import { a, b } from "./new.ts";'));
  });

  it("are a conflict where one name would stand for two things, or is changed in two ways", () => {
    const base = lines('import z from "z";');
    const both = (ours: string, theirs: string, before = base): string =>
      merge("typescript", before, base + lines(ours), base + lines(theirs));
    expect(both('import { a } from "m";', 'import { a } from "n";')).toBe("conflict");
    expect(both('import { a as x } from "m";', 'import { a as y } from "m";')).not.toBe("conflict");
    const a = base + lines('import { a } from "m";');
    expect(both('import { a as x } from "m";', 'import { a as y } from "m";', a)).toBe("conflict");
    expect(both('import { a } from "n";', 'import { a } from "o";', a)).toBe("conflict");
    expect(merge("typescript", a, base, base + lines('import { a } from "n";'))).toBe("conflict");
    expect(both('import "./one.css";', 'import "./two.css";')).toBe("conflict");
    expect(both('import "./one.css";', 'import b from "b";')).not.toBe("conflict");
  });

  it("keep comments that one side wrote beside them, and never two answers", () => {
    const base = lines('import { a } from "m";', 'import z from "z";');
    const noted = lines('import { a } from "m"; // eslint-disable-line', 'import z from "z";');
    const more = lines('import { a, b } from "m";', 'import z from "z";');
    expect(merge("typescript", base, noted, more)).toBe(
      lines('import { a, b } from "m"; // eslint-disable-line', 'import z from "z";'),
    );
    expect(merge("typescript", base, more, noted)).toBe(
      lines('import { a, b } from "m"; // eslint-disable-line', 'import z from "z";'),
    );
    const otherwise = lines('import { a } from "m"; // another', 'import z from "z";');
    expect(merge("typescript", base, otherwise, noted)).toBe("conflict");
    expect(merge("typescript", base, noted, lines('import z from "z";'))).toBe("conflict");
    expect(merge("typescript", base, `// about a\n${base}`, lines('import z from "z";'))).toBe("conflict");
  });

  it("know require, re-exports and lists of exports", () => {
    expect(
      merge(
        "javascript",
        lines('const a = require("a");', 'const { b } = require("b")'),
        lines('const a = require("a");', 'const { b, c: d } = require("b")'),
        lines('const a = require("a");', 'var x = require("x");', 'const { b, e } = require("b")'),
      ),
    ).toBe(lines('const a = require("a");', 'var x = require("x");', 'const { b, c: d, e } = require("b")'));
    expect(
      merge(
        "typescript",
        lines('export { a } from "a";', 'export * from "b";'),
        lines('export { a, b } from "a";', 'export * from "b";'),
        lines('export { a } from "a";', 'export * from "b";', 'export * from "c";'),
      ),
    ).toBe(lines('export { a, b } from "a";', 'export * from "b";', 'export * from "c";'));
    expect(merge("typescript", lines("export { a };"), lines("export { a, b };"), lines("export { a, c };"))).toBe(
      lines("export { a, b, c };"),
    );
  });

  it("are a conflict where one side removed a statement whose comment or options the other changed", () => {
    const base = lines("// For now.", 'import { a } from "m";', 'import { b } from "n";');
    const removed = lines('import { b } from "n";');
    const changed = lines("// For ever.", 'import { a } from "m";', 'import { b } from "n";');
    expect(merge("typescript", base, changed, removed)).toBe("conflict");
    expect(merge("typescript", base, removed, changed)).toBe("conflict");
    expect(merge("typescript", base, removed, base)).toBe(removed);
    const typed = base.replace('"m";', '"m" with { type: "json" };');
    expect(merge("typescript", base, typed, removed)).toBe("conflict");
    expect(merge("typescript", base, removed, typed)).toBe("conflict");
    const behind = base.replace('"m";', '"m"; // For tests.');
    expect(merge("typescript", base, behind, removed)).toBe("conflict");
    expect(merge("typescript", base, removed, behind)).toBe("conflict");
  });

  it("are a conflict where what one side wrote may stand for what both took out", () => {
    const base = lines('import { a } from "m";', 'import { b } from "n";');
    const written = lines("configure();", 'import { b } from "n";');
    const removed = lines('import { b } from "n";');
    expect(merge("typescript", base, written, removed)).toBe("conflict");
    expect(merge("typescript", base, removed, written)).toBe("conflict");
  });

  it("keep the order that one side gave them", () => {
    const line = (name: string): string => `import { ${name} } from "${name}.js";`;
    const base = lines(...["a", "b", "c"].map(line));
    const turned = lines(...["c", "b", "a"].map(line));
    const longer = lines(...["a", "b", "c", "d"].map(line));
    const inOrder = (text: string): string[] => [...text.matchAll(/"([abc])\.js"/g)].map(([, name]) => name ?? "");
    expect(inOrder(merge("typescript", base, turned, longer))).toEqual(["c", "b", "a"]);
    expect(inOrder(merge("typescript", base, longer, turned))).toEqual(["c", "b", "a"]);
  });

  it("take statements they do not know as a whole", () => {
    const base = lines('import a = require("a");', "const b = load();");
    expect(merge("typescript", base, base + lines('import c from "c";'), lines('import a = require("a");'))).toBe(
      lines('import a = require("a");', 'import c from "c";'),
    );
    expect(
      merge(
        "typescript",
        base,
        lines('import a = require("a");', "const b = load(1);"),
        lines('import a = require("a");'),
      ),
    ).not.toContain("load()");
  });
});

describe("imports of Python", () => {
  it("take the names that each side added, with brackets where they are needed", () => {
    expect(merge("python", lines("from m import a"), lines("from m import a, b"), lines("from m import a, c"))).toBe(
      lines("from m import a, b, c"),
    );
    const list = (...names: string[]): string => lines("from m import (", ...names.map((name) => `    ${name},`), ")");
    expect(merge("python", list("a", "c"), list("a", "b as x", "c"), list("a", "c", "d"))).toBe(
      list("a", "b as x", "c", "d"),
    );
    const names = ["one", "two", "six", "ten"].map((name) => name.repeat(6));
    expect(
      merge(
        "python",
        lines("from m import a"),
        lines(`from m import a, ${names.join(", ")}`),
        lines("from m import a, b"),
      ),
    ).toBe(lines("from m import (", "    a,", ...names.map((name) => `    ${name},`), "    b,", ")"));
  });

  it("keep a statement for each name where they have one", () => {
    const run = (...names: string[]): string =>
      lines("import os", ...names.map((name) => `from .m import ${name} as ${name}`));
    expect(merge("python", run("a", "c", "e"), run("a", "b", "c", "e"), run("a", "c", "d", "e"))).toBe(
      run("a", "b", "c", "d", "e"),
    );
  });

  it("know modules, aliases, comments and continued lines", () => {
    expect(
      merge(
        "python",
        lines("import os, sys", "import a.b as ab", "from n import \\", "    c, d"),
        lines("import os, sys, re", "import a.b as ab", "from n import \\", "    c, d"),
        lines("import os", "import a.b as ab", "from n import \\", "    c, d, e"),
      ),
    ).toBe(lines("import os, re", "import a.b as ab", "from n import \\", "    c, d, e"));
    expect(
      merge(
        "python",
        lines("import os", "from m import a  # noqa: F401"),
        lines("import os", "from m import a, b  # noqa: F401"),
        lines("import os", "import re", "from m import a, c  # noqa: F401"),
      ),
    ).toBe(lines("import os", "import re", "from m import a, b, c  # noqa: F401"));
  });

  it("take blocks around imports as a whole", () => {
    const attempt = lines("try:", "    import json", "except ImportError:", "    json = None");
    const base = lines("import os");
    expect(merge("python", base, base + attempt, lines("import io", "import os"))).toBe(
      lines("import io", "import os") + attempt,
    );
  });

  it("work inside of functions", () => {
    expect(
      merge(
        "python",
        lines("    from m import a"),
        lines("    from m import a", "    import os"),
        lines("    from m import a, b"),
      ),
    ).toBe(lines("    from m import a, b", "    import os"));
  });
});

describe("imports of Rust", () => {
  it("take names into groups, also of groups", () => {
    expect(merge("rust", lines("use a::{b, d};"), lines("use a::{b, c, d};"), lines("use a::{b, d, e::F};"))).toBe(
      lines("use a::{b, c, d, e::F};"),
    );
    expect(
      merge(
        "rust",
        lines("use a::{b, c::{d, e}};"),
        lines("use a::{b, c::{d, e, f}};"),
        lines("use a::{b, c::{self, e}};"),
      ),
    ).toBe(lines("use a::{b, c::{self, e, f}};"));
    expect(merge("rust", lines("use a::b;"), lines("use a::{b, c};"), lines("use a::{b, d};"))).toBe(
      lines("use a::{b, c, d};"),
    );
    expect(merge("rust", lines("use a::{b, c};"), lines("use a::c;"), lines("use a::{b, c, d};"))).toBe(
      lines("use a::{c, d};"),
    );
  });

  it("break long groups as the formatter does", () => {
    const names = Array.from({ length: 14 }, (_, at) => `long${String.fromCodePoint(97 + at)}`);
    const wide = lines(`use a::{${names.slice(0, 11).join(", ")}};`);
    const ours = lines(`use a::{${names.slice(0, 12).join(", ")}};`);
    const theirs = lines(`use a::{${[...names.slice(0, 11), ...names.slice(12)].join(", ")}};`);
    expect(merge("rust", wide, ours, theirs)).toBe(
      lines("use a::{", `    ${names.slice(0, 13).join(", ")},`, `    ${names[13]},`, "};"),
    );
  });

  it("keep visibility, attributes, crates and modules apart", () => {
    const base = lines("use a::b;", "mod x;");
    const ours = lines("use a::b;", "pub use a::c;", "mod x;");
    const theirs = lines("use a::b;", "#[cfg(unix)]", "use a::d;", "mod x;", "#[macro_use]", "extern crate y;");
    expect(merge("rust", base, ours, theirs)).toBe(
      lines("use a::b;", "pub use a::c;", "#[cfg(unix)]", "use a::d;", "mod x;", "#[macro_use]", "extern crate y;"),
    );
    expect(merge("rust", lines("mod x;"), lines("mod w;", "mod x;"), lines("mod x;", "mod y;"))).toBe(
      lines("mod w;", "mod x;", "mod y;"),
    );
    expect(merge("rust", base, base + lines("use a::T;"), base + lines("use b::T;"))).toBe("conflict");
  });
});

describe("imports of Java", () => {
  it("are a set", () => {
    const run = (...names: string[]): string => lines(...names.map((name) => `import ${name};`));
    expect(
      merge("java", run("a.A", "a.C", "b.D"), run("a.A", "a.B", "a.C", "b.D"), run("a.A", "b.D", "static c.E.*")),
    ).toBe(run("a.A", "a.B", "b.D", "static c.E.*"));
    expect(merge("java", run("a.A"), run("a.A", "b.B"), run("a.A", "c.B"))).toBe("conflict");
    expect(merge("java", run("a.A", "a.B"), run("b.A", "a.B"), run("c.A", "a.B"))).toBe("conflict");
  });
});

describe("imports of Go", () => {
  it("are lines of groups", () => {
    const group = (...specs: string[]): string =>
      lines("import (", ...specs.map((spec) => (spec === "" ? "" : `\t${spec}`)), ")");
    expect(
      merge(
        "go",
        group('"fmt"', '"os"', "", '"x/y"'),
        group('"fmt"', '"io"', '"os"', "", '"x/y"'),
        group('"fmt"', "", 'z "x/y"', '_ "x/w"'),
      ),
    ).toBe(group('"fmt"', '"io"', "", 'z "x/y"', '_ "x/w"'));
    expect(merge("go", group('"fmt"'), group('"fmt"', '"text/template"'), group('"fmt"', '"html/template"'))).toBe(
      "conflict",
    );
  });
});
