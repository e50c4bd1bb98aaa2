import { printable } from "../base/printable.ts";
import type { RunView, TaskView } from "../protocol/views.ts";
import { fit, formatDuration, widthOf } from "./format.ts";
import { colourState, explainOverlaps, explainTask, markOf, wordFor } from "./state-text.ts";
import type { Colours } from "./terminal.ts";

/** What a frame is drawn from. */
export interface Frame {
  readonly run: RunView;
  /** The newest output line of each task. */
  readonly lines: ReadonlyMap<string, string>;
  readonly nowMs: number;
  readonly columns: number;
  readonly rows: number;
  readonly hint: string;
}

/** The rows of a run that is under way: a headline, a row for each task, and what keys do. */
export function drawTree(frame: Frame, colours: Colours): string[] {
  const { run, columns } = frame;
  const open = run.taskList.filter((task) => task.state !== "ended").length;
  const title = `${colours.bold(`run ${run.id}`)} ${colours.dim(printable(run.plan.reason))}`;
  const footer = colours.dim(
    `${open} of ${run.taskList.length} to go · ${formatDuration(frame.nowMs - run.createdMs)} · ${frame.hint}`,
  );
  const shown = chooseRows(run.taskList, Math.max(1, frame.rows - 4));
  const nameWidth = Math.min(28, Math.max(0, ...shown.map((task) => widthOf(printable(task.name)))));
  const rows = shown.map((task) => drawTask(task, frame, nameWidth, colours));
  const hidden = run.taskList.length - shown.length;
  const more = hidden > 0 ? [colours.dim(`  … and ${hidden} more`)] : [];
  // The cursor stands below the frame: on a taller one, rows would scroll away and could not be drawn over.
  const visible = Math.max(1, frame.rows - 1);
  return [title, ...rows, ...more, footer].slice(0, visible).map((row) => fit(row, columns));
}

// With more tasks than rows, those at work are what a person wants to see, then the failed ones.
function chooseRows(tasks: readonly TaskView[], rows: number): TaskView[] {
  if (tasks.length <= rows) return [...tasks];
  const rank = (task: TaskView): number => {
    if (task.state !== "ended") return task.state === "waiting" ? 2 : task.state === "ready" ? 1 : 0;
    return task.outcome === "failed" || task.outcome === "lost" ? 1 : 3;
  };
  const chosen = new Set([...tasks].sort((a, b) => rank(a) - rank(b)).slice(0, rows));
  return tasks.filter((task) => chosen.has(task));
}

function drawTask(task: TaskView, frame: Frame, nameWidth: number, colours: Colours): string {
  const word = wordFor(task);
  const attempt = task.attempts.at(-1);
  const startedMs = attempt?.timings.startedMs ?? attempt?.timings.chosenMs;
  const endMs = task.state === "ended" ? (attempt?.timings.exitedMs ?? task.endedMs) : frame.nowMs;
  const time = startedMs === undefined || endMs === undefined ? "" : formatDuration(endMs - startedMs);
  const name = printable(task.name);
  const line =
    task.state === "working" && task.activity === undefined ? printable(frame.lines.get(task.name) ?? "") : "";
  const warning = line !== "" ? explainOverlaps(task) : "";
  const seen = warning === "" ? colours.dim(line) : `${colours.yellow(warning)}  ${colours.dim(line)}`;
  const about = line !== "" ? seen : explainTask(task, frame.run.taskList);
  const retry = task.attempts.length > 1 ? colours.yellow(` ×${task.attempts.length}`) : "";
  const detached = task.detach ? colours.dim(" detached") : "";
  const padded = name + " ".repeat(Math.max(0, nameWidth - widthOf(name)));
  return `  ${markOf(word, colours)} ${padded}  ${colourState(word, colours, word.padEnd(9))} ${time.padStart(8)}${retry}${detached}  ${about}`;
}

/**
 * Draws frames over each other on a terminal. Only lines that differ from the frame before are written, inside a
 * synchronized update, so that nothing flickers and little is sent.
 */
export class FrameWriter {
  readonly #write: (text: string) => void;
  #last: readonly string[] = [];

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Replaces the last frame. */
  draw(rows: readonly string[]): void {
    const up = this.#last.length > 0 ? `\u001b[${this.#last.length}A` : "";
    let text = "";
    let skipped = 0;
    for (const [index, row] of rows.entries()) {
      if (this.#last[index] === row) {
        skipped += 1;
        continue;
      }
      text += `${"\n".repeat(skipped)}\r\u001b[2K${row}\n`;
      skipped = 0;
    }
    text += "\n".repeat(skipped);
    const surplus = this.#last.length - rows.length;
    if (surplus > 0) text += `${"\u001b[2K\n".repeat(surplus)}\u001b[${surplus}A`;
    if (text.replaceAll("\n", "") !== "" || surplus > 0) this.#write(`\u001b[?2026h${up}${text}\u001b[?2026l`);
    this.#last = [...rows];
  }

  /** Takes the last frame off the screen. */
  clear(): void {
    if (this.#last.length === 0) return;
    this.#write(`\u001b[${this.#last.length}A\r\u001b[0J`);
    this.#last = [];
  }
}
