import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch git -- ARGS`: runs a read-only git command in the vault. */
export const action: CommandAction<object> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    let status = 0;
    const pieces: Buffer[] = [];
    for await (const message of anabranch.stream("git", { args: [...args], directory })) {
      if (message.type === "end") status = message.data.status;
      if (message.type === "complaint") terminal.err(message.data.text);
      if (message.type !== "piece") continue;
      const bytes = Buffer.from(message.data.bytes, "base64");
      if (terminal.json) pieces.push(bytes);
      else await new Promise<void>((resolve) => process.stdout.write(bytes, () => resolve()));
    }
    if (terminal.json) answer(terminal, { status, text: Buffer.concat(pieces).toString("utf8") }, () => "");
    return status;
  });
