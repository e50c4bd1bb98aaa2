import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";

import type { CancelTimer, Clock } from "../base/clock.ts";
import { AnabranchError } from "../base/errors.ts";

/**
 * A long-lived program that answers questions in order: it saves a process start per question.
 *
 * States: `absent` → (first question) `talking` → (idle for a while, or it ends) `absent`.
 * A question that meets the program's end is rejected with what the program said last; the next one starts it anew.
 */
export interface Conversation {
  /**
   * Writes `question` and resolves with the answer's `lineCount` lines.
   * @throws {AnabranchError} `GIT_FAILED` with the program's last words when it ends before it answered.
   */
  ask(question: string, lineCount: number): Promise<string[]>;
  /** Ends the program and resolves when it is gone. */
  close(): Promise<void>;
}

/** The program behind a conversation. */
export interface ConversationProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly idleMs?: number;
}

interface OpenQuestion {
  readonly lineCount: number;
  readonly lines: string[];
  readonly resolve: (lines: string[]) => void;
  readonly reject: (error: AnabranchError) => void;
}

const DEFAULT_IDLE_MS = 20_000;
const LAST_WORDS_BYTES = 4096;

/** A conversation with a program that is started by the first question. */
export function openConversation(program: ConversationProgram): Conversation {
  let child: ChildProcessWithoutNullStreams | undefined;
  let gone: Promise<void> = Promise.resolve();
  let open: OpenQuestion[] = [];
  let cancelIdle: CancelTimer = () => undefined;

  const start = (): ChildProcessWithoutNullStreams => {
    const started = spawn(program.program, [...program.args], {
      cwd: program.cwd,
      env: program.environment,
      stdio: "pipe",
    });
    let rest = "";
    let lastWords = "";
    const questions: OpenQuestion[] = [];
    open = questions;
    child = started;
    started.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) takeLine(questions, line);
    });
    started.stderr.setEncoding("utf8").on("data", (text: string) => {
      lastWords = (lastWords + text).slice(-LAST_WORDS_BYTES);
    });
    started.stdin.on("error", () => undefined);
    gone = new Promise((resolve) => {
      const end = (words: string): void => {
        if (child === started) child = undefined;
        for (const question of questions.splice(0)) question.reject(endedEarly(program, words));
        resolve();
      };
      started.once("error", (cause) => end(String(cause)));
      started.once("close", () => end(lastWords.trim()));
    });
    return started;
  };

  const close = async (): Promise<void> => {
    cancelIdle();
    child?.stdin.end();
    child = undefined;
    await gone;
  };

  return {
    close,
    ask(question, lineCount) {
      cancelIdle();
      const talking = child ?? start();
      return new Promise((resolve, reject) => {
        open.push({ lineCount, lines: [], resolve, reject });
        talking.stdin.write(question);
        cancelIdle = program.clock.after(program.idleMs ?? DEFAULT_IDLE_MS, () => void close());
      });
    },
  };
}

function takeLine(questions: OpenQuestion[], line: string): void {
  const question = questions[0];
  if (question === undefined) return;
  question.lines.push(line);
  if (question.lines.length < question.lineCount) return;
  questions.shift();
  question.resolve(question.lines);
}

function endedEarly(program: ConversationProgram, words: string): AnabranchError {
  return new AnabranchError("GIT_FAILED", {
    message: `${program.program} ${program.args[0] ?? ""}: ${words === "" ? "ended without an answer" : words}`,
    data: { words },
  });
}
