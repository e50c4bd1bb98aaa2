import pc from "picocolors";

import { printableJson } from "../base/printable.ts";

/** What a command may print to, and how. */
export interface Terminal {
  /** The answer goes here. */
  readonly out: (text: string) => void;
  /** The story goes here: progress, notes, errors. */
  readonly err: (text: string) => void;
  readonly colour: Colours;
  readonly errorColour: Colours;
  /** Whether the answer is one JSON document. */
  readonly json: boolean;
  /** Whether the answer is one record a line, without decoration. */
  readonly plain: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** How progress is shown. */
  readonly progress: "tty" | "plain" | "json" | "none";
}

/** Functions that colour a text, or leave it as it is. */
export type Colours = ReturnType<typeof pc.createColors>;

/** The options every command has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly plain?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
  readonly debug?: boolean;
  readonly progress?: string;
  readonly home?: string;
}

/** Finds out what the terminal can do and what the user wants. */
export function openTerminal(options: CommonOptions, environment: NodeJS.ProcessEnv): Terminal {
  // A reader that has seen enough (head, less) closes the pipe; that is no error.
  process.stdout.on("error", endOnClosedPipe);
  const wanted = options.color !== false && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    colour: pc.createColors(wanted && process.stdout.isTTY === true),
    errorColour: pc.createColors(wanted && process.stderr.isTTY === true),
    json: options.json === true,
    plain: options.plain === true,
    quiet: options.quiet === true,
    debug: options.debug === true,
    progress: progressFor(options, environment),
  };
}

function progressFor(options: CommonOptions, environment: NodeJS.ProcessEnv): Terminal["progress"] {
  const asked = options.progress ?? environment["ANABRANCH_PROGRESS"];
  if (asked === "tty" || asked === "plain" || asked === "json" || asked === "none") return asked;
  if (options.quiet === true || options.json === true) return "none";
  const live =
    process.stdout.isTTY === true &&
    process.stderr.isTTY === true &&
    !environment["CI"] &&
    environment["TERM"] !== "dumb";
  return live ? "tty" : "plain";
}

function endOnClosedPipe(cause: NodeJS.ErrnoException): void {
  if (cause.code === "EPIPE") process.exit(0);
  throw cause;
}

/** Prints an answer: as one JSON document where that is wanted, else as text. */
export function answer(terminal: Terminal, data: unknown, text: () => string): void {
  if (terminal.json) terminal.out(`${printableJson({ v: 1, ok: true, data })}\n`);
  else {
    const written = text();
    if (written !== "") terminal.out(written.endsWith("\n") ? written : `${written}\n`);
  }
}

/** Resolves when everything printed so far has been handed on. */
export function printed(): Promise<void> {
  return new Promise((resolve) => process.stdout.write("", () => resolve()));
}
