import { viewNotice } from "./agents/agent-views.ts";
import { adoptRun } from "./adoption.ts";
import { findParent } from "./caller.ts";
import type { HandlerContext, Handlers } from "./handlers.ts";
import { countUnreadOf } from "./inbox-handlers.ts";
import { listRuns } from "./run-list.ts";
import { repositoryAround, resolveId } from "./resolve.ts";
import { countStates, summarize } from "./views.ts";

type BackgroundHandlers = Pick<Handlers, "adopt" | "overview">;

/** Makes the handlers of what is asked about work that goes on in the background. */
export function createBackgroundHandlers({ parts }: HandlerContext): BackgroundHandlers {
  return {
    async overview({ limit = 20, directory }, caller) {
      const repositoryId = await repositoryAround(parts, directory);
      await parts.hold.look();
      const isHere = (id: string | undefined): boolean => repositoryId === undefined || id === repositoryId;
      const notices = parts.notices.open().filter((notice) => isHere(notice.repositoryId));
      return {
        ...(await listRuns(parts, { limit, repositoryId, notices })),
        notices: notices.map(viewNotice),
        unread: await countUnreadOf(parts, caller, directory),
        ...(parts.hold.why === undefined ? {} : { held: parts.hold.why }),
      };
    },

    async adopt({ id, directory }, caller) {
      const { run } = await resolveId(parts, id, directory);
      const already = await adoptRun(parts, run, await findParent(parts, caller));
      return { run: summarize(run.row, countStates(run)), already };
    },
  };
}
