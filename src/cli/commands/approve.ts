import { systemClock } from "../../base/clock.ts";
import { printable } from "../../base/printable.ts";
import type { NoticeView } from "../../protocol/views.ts";
import type { CommandAction } from "../command.ts";
import { formatNotice, subjectOf } from "../notice-text.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch approve`: says yes to what waits for a person; without an id it lists what waits. */
export const action: CommandAction<{ readonly all?: boolean }> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const [id] = args;
    if (id === undefined) {
      const waiting = await anabranch.needsYou(options.all === true ? undefined : directory);
      answer(terminal, waiting, () => formatWaiting(waiting, terminal.plain));
      return 0;
    }
    const approved = await anabranch.approve(id, true);
    answer(terminal, approved, () => `approved: ${printable(approved.title)}`);
    return 0;
  });

function formatWaiting(waiting: readonly NoticeView[], plain: boolean): string {
  if (plain)
    return waiting.map((notice) => [notice.id, subjectOf(notice), notice.title].map(printable).join("\t")).join("\n");
  if (waiting.length === 0) return "Nothing waits for you.";
  const nowMs = systemClock.wallMs();
  return waiting.map((notice) => formatNotice(notice, nowMs)).join("\n");
}
