import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

import { Grammars } from "../../../src/grammars/grammars.ts";
import { mergeFile } from "../../../src/merge/file.ts";
import { languageOf } from "../../../src/merge/language.ts";

interface Example {
  readonly path: string;
  /** A class, or `conflict`. */
  readonly answer: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly merged: string | undefined;
}

const DOCUMENT = readFileSync(resolve(import.meta.dirname, "../../../docs/merging.md"), "utf8");

function readExamples(): Example[] {
  return [...DOCUMENT.matchAll(/^```merge (\S+) (\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, path = "", answer = "", text = ""]) => {
      const parts = new Map(
        text
          .split(/^--- /m)
          .slice(1)
          .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
      );
      const [base = "", ours = "", theirs = ""] = ["base", "ours", "theirs"].map((name) => parts.get(name));
      return { path, answer, base, ours, theirs, merged: parts.get("merged") };
    },
  );
}

describe("docs/merging.md", () => {
  const grammars = new Grammars();
  const examples = readExamples();

  beforeAll(async () => {
    for (const { path } of examples) {
      const language = languageOf(path);
      if (language !== undefined) await grammars.load(language);
    }
  });

  it("has examples of every class and of conflicts", () => {
    expect(new Set(examples.map(({ answer }) => answer))).toEqual(new Set(["A", "B", "C", "D", "conflict"]));
  });

  it.each(examples.map((example, at) => [at + 1, example] as const))(
    "shows in example %i what happens",
    (_at, example) => {
      const { path, answer, merged, ...versions } = example;
      const merge = mergeFile({ path, versions, policy: "text", parsers: grammars });
      expect(merge.status === "merged" ? merge.class : "conflict").toBe(answer);
      expect(merge.status === "merged" ? merge.text : undefined).toBe(merged);
      // Whoever lands second gets the same answer.
      const swapped = { base: versions.base, ours: versions.theirs, theirs: versions.ours };
      expect(mergeFile({ path, versions: swapped, policy: "text", parsers: grammars }).status).toBe(merge.status);
    },
  );

  it("names every policy that the engine has, and no other", () => {
    const source = resolve(import.meta.dirname, "../../../src/merge");
    const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
    const known = files.flatMap((path) => [
      ...readFileSync(resolve(source, path), "utf8").matchAll(/"(policy:[a-z-]+)"/g),
    ]);
    const named = [...DOCUMENT.matchAll(/^\| `(policy:[a-z-]+)`/gm)];
    const namesOf = (matches: readonly RegExpMatchArray[]): Set<string | undefined> =>
      new Set(matches.map(([, name]) => name));
    expect(namesOf(named)).toEqual(namesOf(known));
  });
});
