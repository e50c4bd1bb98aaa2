import { EXIT_CODES } from "../base/error-codes.ts";
import { toAnabranchError } from "../base/errors.ts";
import { printable, printableJson } from "../base/printable.ts";
import type { Terminal } from "./terminal.ts";

/** Prints an error in at most five lines (or as JSON) and returns the exit code of its kind. */
export function printFailure(terminal: Terminal, cause: unknown): number {
  const error = toAnabranchError(cause);
  if (terminal.json) terminal.out(`${printableJson({ v: 1, ok: false, error: error.toJSON() })}\n`);
  else if (error.code !== "INTERRUPTED") {
    const { red, bold, dim } = terminal.errorColour;
    const [first = "", ...more] = printable(error.message.replaceAll("\n", " ")).match(/.{1,400}/gu) ?? [];
    terminal.err(`${bold(red("error:"))} ${first}${more.length > 0 ? "…" : ""}\n`);
    if (error.hint !== undefined) terminal.err(`  ${bold("fix:")} ${printable(error.hint)}\n`);
    terminal.err(dim(`  ${error.code}: docs/errors.md#${error.code.toLowerCase()}\n`));
  }
  if (terminal.debug) terminal.err(`${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
  return EXIT_CODES[error.kind];
}
