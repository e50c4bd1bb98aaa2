import type { Language } from "../src/merge/language.ts";
import { shuffled, type Random } from "./random.ts";

/** Three versions of a made-up file. */
export interface MadeMerge {
  readonly path: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/** How a language writes what files are made of. */
interface Writer {
  readonly ending: string;
  readonly header: string;
  readonly imported: (name: string) => string;
  readonly function: (name: string, lines: readonly string[]) => string;
  readonly call: (name: string, value: number) => string;
  readonly footer: string;
}

const WRITERS: Readonly<Record<Language, Writer>> = {
  typescript: scriptWriter("ts", "(value: string): void"),
  tsx: scriptWriter("tsx", "(value: string): void"),
  javascript: scriptWriter("js", "(value)"),
  python: {
    ending: "py",
    header: '"""Says."""\n',
    imported: (name) => `from package import ${name}\n`,
    function: (name, lines) => `\n\ndef ${name}(value):\n${indent(lines, "    ")}`,
    call: (name, value) => `${name}(value, ${value})`,
    footer: "",
  },
  go: {
    ending: "go",
    header: "// Package made says.\npackage made\n",
    imported: (name) => `import "package/${name}"\n`,
    function: (name, lines) => `\n// ${name} says.\nfunc ${name}(value string) {\n${indent(lines, "\t")}}\n`,
    call: (name, value) => `${name}(value, ${value})`,
    footer: "",
  },
  rust: {
    ending: "rs",
    header: "//! Says.\n\n",
    imported: (name) => `use package::${name};\n`,
    function: (name, lines) => `\n/// Says.\npub fn ${name}(value: &str) {\n${indent(lines, "    ")}}\n`,
    call: (name, value) => `${name}(value, ${value});`,
    footer: "",
  },
  java: {
    ending: "java",
    header: "package made;\n\n",
    imported: (name) => `import made.${name};\n`,
    function: (name, lines) =>
      `\n    /** Says. */\n    void ${name}(String value) {\n${indent(lines, "        ")}    }\n`,
    call: (name, value) => `${name}(value, ${value});`,
    footer: "}\n",
  },
};

const LANGUAGES = Object.keys(WRITERS) as Language[];

/** A file of one of the languages, which both sides changed in several places: some disjoint, some not. */
export function makeMerge(number: number, random: Random): MadeMerge {
  const language = LANGUAGES[number % LANGUAGES.length] as Language;
  const writer = WRITERS[language];
  // Mostly small files, some large ones.
  const count = 5 + random.below(random.below(20) === 0 ? 400 : 40);
  const base = Array.from({ length: count }, (_, at) => makeFunction(`made${number}of${at}`, random));
  return {
    path: `made/${number}.${writer.ending}`,
    base: write(base, ["first", "second"], writer),
    ours: write(change(base, "ours", random), ["first", "ours", "second"], writer),
    theirs: write(change(base, "theirs", random), ["first", "second", "theirs"], writer),
  };
}

interface MadeFunction {
  readonly name: string;
  readonly calls: readonly (readonly [name: string, value: number])[];
}

function makeFunction(name: string, random: Random): MadeFunction {
  const calls = Array.from(
    { length: 2 + random.below(10) },
    () => [`call${random.below(500)}`, random.below(1000)] as const,
  );
  return { name, calls };
}

function change(functions: readonly MadeFunction[], side: string, random: Random): MadeFunction[] {
  const changed = new Set(shuffled([...functions.keys()], random).slice(0, 3));
  const result = functions.map((one, at) => (changed.has(at) ? changeCalls(one, side, random) : one));
  const place = random.below(result.length + 1);
  return result.toSpliced(place, 0, makeFunction(`added_by_${side}`, random));
}

function changeCalls({ name, calls }: MadeFunction, side: string, random: Random): MadeFunction {
  return {
    name,
    calls: calls.toSpliced(random.below(calls.length), random.below(2), [`by_${side}`, random.below(1000)]),
  };
}

function write(functions: readonly MadeFunction[], imported: readonly string[], writer: Writer): string {
  const bodies = functions.map(({ name, calls }) =>
    writer.function(
      name,
      calls.map(([callee, value]) => writer.call(callee, value)),
    ),
  );
  const opening = writer.footer === "" ? "" : "\nclass Made {\n";
  return [writer.header, ...imported.map(writer.imported), opening, ...bodies, writer.footer].join("");
}

function scriptWriter(ending: string, parameters: string): Writer {
  return {
    ending,
    header: "/** Says. */\n\n",
    imported: (name) => `import { ${name} } from "package/${name}";\n`,
    function: (name, lines) => `\n/** Says. */\nexport function ${name}${parameters} {\n${indent(lines, "  ")}}\n`,
    call: (name, value) => `${name}(value, ${value});`,
    footer: "",
  };
}

function indent(lines: readonly string[], by: string): string {
  return lines.map((line) => `${by}${line}\n`).join("");
}
