import { printable } from "../../base/printable.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch events replay`: does after all what a dead letter is about. */
export const action: CommandAction<object> = (args, options) =>
  withSession(options, async ({ anabranch, terminal }) => {
    const replayed = await anabranch.ask("events-replay", { id: args[0] ?? "" });
    const { letter, firing, delivery } = replayed;
    answer(terminal, replayed, () => {
      if (terminal.plain) return [letter.id, firing ?? delivery ?? ""].map(printable).join("\t");
      return firing === undefined
        ? `${printable(letter.title)}: it is sent again`
        : `${printable(letter.title)}: it fires now (anabranch triggers show ${printable(letter.trigger ?? "")})`;
    });
    return 0;
  });
