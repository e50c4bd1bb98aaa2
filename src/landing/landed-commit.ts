/** What a landed commit says of itself. */
export interface LandedWords {
  readonly run: string;
  readonly task: string;
  readonly attempt: number;
  readonly landing: string;
  /** What the task was asked to do. */
  readonly intent: string;
}

const TRAILER = "Anabranch-Landing";
const TASK_TRAILER = "Anabranch-Task";
const LONGEST_SUBJECT = 72;

/** Who a task's work is by. */
export function authorOf(task: string): string {
  return `${task} (Anabranch) <anabranch@localhost>`;
}

/** The message of the commit that a changeset becomes on its target. Its trailer tells by which landing. */
export function landedMessage({ run, task, attempt, landing, intent }: LandedWords): string {
  const line = intent.split("\n").find((one) => one.trim() !== "") ?? "";
  const subject = `${task}: ${line.trim()}`;
  const cut = subject.length > LONGEST_SUBJECT ? `${subject.slice(0, LONGEST_SUBJECT - 1)}…` : subject;
  return `${cut}\n\n${TRAILER}: ${landing}\n${TASK_TRAILER}: ${run}/${task}/${attempt}`;
}

/** The landing that a commit's message names, if it names one in its last paragraph. */
export function landingOf(message: string): string | undefined {
  const paragraph = message.trimEnd().split("\n\n").at(-1) ?? "";
  return new RegExp(`^${TRAILER}: ([0-9a-z]+)$`, "m").exec(paragraph)?.[1];
}

/** The attempt, as `RUN/TASK/NUMBER`, that a landed commit's message names. */
export function taskOf(message: string): string | undefined {
  const paragraph = message.trimEnd().split("\n\n").at(-1) ?? "";
  return new RegExp(`^${TASK_TRAILER}: (\\S+)$`, "m").exec(paragraph)?.[1];
}
