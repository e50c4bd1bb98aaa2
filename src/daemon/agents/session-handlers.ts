import { userInfo } from "node:os";

import { findRunByRequest } from "../../store/runs.ts";
import type { RunSpec } from "../../workflows/spec.ts";
import { findCaller, findParent } from "../caller.ts";
import type { HandlerContext, Handlers } from "../handlers.ts";
import type { PlanRecord } from "../live-run.ts";
import { repositoryAround, resolveTask } from "../resolve.ts";
import { viewRun } from "../views.ts";
import { viewNotice } from "./agent-views.ts";
import { forkConversation } from "./fork.ts";

type SessionHandlers = Pick<Handlers, "message" | "needs-you" | "approve" | "fork">;

/** Makes the handlers of what people and other tasks do with agents at work. */
export function createSessionHandlers({ parts, reconciler }: HandlerContext): SessionHandlers {
  return {
    async message({ id, text, when = "next", directory }, caller) {
      const { run, task } = await resolveTask(parts, id, directory);
      const sending = await findCaller(parts, caller);
      const sender = sending === undefined ? { kind: "person" as const } : { kind: "task" as const, ...sending };
      const message = await parts.mailbox.post(run, task, { sender, timing: when, text });
      return { id: message.id, run: run.row.id, task: task.row.name, when };
    },

    async "needs-you"({ directory }) {
      const repositoryId = await repositoryAround(parts, directory);
      const open = parts.notices.open();
      const isHere = (of: string | undefined): boolean => of === undefined || of === repositoryId;
      return open.filter((notice) => directory === undefined || isHere(notice.repositoryId)).map(viewNotice);
    },

    async approve({ id, approved, reason }) {
      return viewNotice(await parts.notices.answer(id, { approved, reason, by: userInfo().username }));
    },

    async fork(request, caller) {
      // Asked again because the answer got lost, it has started already.
      const done = await findRunByRequest<RunSpec, PlanRecord>(parts.store, request.requestId);
      const known = done === undefined ? undefined : await parts.book.find(done.id);
      const parent = known === undefined ? await findParent(parts, caller) : known.row.parent;
      const by = { parent, asker: parent === undefined ? caller.conversation : undefined };
      const { estimate, run, notices } = await forkConversation(parts, reconciler, request, by, known);
      return { estimate, notices, ...(run === undefined ? {} : { run: await viewRun(parts, run) }) };
    },
  };
}
