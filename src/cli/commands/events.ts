import { systemClock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import { printableJson } from "../../base/printable.ts";
import type { StreamRequest } from "../../protocol/commands.ts";
import type { EventView } from "../../protocol/views.ts";
import { writeOut } from "../bytes.ts";
import type { CommandAction } from "../command.ts";
import { formatEvent, plainEvent } from "../event-text.ts";
import { durationOption, withSession, type Session } from "../session.ts";
import { answer, type Terminal } from "../terminal.ts";
import { formatDeadLetters } from "../trigger-text.ts";

/** What `anabranch events` is given. */
export interface EventsOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly run?: string;
  readonly type?: readonly string[];
  readonly all?: boolean;
  readonly dead?: boolean;
}

const USUALLY_MS = 3_600_000;

/** `anabranch events`: lists events, or shows them as they come. */
export const action: CommandAction<EventsOptions> = (_args, options) =>
  withSession(options, async (session) => {
    await (options.dead === true ? listDead(session, options) : list(session, options));
    return 0;
  });

async function listDead({ anabranch, terminal, directory }: Session, { all }: EventsOptions): Promise<void> {
  const letters = await anabranch.ask("dead-letters", all === true ? {} : { directory });
  answer(terminal, letters, () => formatDeadLetters(letters, terminal));
}

async function list({ anabranch, terminal, directory }: Session, options: EventsOptions): Promise<void> {
  const onReset = (oldestSeq: number): void =>
    terminal.err(`some of these events are kept no more; the first that may be is ${oldestSeq}\n`);
  const events = anabranch.events(requestFor(options, directory), onReset);
  if (terminal.json && options.follow !== true) await writeDocument(events);
  else for await (const event of events) await writeOut(`${formatLine(event, terminal)}\n`);
}

function requestFor(options: EventsOptions, directory: string): StreamRequest<"events"> {
  return {
    directory,
    ...sinceOf(options),
    ...(options.follow === true ? { follow: true } : {}),
    ...(options.all === true ? {} : { here: true }),
    ...(options.run === undefined ? {} : { run: options.run }),
    ...(options.type === undefined ? {} : { types: [...options.type] }),
  };
}

function sinceOf({ since, run, follow }: EventsOptions): Pick<StreamRequest<"events">, "afterSeq" | "sinceMs"> {
  const nowMs = systemClock.wallMs();
  if (since === undefined && run !== undefined) return {};
  if (since === undefined) return { sinceMs: follow === true ? nowMs : nowMs - USUALLY_MS };
  if (/^\d{1,15}$/.test(since)) return { afterSeq: Number(since) };
  if (/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(since))
    return { sinceMs: Math.max(0, nowMs - durationOption(since, "--since")) };
  throw new AnabranchError("USAGE", {
    message: `--since takes a duration such as 1h or the number of an event, not ${JSON.stringify(since)}`,
    hint: "--since 1h",
  });
}

/** One JSON document, written as it comes. */
async function writeDocument(events: AsyncIterable<EventView>): Promise<void> {
  let head = '{"v":1,"ok":true,"data":[';
  let isFirst = true;
  for await (const event of events) {
    await writeOut(head + printableJson(event));
    [head, isFirst] = [",", false];
  }
  await writeOut(`${isFirst ? head : ""}]}\n`);
}

function formatLine(event: EventView, { json, plain, colour }: Terminal): string {
  if (json) return printableJson(event);
  return plain ? plainEvent(event) : formatEvent(event, colour, systemClock.wallMs());
}
