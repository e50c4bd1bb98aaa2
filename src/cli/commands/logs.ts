import { LineCutter } from "../../base/lines.ts";
import { printable, printableJson, printableWithColour } from "../../base/printable.ts";
import { openByteSink, writeOut, type ByteSink } from "../bytes.ts";
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
    const print = printerFor(options, terminal);
    for await (const { data } of anabranch.stream("logs", request))
      await print.piece(Buffer.from(data.bytes, "base64"), data.task);
    await print.end();
    return 0;
  });

interface Printer {
  piece(bytes: Buffer, task: string | undefined): Promise<void>;
  end(): Promise<void>;
}

function printerFor(options: LogsOptions, terminal: Terminal): Printer {
  if (terminal.json && options.follow !== true) return documentPrinter();
  if (options.raw === true) return bytePrinter({ write: writeOut, end: () => Promise.resolve() });
  return options.output === true ? bytePrinter(openByteSink(terminal)) : linePrinter(terminal);
}

/** One JSON document, written as it comes: a log may be larger than the memory should be. */
function documentPrinter(): Printer {
  let head = '{"v":1,"ok":true,"data":[';
  const lines = byLine(async (task, texts) => {
    for (const text of texts) {
      await writeOut(head + jsonLine(task, text));
      head = ",";
    }
  });
  return {
    piece: (bytes, task) => lines.piece(bytes, task),
    async end() {
      await lines.end();
      await writeOut(`${head === "," ? "" : head}]}\n`);
    },
  };
}

function bytePrinter(sink: ByteSink): Printer {
  return { piece: (bytes) => sink.write(bytes), end: () => sink.end() };
}

function linePrinter(terminal: Terminal): Printer {
  return byLine(async (task, lines) => {
    if (lines.length === 0) return;
    const text = lines.map((line) => formatLine(terminal, task, line)).join("\n");
    await writeOut(`${text}\n`);
  });
}

function byLine(print: (task: string | undefined, lines: readonly string[]) => Promise<void>): Printer {
  const cutters = new Map<string | undefined, LineCutter>();
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
  if (json) return jsonLine(task, line);
  const text = colour.isColorSupported ? printableWithColour(line) : printable(line);
  return task === undefined ? text : `${colour.dim(`${task} |`)} ${text}`;
}

function jsonLine(task: string | undefined, text: string): string {
  return printableJson({ ...(task === undefined ? {} : { task }), text });
}
