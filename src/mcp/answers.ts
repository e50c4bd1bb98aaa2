import type { RunView } from "../protocol/views.ts";
import type { Anabranch } from "../sdk/anabranch.ts";

/** How much of one answer is read at all, in bytes: a report tells less. */
const MOST_BYTES = 256 * 1024;

/** What agents said in the end, by the names of their tasks. */
export type Answers = ReadonlyMap<string, string>;

/** Reads the answers of a run's tasks, as far as they have ended with one. */
export async function loadAnswers(anabranch: Anabranch, run: RunView): Promise<Answers> {
  const pieces = new Map<string, { parts: Buffer[]; sizeBytes: number }>();
  const [only] = run.taskList;
  for await (const { data } of anabranch.stream("logs", { id: run.id, output: true })) {
    const name = data.task ?? only?.name ?? "";
    const found = pieces.get(name) ?? { parts: [], sizeBytes: 0 };
    pieces.set(name, found);
    if (found.sizeBytes >= MOST_BYTES) continue;
    const part = Buffer.from(data.bytes, "base64");
    found.parts.push(part);
    found.sizeBytes += part.length;
  }
  return new Map([...pieces].map(([name, { parts }]) => [name, Buffer.concat(parts).toString("utf8").trim()]));
}
