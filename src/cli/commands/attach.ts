import { isAnabranchError } from "../../base/errors.ts";
import { LineCutter } from "../../base/lines.ts";
import { printable, printableJson, printableWithColour } from "../../base/printable.ts";
import type { Anabranch } from "../../sdk/anabranch.ts";
import { writeOut } from "../bytes.ts";
import type { CommandAction } from "../command.ts";
import { followRun, listenForKeys } from "../follow.ts";
import { wholeNumber, withSession, type Session } from "../session.ts";
import { answer, type Terminal } from "../terminal.ts";
import { exitCodeOf, reportText } from "./run.ts";

/** `anabranch attach`: shows a run, or what a task prints, while it goes on; leaving it changes nothing. */
export const action: CommandAction<{ readonly lines: string }> = (args, options) =>
  withSession(options, (session) => {
    const id = args[0] ?? "";
    return id.includes("/") ? attachTask(session, id, wholeNumber(options.lines, "--lines")) : attachRun(session, id);
  });

async function attachRun({ anabranch, terminal, directory }: Session, id: string): Promise<number> {
  const starting = anabranch.ask("show", { id, directory });
  const { run, detached } = await followRun(anabranch, terminal, starting, true);
  if (detached) {
    leave(terminal, run.id);
    return 0;
  }
  answer(terminal, run, () => reportText(terminal, run));
  return exitCodeOf(run);
}

async function attachTask({ anabranch, terminal, directory }: Session, id: string, lines: number): Promise<number> {
  const left = new AbortController();
  const release = listenForKeys(
    terminal,
    () => left.abort(),
    () => left.abort(),
  );
  try {
    await printLines(anabranch, terminal, { id, directory, follow: true, lastLines: lines }, left.signal);
  } finally {
    release();
  }
  if (left.signal.aborted) {
    leave(terminal, id);
    return 0;
  }
  const [end] = await anabranch.wait(id, { directory });
  terminal.err(`${id} ${end?.outcome ?? "ended"}\n`);
  return end?.outcome === "succeeded" ? 0 : 1;
}

interface Followed {
  readonly id: string;
  readonly directory: string;
  readonly follow: true;
  readonly lastLines: number;
}

/** Prints the lines of a task as they come, also those after a restart of the daemon. */
async function printLines(
  anabranch: Anabranch,
  terminal: Terminal,
  request: Followed,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const cutter = new LineCutter();
    try {
      for await (const { data } of anabranch.stream("logs", request, signal)) {
        for (const line of cutter.push(Buffer.from(data.bytes, "base64"))) await writeLine(terminal, line);
      }
      for (const line of cutter.end()) await writeLine(terminal, line);
      return;
    } catch (cause) {
      if (signal.aborted) return;
      if (!isAnabranchError(cause) || cause.code !== "DAEMON_UNREACHABLE") throw cause;
      terminal.err("the daemon has gone; asking the next one (lines may come twice)\n");
      await anabranch.ask("status", {});
    }
  }
}

function writeLine({ json, colour }: Terminal, line: string): Promise<void> {
  const text = colour.isColorSupported ? printableWithColour(line) : printable(line);
  return writeOut(`${json ? printableJson({ text: line }) : text}\n`);
}

function leave(terminal: Terminal, id: string): void {
  if (!terminal.quiet) terminal.err(`${id} goes on; anabranch attach ${id}, anabranch cancel ${id}\n`);
}
