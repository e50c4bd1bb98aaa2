import type { AgentEvent } from "../../agents/port.ts";
import { printable } from "../../base/printable.ts";
import { OutputWriter } from "../../process/output-writer.ts";

const MOST_OUTPUT_LINES = 12;
const LONGEST_OUTPUT = 1200;

/**
 * Writes what happens in a session into its attempt's log, for people: what the agent says stands as it is, everything
 * else begins with a sign of its own. Nothing in it can move a terminal's cursor.
 */
export class Transcript {
  readonly #log: OutputWriter;

  constructor(directory: string, capBytes: number) {
    this.#log = new OutputWriter(directory, "log", capBytes);
  }

  /** Something that was said to the agent. */
  said(text: string, by: string): void {
    this.#lines(`> ${by}: `, text);
  }

  /** Something of ours. */
  remark(text: string): void {
    this.#lines("# ", text);
  }

  /** Something of the session's. */
  event(event: AgentEvent): void {
    switch (event.type) {
      case "text":
        this.#lines("", event.text);
        return;
      case "tool.start":
        this.#lines("* ", event.request.summary);
        return;
      case "tool.end":
        if (event.output !== undefined && event.output.trim() !== "") this.#lines("  ", shorten(event.output));
        if (!event.ok) this.#lines("  ", "(failed)");
        return;
      case "retry":
        this.remark(`the request is tried again (${event.reason})`);
        return;
      case "remark":
        this.remark(event.text);
        return;
      case "turn.end":
        if (event.failure !== undefined) this.remark(`the turn failed: ${event.failure.message}`);
        return;
      case "gone":
        this.remark(event.error.message);
        return;
      case "file":
      case "usage":
      case "context":
      case "message.taken":
    }
  }

  close(): void {
    this.#log.close();
  }

  #lines(sign: string, text: string): void {
    const lines = text.split(/\r?\n/).map((line) => `${`${sign}${printable(line)}`.trimEnd()}\n`);
    this.#log.write(lines.join(""));
  }
}

function shorten(text: string): string {
  const lines = text.slice(0, LONGEST_OUTPUT).split("\n");
  const kept = lines.slice(0, MOST_OUTPUT_LINES).join("\n").trimEnd();
  return kept.length < text.trimEnd().length ? `${kept}\n…` : kept;
}
