import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch adopt`: makes a run belong to the calling task, or to the person. */
export const action: CommandAction<object> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const adopted = await anabranch.adopt(args[0] ?? "", directory);
    const { id, parent } = adopted.run;
    const whose = parent === undefined ? "to you" : `to task ${parent.task} of run ${parent.run}`;
    answer(terminal, adopted, () => `run ${id} ${adopted.already ? "belonged" : "belongs"} ${whose}`);
    return 0;
  });
