import { snake, type Names } from "./semantic-names.ts";
import type { Shape } from "./semantic-pairs.ts";

const python = (names: Names): Names => ({
  ...names,
  verb: snake(names.verb),
  otherVerb: snake(names.otherVerb),
  thirdVerb: snake(names.thirdVerb),
});

const module = (n: Names): string => `def ${n.verb}(key):
    return key


def ${n.thirdVerb}(key):
    return ${n.verb}(key)
`;

/** Runs every module, and the \`main\` of those that have one. */
export const PYTHON_CHECK = `import importlib
import pathlib
import sys

sys.dont_write_bytecode = True
for path in sorted(pathlib.Path("pkg").glob("*.py")):
    name = "pkg" if path.stem == "__init__" else f"pkg.{path.stem}"
    main = getattr(importlib.import_module(name), "main", None)
    if main is not None:
        main()
numbers = [path.name[:4] for path in pathlib.Path("migrations").glob("0*.py")]
assert len(numbers) == len(set(numbers)), numbers
`;

type Texts = Readonly<Record<string, string | null>>;

function shape(
  name: string,
  make: (n: Names) => { readonly base: Texts; readonly ours: Texts; readonly theirs: Texts; readonly harmless: Texts },
): Shape {
  return (names) => ({ shape: name, ...make(python(names)) });
}

const inPackage = (file: string): string => `pkg/${file}.py`;
const added = inPackage("added");

