import type { CommandAction } from "../command.ts";
import { startOptions, type RunOptions } from "../run-options.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch spawn`: starts a run in the background and prints its id. */
export const action: CommandAction<RunOptions> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const id = await anabranch.spawn(startOptions(args, options, directory));
    answer(terminal, { id }, () => id);
    return 0;
  });
