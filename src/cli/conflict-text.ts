import { printable } from "../base/printable.ts";
import type { ConflictView } from "../protocol/views.ts";
import { fit, plural } from "./format.ts";
import type { Colours, Terminal } from "./terminal.ts";

type FileView = ConflictView["files"][number];
type LinesView = FileView["hunks"][number]["ours"];

/** A conflict with both sides, who wanted what, and the ways on. */
export function formatConflict(conflict: ConflictView, { colour, plain }: Terminal): string {
  if (plain) return conflict.files.map((file) => plainFile(file)).join("\n");
  return [
    formatHead(conflict, colour),
    ...conflict.files.map((file) => formatFile(file, conflict, colour)),
    ...(conflict.filesLeft > 0 ? [`… and ${plural(conflict.filesLeft, "more file")} (--full shows all)`] : []),
    formatWays(conflict, colour),
  ].join("\n\n");
}

function plainFile({ path, kind, choice, message }: FileView): string {
  return [printable(path), kind, choice ?? "-", printable(message)].join("\t");
}

const LONGEST_INTENT = 200;

function formatHead(conflict: ConflictView, colour: Colours): string {
  const { id, run, task, state, intent, lane, isOutdated, folder } = conflict;
  return [
    `${colour.bold(`conflict ${id}`)} ${colour.yellow(state)}: the work of ${run}/${printable(task)} and what has landed on ${printable(lane)}`,
    `  ${colour.bold("theirs")} is the task's: ${printable(task)}: ${intentOf(intent)}`,
    `  ${colour.bold("ours")}   is what has landed, named with each file`,
    ...(isOutdated && state === "open" ? ["  more has landed since: landing it looks at that too"] : []),
    ...(folder === undefined ? [] : [`  open in ${printable(folder)}`]),
  ].join("\n");
}

function intentOf(text: string): string {
  const line = text.split("\n").find((one) => one.trim() !== "") ?? "";
  return fit(printable(line.trim()), LONGEST_INTENT);
}

function formatFile(file: FileView, conflict: ConflictView, colour: Colours): string {
  const { path, kind, message, choice, renamedTo, landed, hunks, hunksLeft, modes } = file;
  const lines = [`${colour.bold(printable(path))}  ${colour.yellow(kind)}: ${printable(message)}`];
  if (renamedTo !== undefined) lines.push(`  theirs has it as ${printable(renamedTo)}`);
  if (modes.ours !== modes.theirs)
    lines.push(`  ours: ${modes.ours ?? "not there"}, theirs: ${modes.theirs ?? "not there"}`);
  for (const { commit, author, subject, task, intent } of landed) {
    const who = task === undefined ? `${author}: ${subject}` : `${task}: ${intent ?? subject}`;
    lines.push(`  ours: ${commit.slice(0, 10)} ${intentOf(who)}`);
  }
  if (choice !== undefined) lines.push(`  ${colour.green(`${choice} is taken`)}`);
  for (const hunk of hunks) {
    lines.push(
      ...formatLines("ours", hunk.ours, "-", colour.red),
      ...formatLines("base", hunk.base, " ", colour.dim),
      ...formatLines(conflict.task, hunk.theirs, "+", colour.green),
      "",
    );
  }
  if (hunksLeft > 0) lines.push(`  … and ${plural(hunksLeft, "more place")} (--full shows all)`);
  return lines.join("\n").trimEnd();
}

function formatLines(label: string, side: LinesView, sign: string, paint: (text: string) => string): string[] {
  const { start, lines, linesLeft } = side;
  const end = start + lines.length + linesLeft - 1;
  const where =
    end < start ? `before line ${start}: nothing` : end === start ? `line ${start}` : `lines ${start} to ${end}`;
  return [
    `  ${printable(label)}, ${where}`,
    ...lines.map((line) => `    ${paint(`${sign} ${fit(printable(line), LONGEST_INTENT)}`)}`),
    ...(linesLeft > 0 ? [`    … and ${plural(linesLeft, "more line")} (--full shows all)`] : []),
  ];
}

function formatWays({ id, run, task, state, landing }: ConflictView, colour: Colours): string {
  if (state === "settled") return `settled by landing ${landing ?? ""}: anabranch show ${run}`;
  if (state === "aborted") return `given up; to land it after all: anabranch land ${run}/${printable(task)}`;
  return [
    "The ways on:",
    `  anabranch conflicts open ${id}          ${colour.dim("fix it in a workspace, then: anabranch land " + id)}`,
    `  anabranch conflicts take ours ${id}     ${colour.dim("keep what has landed, for all files or one: … PATH")}`,
    `  anabranch conflicts take theirs ${id}   ${colour.dim("take the task's")}`,
    `  anabranch conflicts abort ${id}         ${colour.dim("give it up; the changeset stays in the vault")}`,
  ].join("\n");
}
