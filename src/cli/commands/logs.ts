import { LineCutter } from "../../base/lines.ts";
import { printableWithColour, printable } from "../../base/printable.ts";
import type { CommandAction } from "../command.ts";
import { wholeNumber, withSession } from "../session.ts";
import type { Terminal } from "../terminal.ts";

/** What `anabranch logs` is given. */
interface LogsOptions {
  readonly follow?: boolean;
  readonly output?: boolean;
  readonly attempt?: string;
  readonly raw?: boolean;
}

/** `anabranch logs`: prints what tasks printed, with control characters taken out unless asked for. */
export const action: CommandAction<LogsOptions> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const request = {
      id: args[0] ?? "",
      directory,
      ...(options.follow === true ? { follow: true } : {}),
      ...(options.output === true ? { output: true } : {}),
      ...(options.attempt === undefined ? {} : { attempt: wholeNumber(options.attempt, "--attempt") }),
    };
    const print = options.raw === true || options.output === true ? rawPrinter() : linePrinter(terminal);
    for await (const { data } of anabranch.stream("logs", request))
      await print.piece(Buffer.from(data.bytes, "base64"), data.task);
    await print.end();
    return 0;
  });

interface Printer {
  piece(bytes: Buffer, task: string | undefined): Promise<void>;
  end(): Promise<void>;
}

function rawPrinter(): Printer {
  return { piece: (bytes) => writeOut(bytes), end: () => Promise.resolve() };
}

function linePrinter(terminal: Terminal): Printer {
  const cutters = new Map<string | undefined, LineCutter>();
  const print = async (task: string | undefined, lines: readonly string[]): Promise<void> => {
    if (lines.length === 0) return;
    const text = lines.map((line) => formatLine(terminal, task, line)).join("\n");
    await writeOut(`${text}\n`);
  };
  return {
    piece(bytes, task) {
      const cutter = cutters.get(task) ?? new LineCutter();
      cutters.set(task, cutter);
      return print(task, cutter.push(bytes));
    },
    async end() {
      for (const [task, cutter] of cutters) await print(task, cutter.end());
    },
  };
}

function formatLine({ json, colour }: Terminal, task: string | undefined, line: string): string {
  if (json) return JSON.stringify({ ...(task === undefined ? {} : { task }), text: line });
  const text = colour.isColorSupported ? printableWithColour(line) : printable(line);
  return task === undefined ? text : `${colour.dim(`${task} |`)} ${text}`;
}

// A reader that is slower than the log must not make it pile up here.
function writeOut(bytes: Buffer | string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(bytes, () => resolve()));
}
