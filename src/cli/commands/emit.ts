import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

import { systemClock } from "../../base/clock.ts";
import { AnabranchError, systemCodeOf } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { CommandResponse } from "../../protocol/commands.ts";
import type { CommandAction } from "../command.ts";
import { formatDuration } from "../format.ts";
import { durationOption, withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** What `anabranch emit` is given. */
interface EmitOptions {
  readonly data?: string;
  readonly key?: string;
  readonly in?: string;
  readonly at?: string;
}

/** `anabranch emit`: appends an event of one's own. */
export const action: CommandAction<EmitOptions> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const [name = ""] = args;
    const when = whenOf(options);
    const data = options.data === undefined ? {} : parseData(name, await readData(options.data));
    const emitted = await anabranch.emit(name, data as Readonly<Record<string, unknown>>, {
      directory,
      ...(options.key === undefined ? {} : { key: options.key }),
      ...when,
    });
    answer(terminal, emitted, () => formatEmitted(emitted, terminal.plain));
    return 0;
  });

function whenOf(options: EmitOptions): { readonly inMs?: number; readonly at?: Date } {
  if (options.in !== undefined && options.at !== undefined) {
    throw new AnabranchError("USAGE", { message: "--in and --at exclude each other", hint: "give one of them" });
  }
  if (options.in !== undefined) return { inMs: durationOption(options.in, "--in") };
  if (options.at === undefined) return {};
  const at = new Date(options.at);
  if (/^\d{4}-\d\d-\d\d/.test(options.at) && !Number.isNaN(at.getTime())) return { at };
  throw new AnabranchError("USAGE", {
    message: `--at takes a time such as 2027-01-31T09:00:00Z, not ${JSON.stringify(options.at)}`,
    hint: "--at 2027-01-31T09:00:00Z",
  });
}

async function readData(given: string): Promise<string> {
  if (given === "-") return text(process.stdin);
  if (!given.startsWith("@")) return given;
  const path = given.slice(1);
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new AnabranchError("USAGE", {
      message: `${path} cannot be read: ${systemCodeOf(cause) ?? String(cause)}`,
      hint: "--data @FILE",
      cause,
    });
  });
}

function parseData(name: string, json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (cause) {
    throw new AnabranchError("EVENT_INVALID", {
      message: `the data of event ${name} are no JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: `anabranch emit ${name} --data '{"stage": "beta"}'`,
      cause,
    });
  }
}

function formatEmitted({ type, seq, already, dueMs }: CommandResponse<"emit">, plain: boolean): string {
  if (plain) return [printable(type), seq ?? "", dueMs ?? ""].join("\t");
  if (already) return `${printable(type)} was there already`;
  if (dueMs === undefined) return `${printable(type)}: event ${seq}`;
  return `${printable(type)} in ${formatDuration(dueMs - systemClock.wallMs())}`;
}
