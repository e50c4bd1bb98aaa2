import { systemClock } from "../base/clock.ts";
import { printable } from "../base/printable.ts";
import type { PredictionView } from "../protocol/views.ts";
import { formatAge, plural } from "./format.ts";
import type { Session } from "./session.ts";
import { answer, type Terminal } from "./terminal.ts";

type Meeting = PredictionView["meetings"][number];

/** `anabranch conflicts --predict [RUN]`: tells which tasks at work will conflict. */
export async function predict({ anabranch, terminal, directory }: Session, run: string | true): Promise<void> {
  const prediction = await anabranch.ask("predict", { directory, ...(run === true ? {} : { id: run }) });
  answer(terminal, prediction, () => (terminal.plain ? plainText(prediction) : text(prediction, terminal)));
}

function plainText({ meetings }: PredictionView): string {
  return meetings
    .flatMap((meeting) =>
      meeting.paths.map(({ path, kind }) =>
        [
          meeting.status,
          ...meeting.between.map(({ run, task }) => `${run}/${task}`),
          kind ?? "-",
          printable(path),
        ].join("\t"),
      ),
    )
    .join("\n");
}

function text({ meetings, watched }: PredictionView, { colour }: Terminal): string {
  const conflicts = meetings.filter(({ status }) => status === "conflict");
  const merges = meetings.filter(({ status }) => status === "merges");
  const nowMs = systemClock.wallMs();
  return [
    ...conflicts.map((one) =>
      colour.yellow(`${whoOf(one)} overlap in ${pathsOf(one)} (seen ${formatAge(nowMs - one.sinceMs)})`),
    ),
    ...merges.map((one) => `${whoOf(one)} both change ${pathsOf(one)}, which merges`),
    ...(meetings.length === 0 ? ["Nothing that tasks have changed by now meets."] : []),
    colour.dim(watchedText(watched, nowMs)),
  ].join("\n");
}

function whoOf({ between }: Meeting): string {
  return between.map(({ run, task }) => printable(`${run}/${task}`)).join(" and ");
}

const MOST_PATHS = 5;

function pathsOf({ paths }: Meeting): string {
  const named = paths
    .slice(0, MOST_PATHS)
    .map(({ path, kind }) => printable(kind === undefined || kind === "contents" ? path : `${path} (${kind})`));
  const more = paths.length - named.length;
  return [...named, ...(more > 0 ? [plural(more, "more file")] : [])].join(", ");
}

function watchedText(watched: PredictionView["watched"], nowMs: number): string {
  if (watched.length === 0) return "No two tasks that write are at work here.";
  const looked = watched.flatMap(({ lookedMs }) => lookedMs ?? []);
  const last = looked.length === 0 ? "not looked at yet" : `last looked at ${formatAge(nowMs - Math.max(...looked))}`;
  return `${plural(watched.length, "task")} at work, ${last}`;
}
