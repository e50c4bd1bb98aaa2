import { adoptRun } from "./adoption.ts";
import { findParent } from "./caller.ts";
import type { HandlerContext, Handlers } from "./handlers.ts";
import { resolveId } from "./resolve.ts";
import { countStates, summarize } from "./views.ts";

type BackgroundHandlers = Pick<Handlers, "adopt">;

/** Makes the handlers of what is asked about work that goes on in the background. */
export function createBackgroundHandlers({ parts }: HandlerContext): BackgroundHandlers {
  return {
    async adopt({ id, directory }, caller) {
      const { run } = await resolveId(parts, id, directory);
      const already = await adoptRun(parts, run, await findParent(parts, caller));
      return { run: summarize(run.row, countStates(run)), already };
    },
  };
}
