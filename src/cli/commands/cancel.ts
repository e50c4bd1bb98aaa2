import { plural } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch cancel`: asks a run with all it started, or one task, to stop. */
export const action: CommandAction<{ readonly force?: boolean }> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const id = args[0] ?? "";
    const stopped = await anabranch.ask("cancel", {
      id,
      directory,
      ...(options.force === true ? { force: true } : {}),
    });
    answer(terminal, stopped, () =>
      stopped.tasks.length === 0
        ? `${id} had nothing left to stop`
        : `stopping ${plural(stopped.tasks.length, "task")}; what they changed so far is kept: anabranch show ${id}`,
    );
    return 0;
  });
