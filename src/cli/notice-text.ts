import { printable } from "../base/printable.ts";
import type { NoticeView } from "../protocol/views.ts";
import { formatDuration } from "./format.ts";

/** What a notice is about, in one word: a task, a run, or what else there is. */
export function subjectOf({ run, task, kind }: NoticeView): string {
  if (run === undefined) return printable(kind);
  return printable(task === undefined ? run : `${run}/${task}`);
}

/** How long a notice waits for an answer, and what no answer means; empty where it waits for ever. */
function deadlineOf({ expiresMs, kind }: NoticeView, nowMs: number): string {
  if (expiresMs === undefined) return "";
  const left = formatDuration(expiresMs - nowMs);
  return kind === "trouble" ? `shown for ${left} more` : `without an answer it is no in ${left}`;
}

/** A notice with everything that a person needs to decide. */
export function formatNotice(notice: NoticeView, nowMs: number): string {
  const { id, kind, title, detail, consequence } = notice;
  const lines = detail === "" ? [] : detail.split("\n").map((line) => `    ${printable(line)}`);
  const deadline = deadlineOf(notice, nowMs);
  const ways =
    kind === "trouble"
      ? `anabranch approve ${id} once you have seen it`
      : `anabranch approve ${id}, or anabranch deny ${id}`;
  return [
    `${id}  ${subjectOf(notice)}  ${printable(title)}`,
    ...lines.slice(0, 20),
    ...(lines.length > 20 ? [`    … ${lines.length - 20} more lines; all of it: anabranch approve --json`] : []),
    ...(consequence === undefined ? [] : [`    after a yes: ${printable(consequence)}`]),
    ...(deadline === "" ? [] : [`    ${deadline}`]),
    `    ${ways}`,
  ].join("\n");
}
