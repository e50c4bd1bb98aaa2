import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch message`: says something to an agent at work. */
export const action: CommandAction<{ readonly when?: "now" | "next" | "later" }> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const [id = "", text = ""] = args;
    const when = options.when === undefined ? {} : { when: options.when };
    const sent = await anabranch.message(id, text, { directory, ...when });
    answer(terminal, sent, () => `sent to ${sent.run}/${sent.task}; it comes ${WHEN[sent.when]}`);
    return 0;
  });

const WHEN = {
  now: "at once",
  next: "with the result of what it is doing",
  later: "when its turn is over",
} as const;
