import { printable } from "../../base/printable.ts";
import { openByteSink } from "../bytes.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch git -- ARGS`: runs a read-only git command in the vault. */
export const action: CommandAction<object> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    let status = 0;
    const pieces: Buffer[] = [];
    const sink = openByteSink(terminal);
    for await (const message of anabranch.stream("git", { args: [...args], directory })) {
      if (message.type === "end") status = message.data.status;
      if (message.type === "complaint") terminal.err(complaint(message.data.text));
      if (message.type !== "piece") continue;
      const bytes = Buffer.from(message.data.bytes, "base64");
      if (terminal.json) pieces.push(bytes);
      else await sink.write(bytes);
    }
    await sink.end();
    if (terminal.json) answer(terminal, { status, text: Buffer.concat(pieces).toString("utf8") }, () => "");
    return status;
  });

function complaint(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
