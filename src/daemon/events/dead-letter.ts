import { newId } from "../../base/ids.ts";
import { putDeadLetter, type DeadLetterRow } from "../../store/dead-letters.ts";
import type { Statement } from "../../store/port.ts";
import type { Parts } from "../parts.ts";

/** Something that is not done, and is to be kept. */
export type NewDeadLetter = Pick<DeadLetterRow, "key" | "repositoryId" | "kind" | "record">;

/**
 * Keeps a dead letter and tells of it. A chain that met its own work is the ordinary end of a loop, and what a person has
 * refused they know: both are listed only.
 */
export function bury(
  { random, clock, announcements }: Pick<Parts, "random" | "clock" | "announcements">,
  letter: NewDeadLetter,
): Statement[] {
  const row = { ...letter, id: newId(random), createdMs: clock.wallMs() };
  const isTold = letter.kind !== "own-work" && letter.record.reason.code !== "APPROVAL_DENIED";
  return [putDeadLetter(row), ...(isTold ? announcements.deadLetter(row) : [])];
}
