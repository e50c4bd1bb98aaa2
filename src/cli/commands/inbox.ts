import { systemClock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import { printable, printableJson } from "../../base/printable.ts";
import type { InboxEntryView } from "../../protocol/views.ts";
import { formatAge } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { wholeNumber, withSession, type Session } from "../session.ts";
import { colourState } from "../state-text.ts";
import { answer, printed, type Terminal } from "../terminal.ts";

interface InboxOptions {
  readonly follow?: boolean;
  readonly peek?: boolean;
  readonly read?: boolean;
  readonly all?: boolean;
  readonly limit: string;
}

/** `anabranch inbox`: shows what the caller was not told of yet; what was printed is read. */
export const action: CommandAction<InboxOptions> = (_args, options) =>
  withSession(options, (session) => (options.follow === true ? follow(session, options) : list(session, options)));

async function list({ anabranch, terminal, directory }: Session, options: InboxOptions): Promise<number> {
  const { addressee, unread, entries } = await anabranch.ask("inbox", {
    limit: wholeNumber(options.limit, "--limit"),
    ...(options.all === true ? {} : { directory }),
    ...(options.read === true ? { read: true } : {}),
  });
  const isNew = entries.filter((entry) => entry.unread);
  answer(terminal, { addressee, unread, entries }, () => {
    const more = unread - isNew.length;
    return [
      ...entries.map((entry) => formatEntry(entry, terminal)),
      ...(entries.length === 0 && !terminal.plain ? ["Nothing new."] : []),
      ...(more > 0 && !terminal.plain ? [terminal.colour.dim(`${more} more: anabranch inbox`)] : []),
    ].join("\n");
  });
  if (options.peek !== true && isNew.length > 0) {
    await printed();
    await anabranch.acknowledge(isNew.map(({ id }) => id));
  }
  return 0;
}

async function follow({ anabranch, terminal, directory }: Session, options: InboxOptions): Promise<number> {
  if (options.peek === true || options.read === true) {
    throw new AnabranchError("USAGE", {
      message: `--follow shows what is new, each once: ${options.peek === true ? "--peek" : "--read"} does not go with it`,
      hint: "anabranch inbox --follow",
    });
  }
  const end = new AbortController();
  process.once("SIGINT", () => end.abort());
  process.once("SIGTERM", () => end.abort());
  try {
    const request = options.all === true ? {} : { directory };
    for await (const { data } of anabranch.stream("inbox", request, end.signal)) {
      terminal.out(`${terminal.json ? printableJson(data) : formatEntry(data, terminal)}\n`);
      await printed();
      await anabranch.acknowledge([data.id]);
    }
  } catch (cause) {
    if (!end.signal.aborted) throw cause;
  }
  return 0;
}

function formatEntry(entry: InboxEntryView, { colour, plain }: Terminal): string {
  const { id, kind, title, outcome, reason, command, createdMs } = entry;
  if (plain) return [id, kind, outcome ?? "-", title, command].map(printable).join("\t");
  const age = formatAge(systemClock.wallMs() - createdMs);
  const word = outcome === undefined ? colour.yellow(kind === "notice" ? "needs you" : "not done") : "";
  const head = word === "" ? colourState(outcome ?? "", colour) : word;
  return [
    `${head}  ${printable(title)}  ${colour.dim(age)}`,
    ...(reason === undefined ? [] : [`  ${printable(reason.message.split("\n", 1)[0] ?? "")}`]),
    `  ${printable(command)}`,
  ].join("\n");
}
