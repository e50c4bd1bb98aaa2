import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";

import type { CancelTimer, Clock } from "../base/clock.ts";
import { AnabranchError } from "../base/errors.ts";
import { ByteQueue } from "./byte-queue.ts";

/**
 * A long-lived program that answers questions in order: it saves a process start per question.
 *
 * States: `absent` → (first question) `talking` → (idle for a while, or it ends) `absent`.
 * A question that meets the program's end is rejected with what the program said last; the next one starts it anew.
 * A program that says what cannot be an answer is killed, since where the next answer begins is unknown then.
 */
export interface Conversation {
  /**
   * Writes `question` and resolves with the answer's `lineCount` lines.
   * @throws {AnabranchError} `GIT_FAILED` with the program's last words when it ends before it answered.
   */
  ask(question: string, lineCount: number): Promise<string[]>;
  /**
   * Writes `question` and resolves with the bytes of its answer, which ends where `measure` says.
   * @throws {AnabranchError} `GIT_FAILED` as above, and for an answer larger than 256 MiB.
   */
  exchange(question: string | Uint8Array, measure: Measure): Promise<Buffer>;
  /** Ends the program and resolves when it is gone. */
  close(): Promise<void>;
}

/**
 * Looks at what has come of an answer and returns how many bytes it has in all, or `undefined` while that cannot be
 * told. It is called with more each time, so it may remember how far it looked. It throws at what is no answer.
 */
export type Measure = (received: Buffer) => number | undefined;

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
  readonly measure: Measure;
  /** Once it is known. */
  sizeBytes: number | undefined;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: AnabranchError) => void;
}

const DEFAULT_IDLE_MS = 20_000;
const LAST_WORDS_BYTES = 4096;
const LARGEST_ANSWER_BYTES = 256 * 1024 * 1024;

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
    let lastWords = "";
    const received = new ByteQueue();
    const questions: OpenQuestion[] = [];
    open = questions;
    child = started;
    started.stdout.on("data", (piece: Buffer) => {
      received.push(piece);
      try {
        takeAnswers(questions, received);
      } catch (cause) {
        lastWords = cause instanceof Error ? cause.message : String(cause);
        if (child === started) child = undefined;
        started.stdout.removeAllListeners("data").resume();
        started.kill("SIGKILL");
      }
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

  const exchange: Conversation["exchange"] = (question, measure) => {
    cancelIdle();
    const talking = child ?? start();
    return new Promise((resolve, reject) => {
      open.push({ measure, sizeBytes: undefined, resolve, reject });
      talking.stdin.write(question);
      cancelIdle = program.clock.after(program.idleMs ?? DEFAULT_IDLE_MS, () => void close());
    });
  };

  return {
    close,
    exchange,
    async ask(question, lineCount) {
      const answer = await exchange(question, measureLines(lineCount));
      return answer.toString("utf8").split("\n").slice(0, lineCount);
    },
  };
}

function takeAnswers(questions: OpenQuestion[], received: ByteQueue): void {
  for (let question = questions[0]; question !== undefined; question = questions[0]) {
    question.sizeBytes ??= question.measure(received.bytes());
    const { sizeBytes } = question;
    if (Math.max(sizeBytes ?? 0, received.sizeBytes) > LARGEST_ANSWER_BYTES) throw new Error("its answer is too large");
    if (sizeBytes === undefined || received.sizeBytes < sizeBytes) return;
    questions.shift();
    question.resolve(received.take(sizeBytes));
  }
}

function measureLines(lineCount: number): Measure {
  let [seen, from] = [0, 0];
  return (received) => {
    for (; seen < lineCount; seen += 1) {
      const at = received.indexOf(0x0a, from);
      if (at < 0) return undefined;
      from = at + 1;
    }
    return from;
  };
}

function endedEarly(program: ConversationProgram, words: string): AnabranchError {
  return new AnabranchError("GIT_FAILED", {
    message: `${program.program} ${program.args[0] ?? ""}: ${words === "" ? "ended without an answer" : words}`,
    data: { words },
  });
}
