import { printable } from "../../base/printable.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch deny`: says no to what waits for a person. */
export const action: CommandAction<{ readonly reason?: string }> = (args, options) =>
  withSession(options, async ({ anabranch, terminal }) => {
    const denied = await anabranch.approve(args[0] ?? "", false, options.reason);
    answer(terminal, denied, () => `denied: ${printable(denied.title)}`);
    return 0;
  });
