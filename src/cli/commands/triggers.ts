import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";

import { AnabranchError, systemCodeOf } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { CommandRequest } from "../../protocol/commands.ts";
import type { TriggerSetView } from "../../protocol/commands/triggers.ts";
import type { CommandAction } from "../command.ts";
import { plural } from "../format.ts";
import { withSession, type Session } from "../session.ts";
import { answer, type Terminal } from "../terminal.ts";
import { formatAgreement, formatTrials, formatTrigger, formatTriggers } from "../trigger-text.ts";

/** What the commands about triggers are given. */
export interface TriggerOptions {
  readonly yes?: boolean;
}

type Work = (session: Session, name: string, options: TriggerOptions) => Promise<void>;

const WORKS: Readonly<Record<string, Work>> = {
  ls: list,
  show,
  test: tryEvent,
  enable,
  disable,
  pause: (session, name) => pause(session, name, true),
  resume: (session, name) => pause(session, name, false),
};

/** `anabranch triggers`: shows triggers, agrees to them, and holds them. The first argument says which. */
export const action: CommandAction<TriggerOptions> = (args, options) =>
  withSession(options, async (session) => {
    const [word = "ls", name = ""] = args;
    await (WORKS[word] ?? list)(session, name, options);
    return 0;
  });

async function list({ anabranch, terminal, directory }: Session): Promise<void> {
  const set = await anabranch.ask("triggers", { directory });
  answer(terminal, set, () => formatTriggers(set, terminal));
}

async function show({ anabranch, terminal, directory }: Session, name: string): Promise<void> {
  const shown = await anabranch.ask("triggers-show", { directory, name });
  answer(terminal, shown, () => formatTrigger(shown, terminal));
}

async function tryEvent({ anabranch, terminal, directory }: Session, path: string): Promise<void> {
  const event = parseEvent(path, await readEvent(path));
  const trials = await anabranch.ask("triggers-test", { directory, event });
  answer(terminal, trials, () => formatTrials(trials, terminal));
}

async function readEvent(path: string): Promise<string> {
  if (path === "-") return text(process.stdin);
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new AnabranchError("USAGE", {
      message: `${path} cannot be read: ${systemCodeOf(cause) ?? String(cause)}`,
      hint: "anabranch triggers test EVENT.json, or - for standard input",
      cause,
    });
  });
}

// What `events --json` prints of an event will do as it is.
function parseEvent(path: string, json: string): CommandRequest<"triggers-test">["event"] {
  try {
    const event = JSON.parse(json) as { readonly type?: unknown } | null;
    if (typeof event?.type === "string") return event as CommandRequest<"triggers-test">["event"];
  } catch {
    // It is told below.
  }
  throw new AnabranchError("EVENT_INVALID", {
    message: `${path} holds no event: a JSON object with a type, and data where it has any`,
    hint: `echo '{"type": "files.changed", "data": {"paths": [{"path": "src/a.ts", "change": "changed"}]}}' | anabranch triggers test -`,
  });
}

async function enable(session: Session, _name: string, { yes }: TriggerOptions): Promise<void> {
  const { anabranch, terminal, directory, environment } = session;
  const seen = await anabranch.ask("triggers", { directory });
  if (seen.state !== "enabled" && seen.contentHash !== undefined && seen.triggers.length > 0 && yes !== true) {
    await confirm(seen, terminal);
  }
  const set = await anabranch.ask("triggers-enable", {
    directory,
    environment: Object.fromEntries(
      Object.entries(environment).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    contentHash: seen.contentHash ?? "",
  });
  answer(terminal, set, () => {
    if (terminal.plain) return formatTriggers(set, terminal);
    return `${plural(set.triggers.length, "trigger")} of ${printable(set.root)} will act, as long as the file stays as it is:\n${formatAgreement(set, terminal)}`;
  });
}

/**
 * Asks whoever sits there.
 * @throws {AnabranchError} `TRIGGERS_UNTRUSTED` when the answer is no, `USAGE` when nobody sits there
 */
async function confirm(set: TriggerSetView, { err, errorColour }: Terminal): Promise<void> {
  const shown = formatAgreement(set, { colour: errorColour });
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    err(`${shown}\n`);
    throw new AnabranchError("USAGE", {
      message: `the triggers of ${printable(set.root)} must be agreed to, and there is no terminal to ask on`,
      hint: "look at them (above), then say so: anabranch triggers enable --yes",
    });
  }
  err(`${shown}\n`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const said = await terminal.question("May they act? [y/N] ").finally(() => terminal.close());
  if (/^y(es)?$/i.test(said.trim())) return;
  throw new AnabranchError("TRIGGERS_UNTRUSTED", {
    message: "the triggers stay as they were",
    hint: "anabranch triggers ls",
  });
}

async function disable({ anabranch, terminal, directory }: Session): Promise<void> {
  const set = await anabranch.ask("triggers-disable", { directory });
  answer(terminal, set, () => formatTriggers(set, terminal));
}

async function pause({ anabranch, terminal, directory }: Session, name: string, paused: boolean): Promise<void> {
  const set = await anabranch.ask("triggers-pause", { directory, name, paused });
  answer(terminal, set, () => formatTriggers(set, terminal));
}
