import type { Names } from "./semantic-names.ts";

/** The texts of some files; `null`: there is none any more. */
export type Files = Readonly<Record<string, string | null>>;

/** Two changes that merge as texts and break together, and one in the place of theirs that breaks nothing. */
export interface Pair {
  readonly shape: string;
  readonly base: Files;
  readonly ours: Files;
  readonly theirs: Files;
  readonly harmless: Files;
}

/** A shape of such pairs, to be filled with names. */
export type Shape = (names: Names) => Pair;

const module = (n: Names): string => `export function ${n.verb}(id: string): string {
  return id;
}

export function ${n.thirdVerb}(id: string): string {
  return ${n.verb}(id);
}
`;

/** Pairs of TypeScript, for its compiler to judge. */
export const TYPESCRIPT_SHAPES: readonly Shape[] = [
  (n) => ({
    shape: "rename and new caller",
    base: { [`src/${n.file}.ts`]: module(n) },
    ours: { [`src/${n.file}.ts`]: module(n).replaceAll(n.verb, n.otherVerb) },
    theirs: { "src/added.ts": `import { ${n.verb} } from "./${n.file}";\n\nexport const added = ${n.verb}("a");\n` },
    harmless: {
      "src/added.ts": `import { ${n.thirdVerb} } from "./${n.file}";\n\nexport const added = ${n.thirdVerb}("a");\n`,
    },
  }),
  (n) => ({
    shape: "one more parameter and new call",
    base: { [`src/${n.file}.ts`]: module(n) },
    ours: {
      [`src/${n.file}.ts`]: module(n)
        .replace(`${n.verb}(id: string)`, `${n.verb}(id: string, depth: number)`)
        .replace(`${n.verb}(id);`, `${n.verb}(id, 1);`),
    },
    theirs: { "src/added.ts": `import { ${n.verb} } from "./${n.file}";\n\nexport const added = ${n.verb}("a");\n` },
    harmless: {
      "src/added.ts": `export function ${n.verb}(id: string): string {\n  return id;\n}\n\nexport const added = ${n.verb}("a");\n`,
    },
  }),
  (n) => ({
    shape: "one name in one file",
    base: { [`src/${n.file}.ts`]: module(n) },
    ours: {
      [`src/${n.file}.ts`]: `export function ${n.otherVerb}(): number {\n  return ${n.number};\n}\n\n${module(n)}`,
    },
    theirs: { [`src/${n.file}.ts`]: `${module(n)}\nexport function ${n.otherVerb}(): number {\n  return 1;\n}\n` },
    harmless: { [`src/${n.file}.ts`]: `${module(n)}\nexport function ${n.otherVerb}All(): number {\n  return 1;\n}\n` },
  }),
  (n) => ({
    shape: "one name through a file that gives all",
    base: {
      "src/index.ts": `export * from "./${n.file}";\nexport const version = 1;\nexport * from "./${n.otherFile}";\n`,
      [`src/${n.file}.ts`]: module(n),
      [`src/${n.otherFile}.ts`]: `export const ${n.field} = 1;\n`,
    },
    ours: {
      [`src/${n.file}.ts`]: `${module(n)}\nexport const ${n.otherField} = 2;\n`,
      "src/index.ts": `export * from "./${n.file}";\nexport const version = 2;\nexport * from "./${n.otherFile}";\n`,
    },
    theirs: { [`src/${n.otherFile}.ts`]: `export const ${n.field} = 1;\nexport const ${n.otherField} = 3;\n` },
    harmless: { [`src/${n.otherFile}.ts`]: `const ${n.otherField} = 3;\nexport const ${n.field} = ${n.otherField};\n` },
  }),
  (n) => ({
    shape: "new value of an enum and exhaustive switch",
    base: { [`src/${n.file}.ts`]: `export enum ${n.noun} {\n  First,\n  Second,\n}\n` },
    ours: { [`src/${n.file}.ts`]: `export enum ${n.noun} {\n  First,\n  Second,\n  Third,\n}\n` },
    theirs: {
      "src/added.ts": `import { ${n.noun} } from "./${n.file}";\n\nexport function ${n.verb}(of: ${n.noun}): string {\n  switch (of) {\n    case ${n.noun}.First:\n      return "1";\n    case ${n.noun}.Second:\n      return "2";\n  }\n}\n`,
    },
    harmless: {
      "src/added.ts": `import { ${n.noun} } from "./${n.file}";\n\nexport function ${n.verb}(of: ${n.noun}): string {\n  switch (of) {\n    case ${n.noun}.First:\n      return "1";\n    default:\n      return "2";\n  }\n}\n`,
    },
  }),
  (n) => ({
    shape: "new value of a union and a table of all",
    base: { [`src/${n.file}.ts`]: `export type ${n.noun} = "first" | "second";\n` },
    ours: { [`src/${n.file}.ts`]: `export type ${n.noun} = "first" | "second" | "third";\n` },
    theirs: {
      "src/added.ts": `import type { ${n.noun} } from "./${n.file}";\n\nexport const ${n.field}: Record<${n.noun}, number> = { first: 1, second: 2 };\n`,
    },
    harmless: {
      "src/added.ts": `import type { ${n.noun} } from "./${n.file}";\n\nexport const ${n.field}: Partial<Record<${n.noun}, number>> = { first: 1, second: 2 };\n`,
    },
  }),
  (n) => ({
    shape: "two migrations with one number",
    base: { "db/migrations/0001_start.ts": "export const up = 'create';\n" },
    ours: { [`db/migrations/0002_${n.field}.ts`]: `export const up = "add ${n.field}";\n` },
    theirs: { [`db/migrations/0002_${n.otherField}.ts`]: `export const up = "add ${n.otherField}";\n` },
    harmless: { [`db/migrations/0003_${n.otherField}.ts`]: `export const up = "add ${n.otherField}";\n` },
  }),
  (n) => ({
    shape: "package taken out and new import",
    base: {
      "package.json": '{\n  "dependencies": {\n    "padding": "1.0.0",\n    "wrapping": "1.0.0"\n  }\n}\n',
      [`src/${n.file}.ts`]: module(n),
    },
    ours: { "package.json": '{\n  "dependencies": {\n    "wrapping": "1.0.0"\n  }\n}\n' },
    theirs: { "src/added.ts": `import { pad } from "padding";\n\nexport const ${n.field} = pad("a");\n` },
    harmless: { "src/added.ts": `import { wrap } from "wrapping";\n\nexport const ${n.field} = wrap("a");\n` },
  }),
  (n) => ({
    shape: "default of another type and new reader",
    base: { "src/defaults.ts": `export const defaults = { ${n.field}: ${n.number}, ${n.otherField}: true };\n` },
    ours: { "src/defaults.ts": `export const defaults = { ${n.field}: "${n.number}s", ${n.otherField}: true };\n` },
    theirs: {
      "src/added.ts": `import { defaults } from "./defaults";\n\nexport const twice: number = defaults.${n.field} * 2;\n`,
    },
    harmless: {
      "src/added.ts": `import { defaults } from "./defaults";\n\nexport const shown: string = String(defaults.${n.field});\n`,
    },
  }),
  (n) => ({
    shape: "moved file and new import",
    base: { [`src/${n.file}.ts`]: module(n) },
    ours: { [`src/${n.file}.ts`]: null, [`src/inner/${n.file}.ts`]: module(n) },
    theirs: { "src/added.ts": `import { ${n.verb} } from "./${n.file}";\n\nexport const added = ${n.verb}("a");\n` },
    harmless: { "src/added.ts": `export const ${n.file} = "./${n.file}";\n` },
  }),
  (n) => ({
    shape: "write skew on the places of a table",
    base: {
      [`src/${n.file}.ts`]: `export const PLACES = ["first", "second"] as const;\nexport type Place = (typeof PLACES)[number];\n`,
    },
    ours: {
      [`src/${n.file}.ts`]: `export const PLACES = ["first", "second", "third"] as const;\nexport type Place = (typeof PLACES)[number];\n`,
    },
    theirs: {
      "src/added.ts": `import { PLACES, type Place } from "./${n.file}";\n\nexport const widths: Record<Place, number> = { first: 1, second: 2 };\nexport const all = PLACES.length;\n`,
    },
    harmless: {
      "src/added.ts": `import { PLACES, type Place } from "./${n.file}";\n\nexport const widths: Partial<Record<Place, number>> = { first: 1 };\nexport const all = PLACES.length;\n`,
    },
  }),
  (n) => ({
    shape: "removed export and new import",
    base: { [`src/${n.file}.ts`]: `${module(n)}\nexport const ${n.field} = ${n.number};\n` },
    ours: { [`src/${n.file}.ts`]: module(n) },
    theirs: { "src/added.ts": `import { ${n.field} } from "./${n.file}";\n\nexport const added = ${n.field} + 1;\n` },
    harmless: {
      "src/added.ts": `import { ${n.verb} } from "./${n.file}";\n\nexport const ${n.field} = ${n.verb}("a");\n`,
    },
  }),
  (n) => ({
    shape: "new abstract member and implementor",
    base: { [`src/${n.file}.ts`]: `export abstract class ${n.noun} {\n  abstract ${n.verb}(): string;\n}\n` },
    ours: {
      [`src/${n.file}.ts`]: `export abstract class ${n.noun} {\n  abstract ${n.verb}(): string;\n  abstract ${n.otherVerb}(): string;\n}\n`,
    },
    theirs: {
      "src/added.ts": `import { ${n.noun} } from "./${n.file}";\n\nexport class ${n.otherNoun} extends ${n.noun} {\n  ${n.verb}(): string {\n    return "a";\n  }\n}\n`,
    },
    harmless: {
      "src/added.ts": `import { ${n.noun} } from "./${n.file}";\n\nexport abstract class ${n.otherNoun} extends ${n.noun} {\n  ${n.verb}(): string {\n    return "a";\n  }\n}\n`,
    },
  }),
  (n) => ({
    shape: "new member of an interface and implementor",
    base: { [`src/${n.file}.ts`]: `export interface ${n.noun} {\n  ${n.verb}(): string;\n}\n` },
    ours: {
      [`src/${n.file}.ts`]: `export interface ${n.noun} {\n  ${n.verb}(): string;\n  ${n.otherVerb}(): string;\n}\n`,
    },
    theirs: {
      "src/added.ts": `import type { ${n.noun} } from "./${n.file}";\n\nexport class ${n.otherNoun} implements ${n.noun} {\n  ${n.verb}(): string {\n    return "a";\n  }\n}\n`,
    },
    harmless: {
      "src/added.ts": `import type { ${n.noun} } from "./${n.file}";\n\nexport function ${n.otherVerb}(of: ${n.noun}): string {\n  return of.${n.verb}();\n}\n`,
    },
  }),
  (n) => ({
    shape: "new required field and argument",
    base: {
      [`src/${n.file}.ts`]: `export interface ${n.noun} {\n  ${n.field}: number;\n}\n\nexport function ${n.verb}(options: ${n.noun}): number {\n  return options.${n.field};\n}\n`,
    },
    ours: {
      [`src/${n.file}.ts`]: `export interface ${n.noun} {\n  ${n.field}: number;\n  ${n.otherField}: number;\n}\n\nexport function ${n.verb}(options: ${n.noun}): number {\n  return options.${n.field};\n}\n`,
    },
    theirs: {
      "src/added.ts": `import { ${n.verb} } from "./${n.file}";\n\nexport const added = ${n.verb}({ ${n.field}: ${n.number} });\n`,
    },
    harmless: {
      "src/added.ts": `import { ${n.verb} } from "./${n.file}";\n\nexport const added = (options: Parameters<typeof ${n.verb}>[0]): number => ${n.verb}(options);\n`,
    },
  }),
  (n) => ({
    shape: "new required field and literal",
    base: { [`src/${n.file}.ts`]: `export interface ${n.noun} {\n  ${n.field}: number;\n}\n` },
    ours: {
      [`src/${n.file}.ts`]: `export interface ${n.noun} {\n  ${n.field}: number;\n  ${n.otherField}: number;\n}\n`,
    },
    theirs: {
      "src/added.ts": `import type { ${n.noun} } from "./${n.file}";\n\nexport const added: ${n.noun} = { ${n.field}: ${n.number} };\n`,
    },
    harmless: {
      "src/added.ts": `import type { ${n.noun} } from "./${n.file}";\n\nexport const added: Partial<${n.noun}> = { ${n.field}: ${n.number} };\n`,
    },
  }),
  (n) => ({
    shape: "result that is promised now",
    base: { [`src/${n.file}.ts`]: `export function ${n.verb}(): string {\n  return "a";\n}\n` },
    ours: { [`src/${n.file}.ts`]: `export async function ${n.verb}(): Promise<string> {\n  return "a";\n}\n` },
    theirs: {
      "src/added.ts": `import { ${n.verb} } from "./${n.file}";\n\nexport const added: number = ${n.verb}().length;\n`,
    },
    harmless: {
      "src/added.ts": `import { ${n.verb} } from "./${n.file}";\n\nexport const added = async (): Promise<string> => await ${n.verb}();\n`,
    },
  }),
  (n) => ({
    shape: "parameters in another order",
    base: {
      [`src/${n.file}.ts`]: `export function ${n.verb}(from: string, to: string): string {\n  return from + to;\n}\n`,
    },
    ours: {
      [`src/${n.file}.ts`]: `export function ${n.verb}(to: string, from: string): string {\n  return from + to;\n}\n`,
    },
    theirs: {
      "src/added.ts": `import { ${n.verb} } from "./${n.file}";\n\nexport const added = ${n.verb}("a", "b");\n`,
    },
    harmless: {
      "src/added.ts": `import * as all from "./${n.file}";\n\nexport const added = Object.keys(all).length;\n`,
    },
  }),
  (n) => ({
    shape: "renamed field and new use",
    base: { [`src/${n.file}.ts`]: `export class ${n.noun} {\n  ${n.field} = ${n.number};\n}\n` },
    ours: { [`src/${n.file}.ts`]: `export class ${n.noun} {\n  ${n.otherField} = ${n.number};\n}\n` },
    theirs: {
      "src/added.ts": `import { ${n.noun} } from "./${n.file}";\n\nconst made = new ${n.noun}();\nexport const added = made.${n.field};\n`,
    },
    harmless: {
      "src/added.ts": `import { ${n.noun} } from "./${n.file}";\n\nconst made = { ${n.field}: new ${n.noun}() };\nexport const added = made.${n.field};\n`,
    },
  }),
  (n) => ({
    shape: "renamed value of an enum and new use",
    base: { [`src/${n.file}.ts`]: `export enum ${n.noun} {\n  First,\n  Second,\n}\n` },
    ours: { [`src/${n.file}.ts`]: `export enum ${n.noun} {\n  First,\n  Other,\n}\n` },
    theirs: { "src/added.ts": `import * as all from "./${n.file}";\n\nexport const added = all.${n.noun}.Second;\n` },
    harmless: { "src/added.ts": `import * as all from "./${n.file}";\n\nexport const added = all.${n.noun}.First;\n` },
  }),
];
