import { openByteSink } from "../bytes.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch diff`: shows what a task changed. */
export const action: CommandAction<{ readonly stat?: boolean; readonly names?: boolean }> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const format = options.stat === true ? "stat" : options.names === true ? "names" : "patch";
    const request = { id: args[0] ?? "", directory, format, colour: terminal.colour.isColorSupported } as const;
    const pieces: Buffer[] = [];
    const sink = openByteSink(terminal);
    for await (const message of anabranch.stream("diff", request)) {
      if (message.type !== "piece") continue;
      const bytes = Buffer.from(message.data.bytes, "base64");
      if (terminal.json) pieces.push(bytes);
      else await sink.write(bytes);
    }
    await sink.end();
    if (terminal.json) answer(terminal, { format, text: Buffer.concat(pieces).toString("utf8") }, () => "");
    return 0;
  });