/** Pairs of Python, for a command to judge. */
export const PYTHON_SHAPES: readonly Shape[] = [
  shape("rename and new caller", (n) => ({
    base: { [inPackage(n.file)]: module(n) },
    ours: { [inPackage(n.file)]: module(n).replaceAll(n.verb, n.otherVerb) },
    theirs: { [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    return ${n.verb}(1)\n` },
    harmless: { [added]: `from .${n.file} import ${n.thirdVerb}\n\n\ndef main():\n    return ${n.thirdVerb}(1)\n` },
  })),
  shape("rename and new use through the module", (n) => ({
    base: { [inPackage(n.file)]: module(n) },
    ours: { [inPackage(n.file)]: module(n).replaceAll(n.verb, n.otherVerb) },
    theirs: { [added]: `from pkg import ${n.file}\n\n\ndef main():\n    return ${n.file}.${n.verb}(1)\n` },
    harmless: { [added]: `from pkg import ${n.file}\n\n\ndef main():\n    return ${n.file}.${n.thirdVerb}(1)\n` },
  })),
  shape("one more parameter and new call", (n) => ({
    base: { [inPackage(n.file)]: module(n) },
    ours: {
      [inPackage(n.file)]: module(n)
        .replace(`${n.verb}(key):`, `${n.verb}(key, depth):`)
        .replace(`${n.verb}(key)\n`, `${n.verb}(key, 1)\n`),
    },
    theirs: { [added]: `from pkg.${n.file} import ${n.verb}\n\n\ndef main():\n    return ${n.verb}(1)\n` },
    harmless: { [added]: `def ${n.verb}(key):\n    return key\n\n\ndef main():\n    return ${n.verb}(1)\n` },
  })),
  shape("parameter by name only", (n) => ({
    base: { [inPackage(n.file)]: `def ${n.verb}(key, ${n.field}=0):\n    return key\n` },
    ours: { [inPackage(n.file)]: `def ${n.verb}(key, *, ${n.field}=0):\n    return key\n` },
    theirs: { [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    return ${n.verb}(1, ${n.number})\n` },
    harmless: {
      [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    return ${n.verb}(1, ${n.field}=${n.number})\n`,
    },
  })),
  shape("parameters in another order", (n) => ({
    base: { [inPackage(n.file)]: `def ${n.verb}(whole, part):\n    return whole - part\n` },
    ours: { [inPackage(n.file)]: `def ${n.verb}(part, whole):\n    return whole - part\n` },
    theirs: {
      [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    assert ${n.verb}(${n.number}, 1) > 0\n`,
    },
    harmless: {
      [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    assert ${n.verb}(whole=${n.number}, part=1) > 0\n`,
    },
  })),
  shape("another result", (n) => ({
    base: { [inPackage(n.file)]: `def ${n.verb}() -> int:\n    return ${n.number}\n` },
    ours: { [inPackage(n.file)]: `def ${n.verb}() -> tuple:\n    return ${n.number}, "${n.field}"\n` },
    theirs: { [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    return ${n.verb}() + 1\n` },
    harmless: { [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    return str(${n.verb}())\n` },
  })),
  shape("result that is awaited now", (n) => ({
    base: { [inPackage(n.file)]: `def ${n.verb}():\n    return [${n.number}]\n` },
    ours: { [inPackage(n.file)]: `async def ${n.verb}():\n    return [${n.number}]\n` },
    theirs: { [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    return len(${n.verb}())\n` },
    harmless: { [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    return ${n.verb}\n` },
  })),
  shape("one name in one module", (n) => ({
    base: { [inPackage(n.file)]: `${module(n)}\n\ndef main():\n    assert ${n.verb}(1) == 1\n` },
    ours: {
      [inPackage(n.file)]:
        `def ${n.otherVerb}():\n    return ${n.number}\n\n\n${module(n)}\n\ndef main():\n    assert ${n.verb}(1) == 1\n    assert ${n.otherVerb}() == ${n.number}\n`,
    },
    theirs: {
      [inPackage(n.file)]:
        `${module(n)}\n\ndef ${n.otherVerb}():\n    return "${n.field}"\n\n\ndef main():\n    assert ${n.verb}(1) == 1\n`,
    },
    harmless: {
      [inPackage(n.file)]:
        `${module(n)}\n\ndef ${n.otherVerb}_all():\n    return "${n.field}"\n\n\ndef main():\n    assert ${n.verb}(1) == 1\n`,
    },
  })),
  shape("moved module and new import", (n) => ({
    base: { [inPackage(n.file)]: module(n) },
    ours: { [inPackage(n.file)]: null, [inPackage(`${n.file}_store`)]: module(n) },
    theirs: { [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    return ${n.verb}(1)\n` },
    harmless: { [added]: `def main():\n    return "${n.file}"\n` },
  })),
  shape("removed class and new heir", (n) => ({
    base: { [inPackage(n.file)]: `${module(n)}\n\nclass ${n.noun}:\n    pass\n` },
    ours: { [inPackage(n.file)]: module(n) },
    theirs: { [added]: `from .${n.file} import ${n.noun}\n\n\nclass ${n.otherNoun}(${n.noun}):\n    pass\n` },
    harmless: { [added]: `class ${n.noun}:\n    pass\n\n\nclass ${n.otherNoun}(${n.noun}):\n    pass\n` },
  })),
  shape("new abstract method and implementor", (n) => ({
    base: {
      [inPackage(n.file)]:
        `from abc import ABC, abstractmethod\n\n\nclass ${n.noun}(ABC):\n    @abstractmethod\n    def ${n.verb}(self): ...\n`,
    },
    ours: {
      [inPackage(n.file)]:
        `from abc import ABC, abstractmethod\n\n\nclass ${n.noun}(ABC):\n    @abstractmethod\n    def ${n.verb}(self): ...\n\n    @abstractmethod\n    def ${n.otherVerb}(self): ...\n`,
    },
    theirs: {
      [added]: `from .${n.file} import ${n.noun}\n\n\nclass ${n.otherNoun}(${n.noun}):\n    def ${n.verb}(self):\n        return 1\n\n\ndef main():\n    return ${n.otherNoun}()\n`,
    },
    harmless: {
      [added]: `from .${n.file} import ${n.noun}\n\n\nclass ${n.otherNoun}(${n.noun}):\n    def ${n.verb}(self):\n        return 1\n\n    def ${n.otherVerb}(self):\n        return 2\n\n\ndef main():\n    return ${n.otherNoun}()\n`,
    },
  })),
  shape("new field of a data class and constructor", (n) => ({
    base: {
      [inPackage(n.file)]: `from dataclasses import dataclass\n\n\n@dataclass\nclass ${n.noun}:\n    ${n.field}: int\n`,
    },
    ours: {
      [inPackage(n.file)]:
        `from dataclasses import dataclass\n\n\n@dataclass\nclass ${n.noun}:\n    ${n.field}: int\n    ${n.otherField}: int\n`,
    },
    theirs: { [added]: `from .${n.file} import ${n.noun}\n\n\ndef main():\n    return ${n.noun}(${n.number})\n` },
    harmless: { [added]: `from .${n.file} import ${n.noun}\n\n\ndef main():\n    return isinstance(1, ${n.noun})\n` },
  })),
  shape("renamed attribute and new use", (n) => ({
    base: { [inPackage(n.file)]: `class ${n.noun}:\n    def __init__(self):\n        self.${n.field} = ${n.number}\n` },
    ours: {
      [inPackage(n.file)]: `class ${n.noun}:\n    def __init__(self):\n        self.${n.otherField} = ${n.number}\n`,
    },
    theirs: {
      [added]: `from .${n.file} import ${n.noun}\n\n\ndef main():\n    made = ${n.noun}()\n    return made.${n.field}\n`,
    },
    harmless: {
      [added]: `from .${n.file} import ${n.noun}\n\n\ndef main():\n    made = ${n.noun}()\n    return vars(made)\n`,
    },
  })),
  shape("renamed value of an enum and new use", (n) => ({
    base: { [inPackage(n.file)]: `from enum import Enum\n\n\nclass ${n.noun}(Enum):\n    FIRST = 1\n    SECOND = 2\n` },
    ours: { [inPackage(n.file)]: `from enum import Enum\n\n\nclass ${n.noun}(Enum):\n    FIRST = 1\n    OTHER = 2\n` },
    theirs: { [added]: `from .${n.file} import ${n.noun}\n\n\ndef main():\n    return ${n.noun}.SECOND\n` },
    harmless: { [added]: `from .${n.file} import ${n.noun}\n\n\ndef main():\n    return ${n.noun}.FIRST\n` },
  })),
  shape("new value of an enum and a choice among all", (n) => ({
    base: { [inPackage(n.file)]: `from enum import Enum\n\n\nclass ${n.noun}(Enum):\n    FIRST = 1\n    SECOND = 2\n` },
    ours: {
      [inPackage(n.file)]:
        `from enum import Enum\n\n\nclass ${n.noun}(Enum):\n    FIRST = 1\n    SECOND = 2\n    THIRD = 3\n`,
    },
    theirs: {
      [added]: `from .${n.file} import ${n.noun}\n\nNAMES = {${n.noun}.FIRST: "1", ${n.noun}.SECOND: "2"}\n\n\ndef main():\n    return [NAMES[one] for one in ${n.noun}]\n`,
    },
    harmless: {
      [added]: `from .${n.file} import ${n.noun}\n\nNAMES = {${n.noun}.FIRST: "1", ${n.noun}.SECOND: "2"}\n\n\ndef main():\n    return [NAMES.get(one) for one in ${n.noun}]\n`,
    },
  })),
  shape("two migrations with one number", (n) => ({
    base: { "migrations/0001_start.py": "UP = 'create'\n" },
    ours: { [`migrations/0002_${n.field}.py`]: `UP = "${n.field}"\n` },
    theirs: { [`migrations/0002_${n.otherField}.py`]: `UP = "${n.otherField}"\n` },
    harmless: { [`migrations/0003_${n.otherField}.py`]: `UP = "${n.otherField}"\n` },
  })),
  shape("flipped default and new reader", (n) => ({
    base: { "pkg/defaults.py": `DEFAULTS = {"${n.field}": True, "${n.otherField}": ${n.number}}\n` },
    ours: { "pkg/defaults.py": `DEFAULTS = {"${n.field}": False, "${n.otherField}": ${n.number}}\n` },
    theirs: { [added]: `from .defaults import DEFAULTS\n\n\ndef main():\n    assert DEFAULTS["${n.field}"]\n` },
    harmless: { [added]: `from .defaults import DEFAULTS\n\n\ndef main():\n    assert "${n.field}" in DEFAULTS\n` },
  })),
  shape("write skew on an invariant", (n) => ({
    base: {
      "pkg/low.py": "LOW = 1\n",
      "pkg/high.py": "HIGH = 10\n",
      [inPackage(n.file)]: "from .high import HIGH\nfrom .low import LOW\n\n\ndef main():\n    assert LOW < HIGH\n",
    },
    ours: { "pkg/low.py": "LOW = 6\n" },
    theirs: { "pkg/high.py": "HIGH = 4\n" },
    harmless: { "pkg/high.py": "HIGH = 9\n" },
  })),
  shape("another unit and new reader", (n) => ({
    base: { "pkg/limits.py": `TIMEOUT = ${n.number}\n` },
    ours: { "pkg/limits.py": `TIMEOUT = ${n.number}000\n` },
    theirs: { [added]: `from .limits import TIMEOUT\n\n\ndef main():\n    assert TIMEOUT < 100, "seconds"\n` },
    harmless: { [added]: `from .limits import TIMEOUT\n\n\ndef main():\n    assert TIMEOUT > 0\n` },
  })),
  shape("renamed parameter and call by its name", (n) => ({
    base: { [inPackage(n.file)]: `def ${n.verb}(${n.field}=1):\n    return ${n.field}\n` },
    ours: { [inPackage(n.file)]: `def ${n.verb}(${n.otherField}=1):\n    return ${n.otherField}\n` },
    theirs: {
      [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    return ${n.verb}(${n.field}=${n.number})\n`,
    },
    harmless: { [added]: `from .${n.file} import ${n.verb}\n\n\ndef main():\n    return ${n.verb}(${n.number})\n` },
  })),
];
