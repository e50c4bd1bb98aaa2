import { beforeAll, describe, expect, it } from "vitest";

import { Grammars } from "../../../../src/grammars/grammars.ts";
import { findSourceLosses } from "../../../../src/merge/conservation/source-losses.ts";
import type { Language } from "../../../../src/merge/language.ts";
import type { PieceVersions } from "../../../../src/merge/resolution.ts";
import {
  fullMergedProgram,
  LANGUAGES,
  writeProgram,
  type Call,
  type Program,
  type ProgramFunction,
} from "../../../fixtures/merged-sources.ts";

const parsers = new Grammars();

beforeAll(async () => {
  for (const language of LANGUAGES) await parsers.load(language);
});

function lossesIn(language: Language, versions: PieceVersions, result: string): string[] {
  const check = { path: "program", language, versions, result, drops: [], parsers };
  return findSourceLosses(check).map(({ kind, detail }) => `${kind} ${detail}`);
}

interface Mutant {
  readonly what: string;
  readonly text: string;
}

/** Those that nothing is said about, each of which may stay unnoticed: they change nothing that anybody wrote. */
function unnoticed(language: Language, mutants: readonly Mutant[]): string[] {
  const { versions, merged } = fullMergedProgram(language);
  const real = mutants.filter(({ text }) => text !== merged);
  expect(real.length).toBeGreaterThan(0);
  return real.filter(({ text }) => lossesIn(language, versions, text).length === 0).map(({ what }) => what);
}

function linesOf(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

function textOf(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

describe.each(LANGUAGES)("a merge of %s", (language) => {
  const { versions, merged, programs } = fullMergedProgram(language);
  const written = (program: Program): string => writeProgram(language, program);
  const functionsWith = (at: number, calls: readonly Call[]): Program => ({
    ...programs.merged,
    functions: programs.merged.functions.with(at, { ...(programs.merged.functions[at] as ProgramFunction), calls }),
  });

  it("that is right lacks nothing", () => {
    expect(lossesIn(language, versions, merged)).toEqual([]);
  });

  it("is noticed to be without any one line, also one that says nothing by itself", () => {
    const lines = linesOf(merged);
    const mutants = lines.flatMap((line, at) =>
      line.trim() === "" ? [] : [{ what: `without line ${at}: ${line}`, text: textOf(lines.toSpliced(at, 1)) }],
    );
    expect(mutants.length).toBeGreaterThan(25);
    expect(unnoticed(language, mutants)).toEqual([]);
  });

  it("is noticed to have any one line twice", () => {
    const lines = linesOf(merged);
    const mutants = lines.flatMap((line, at) =>
      line.trim() === "" ? [] : [{ what: `twice line ${at}: ${line}`, text: textOf(lines.toSpliced(at, 0, line)) }],
    );
    expect(unnoticed(language, mutants)).toEqual([]);
  });

  it("is noticed to have back what a side deleted or replaced, wherever that is put", () => {
    const mutants: Mutant[] = [];
    for (const [at, { calls }] of programs.merged.functions.entries()) {
      const before = programs.base.functions[at]?.calls ?? [];
      const gone = before.filter((call) => !calls.some((one) => JSON.stringify(one) === JSON.stringify(call)));
      for (const call of gone) {
        for (let place = 0; place <= calls.length; place += 1) {
          const text = written(functionsWith(at, calls.toSpliced(place, 0, call)));
          mutants.push({ what: `${call.name} back in ${at} at ${place}`, text });
        }
      }
    }
    expect(mutants.length).toBeGreaterThan(50);
    expect(unnoticed(language, mutants)).toEqual([]);
  });

  it("is noticed to have any one edit undone", () => {
    const mutants: Mutant[] = [];
    for (const [at, { calls }] of programs.merged.functions.entries()) {
      const before = new Map((programs.base.functions[at]?.calls ?? []).map((call) => [call.words[0], call]));
      for (const [place, call] of calls.entries()) {
        const original = before.get(call.words[0]);
        if (original === undefined) continue;
        for (const undone of [original, { ...call, name: original.name }, { ...call, words: original.words }]) {
          mutants.push({ what: `${call.name} undone`, text: written(functionsWith(at, calls.with(place, undone))) });
        }
      }
    }
    expect(unnoticed(language, mutants)).toEqual([]);
  });

  it("is noticed to have any one word of an edit changed into one that a version has elsewhere", () => {
    const mutants: Mutant[] = [];
    const words = ["alpha00", "beta05", "report", "oursExtra", "theirsExtra", "unheardOf"];
    for (const [at, { calls }] of programs.merged.functions.entries()) {
      for (const [place, call] of calls.entries()) {
        for (const word of words) {
          for (const inCall of call.words.keys()) {
            const changed = { ...call, words: call.words.with(inCall, word) };
            const text = written(functionsWith(at, calls.with(place, changed)));
            mutants.push({ what: `${call.name}: ${call.words.join()} with ${word}`, text });
          }
        }
      }
    }
    expect(mutants.length).toBeGreaterThan(100);
    expect(unnoticed(language, mutants)).toEqual([]);
  });

  it("is noticed to have a line in another function than the one that it was put into", () => {
    const mutants: Mutant[] = [];
    const { functions } = programs.merged;
    for (const [from, { calls }] of functions.entries()) {
      for (const [place, call] of calls.entries()) {
        for (const [to, target] of functions.entries()) {
          if (from === to) continue;
          const moved = functions
            .with(from, { name: functions[from]?.name ?? "", calls: calls.toSpliced(place, 1) })
            .with(to, { ...target, calls: [...target.calls, call] });
          const text = written({ ...programs.merged, functions: moved });
          mutants.push({ what: `${call.name} from ${from} in ${to}`, text });
        }
      }
    }
    expect(mutants.length).toBeGreaterThan(50);
    expect(unnoticed(language, mutants)).toEqual([]);
  });

  it("is noticed to be one of the versions, or to have markers", () => {
    const mutants = [
      { what: "base", text: versions.base },
      { what: "ours", text: versions.ours },
      { what: "theirs", text: versions.theirs },
      { what: "markers", text: `<<<<<<< ours\n${merged}=======\n${merged}>>>>>>> theirs\n` },
    ];
    expect(unnoticed(language, mutants)).toEqual([]);
  });

  it("is noticed to have a function twice", () => {
    const { functions } = programs.merged;
    const mutants = functions.map((one, at) => ({
      what: one.name,
      text: written({ ...programs.merged, functions: functions.toSpliced(at, 0, one) }),
    }));
    expect(unnoticed(language, mutants)).toEqual([]);
  });
});
