import { describe, expect, it } from "vitest";

import type { Clock } from "../../../src/base/clock.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { Grammars } from "../../../src/grammars/grammars.ts";

const LONG = "a(b, [c, d]);\n".repeat(20_000);

describe("grammars", () => {
  it("parse nothing of a language that is not loaded", () => {
    expect(new Grammars().parse("go", "package a\n")).toBeUndefined();
  });

  it("read JavaScript with types as what it is, marked or not", async () => {
    const grammars = await load();
    expect(languageOf(grammars, "const a: string = b;\n")).toBe("tsx");
    expect(languageOf(grammars, "// @flow\nconst a = b;\n")).toBe("tsx");
    expect(languageOf(grammars, "const a = b;\n")).toBe("javascript");
    expect(languageOf(grammars, "const a = = b;\n")).toBe("tsx");
  });

  it("read a text as the one that it is like was read", async () => {
    const grammars = await load();
    const near = grammars.parse("javascript", "const a: string = b;\n");
    const parsed = grammars.parse("javascript", "const a = b;\n", near);
    expect(parsed?.language).toBe("tsx");
    near?.tree.delete();
    parsed?.tree.delete();
  });

  it("give up a text that takes longer than the limit, and read the next one from its start", async () => {
    let now = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => (now += 1) };
    const grammars = await load({ clock, limitMs: 300 });
    expect(grammars.parse("javascript", LONG)).toBeUndefined();
    const parsed = grammars.parse("javascript", "a;\n");
    expect(parsed?.tree.rootNode.toString()).toBe("(program (expression_statement (identifier)))");
    parsed?.tree.delete();
  });
});

async function load(options?: ConstructorParameters<typeof Grammars>[0]): Promise<Grammars> {
  const grammars = new Grammars(options);
  await grammars.load("javascript");
  return grammars;
}

function languageOf(grammars: Grammars, text: string): string | undefined {
  const parsed = grammars.parse("javascript", text);
  parsed?.tree.delete();
  return parsed?.language;
}
