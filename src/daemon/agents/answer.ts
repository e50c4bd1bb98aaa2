import type { TurnEnd } from "../../agents/port.ts";
import { OutputWriter } from "../../process/output-writer.ts";
import type { TaskSpec } from "../../workflows/spec.ts";
import { findMismatch } from "../task-results.ts";

/** What is wrong with an answer that was to be JSON; nothing where it was not. */
export async function problemWith({ output, schema }: TaskSpec, end: TurnEnd): Promise<string | undefined> {
  if (output !== "json") return undefined;
  const answer = answerOf(end);
  if (answer === undefined) return "it is not JSON";
  return schema === undefined ? undefined : findMismatch(schema, answer.value);
}

/** Puts an answer where the output of a command would be, for those that need it. */
export function writeAnswer({ output }: TaskSpec, end: TurnEnd, folder: string, capBytes: number): void {
  if (output === undefined) return;
  const writer = new OutputWriter(folder, "output", capBytes);
  const answer = output === "json" ? answerOf(end) : undefined;
  writer.write(answer === undefined ? end.text : `${JSON.stringify(answer.value)}\n`);
  writer.close();
}

/** The JSON of an answer: what the agent's program has checked itself, or what its last words are. */
function answerOf(end: TurnEnd): { readonly value: unknown } | undefined {
  if (end.structured !== undefined) return { value: end.structured };
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n```/.exec(end.text)?.[1];
  try {
    return { value: JSON.parse(fenced ?? end.text) as unknown };
  } catch {
    return undefined;
  }
}
