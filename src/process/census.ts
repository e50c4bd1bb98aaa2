/**
 * Looks for the processes of attempts, for all who ask at the same moment in one pass over the process table: many that
 * die together are noticed as soon as one.
 *
 * idle → gathering (somebody has asked) → one pass, at the end of the turn, → idle
 *
 * Invariant: the pass that answers a question begins after the question.
 */
import type { ProcessStat } from "./identity.ts";
import { findMarked, type ProcessMark } from "./table.ts";

interface Question {
  readonly mark: ProcessMark;
  readonly answer: (found: readonly ProcessStat[]) => void;
  readonly fail: (cause: unknown) => void;
}

let gathered: Question[] = [];

/** Every live process that carries a mark, except this one. */
export function lookForMarked(mark: ProcessMark): Promise<readonly ProcessStat[]> {
  return new Promise((answer, fail) => {
    gathered.push({ mark, answer, fail });
    if (gathered.length === 1) setImmediate(look);
  });
}

function look(): void {
  const questions = gathered;
  gathered = [];
  try {
    const found = findMarked(questions.map(({ mark }) => mark));
    for (const [place, { answer }] of questions.entries()) answer(found[place] ?? []);
  } catch (cause) {
    // No file can be opened, for instance.
    for (const { fail } of questions) fail(cause);
  }
}
