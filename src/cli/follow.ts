import { systemClock } from "../base/clock.ts";
import { isAnabranchError } from "../base/errors.ts";
import { printable, printableJson, printableWithColour } from "../base/printable.ts";
import type { RunView } from "../protocol/views.ts";
import type { Anabranch } from "../sdk/anabranch.ts";
import { drawTree, FrameWriter } from "./live-tree.ts";
import { explainTask, wordFor } from "./state-text.ts";
import type { Terminal } from "./terminal.ts";

/** How following a run ended. */
export interface Followed {
  readonly run: RunView;
  /** The user let go of it; it goes on. */
  readonly detached: boolean;
  /** The user stopped it. */
  readonly interrupted: boolean;
}

const FRAME_MS = 100;
const HINT = "d detaches, Ctrl-C stops it";
const LOOKING_HINT = "d or Ctrl-C leaves it, and it goes on";

/**
 * Shows a run until it ends: as a live tree, as lines, as JSON lines or not at all. Ctrl-C stops the run in order, a
 * second one at once; `d` lets go of it. What goes on by itself and is only looked at is not stopped: there, Ctrl-C lets
 * go of it too.
 *
 * @param starting a run that may not have started yet: whatever is asked of it is done as soon as it has
 */
export async function followRun(
  anabranch: Anabranch,
  terminal: Terminal,
  starting: Promise<RunView>,
  onlyLooks = false,
): Promise<Followed> {
  const view = viewFor(terminal, onlyLooks ? LOOKING_HINT : HINT);
  const done = new AbortController();
  let run: RunView | undefined;
  let interrupts = 0;
  let detached = false;
  const stop = ({ id }: RunView): void => {
    anabranch.ask("cancel", { id, force: interrupts > 1 }).catch((cause: unknown) => view.say(String(cause)));
  };
  const interrupt = (): void => {
    interrupts += 1;
    view.say(interrupts === 1 ? "stopping the run in order; Ctrl-C again ends it at once" : "ending the run at once");
    if (run !== undefined) stop(run);
  };
  const detach = (): void => {
    detached = true;
    done.abort();
  };
  const release = listenForKeys(terminal, onlyLooks ? detach : interrupt, detach);
  try {
    run = await starting;
    if (interrupts > 0) stop(run);
    run = await showUntilEnd(anabranch, terminal, view, run, done.signal);
  } finally {
    release();
    view.end();
  }
  if (detached) return { run, detached, interrupted: false };
  // What was thrown away is known once the workspaces are given back.
  return { run: await anabranch.ask("show", { id: run.id }), detached, interrupted: interrupts > 0 };
}

/** Shows every change of a run and resolves with the last one seen: when it has ended, or when the signal says so. */
async function showUntilEnd(
  anabranch: Anabranch,
  terminal: Terminal,
  view: View,
  run: RunView,
  signal: AbortSignal,
): Promise<RunView> {
  let latest = run;
  view.show(latest);
  const output = terminal.progress === "tty" ? "last" : terminal.progress === "none" ? "none" : "full";
  try {
    for await (const message of anabranch.watch({ id: run.id, output }, signal)) {
      if (message.type === "line") view.line(message.data.task, message.data.text);
      if (message.type === "run") view.show((latest = message.data));
    }
  } catch (cause) {
    if (!signal.aborted || (isAnabranchError(cause) && cause.code !== "INTERRUPTED")) throw cause;
  }
  return latest;
}

interface View {
  show(run: RunView): void;
  line(task: string, text: string): void;
  say(text: string): void;
  end(): void;
}

function viewFor(terminal: Terminal, keys: string): View {
  if (terminal.progress === "tty") return treeView(terminal, keys);
  if (terminal.progress === "plain") return plainView(terminal);
  if (terminal.progress === "json") return jsonView(terminal);
  return { show: () => undefined, line: () => undefined, say: () => undefined, end: () => undefined };
}

function treeView(terminal: Terminal, keys: string): View {
  const writer = new FrameWriter(terminal.err);
  const lines = new Map<string, string>();
  let run: RunView | undefined;
  let said = "";
  const draw = (): void => {
    if (run === undefined) return;
    const { columns = 80, rows = 24 } = process.stderr;
    const hint = said === "" ? keys : said;
    writer.draw(drawTree({ run, lines, nowMs: systemClock.wallMs(), columns, rows, hint }, terminal.errorColour));
  };
  let cancelTimer = (): void => undefined;
  const tick = (): void => {
    draw();
    cancelTimer = systemClock.after(FRAME_MS, tick);
  };
  tick();
  return {
    show: (next) => (run = next),
    line: (task, text) => lines.set(task, text),
    say: (text) => (said = text),
    end: () => {
      cancelTimer();
      writer.clear();
    },
  };
}

/** State changes and output as lines, each naming its task: a task cannot print a line that looks like ours. */
function plainView(terminal: Terminal): View {
  const { dim } = terminal.errorColour;
  const seen = new Map<string, string>();
  let headlineShown = false;
  return {
    show: (run) => {
      if (!headlineShown) terminal.err(`${dim(`run ${run.id}: ${printable(run.plan.reason)}`)}\n`);
      headlineShown = true;
      for (const task of run.taskList) {
        const word =
          task.state === "working" && task.attempts.length > 1
            ? `working, attempt ${task.attempts.length}`
            : wordFor(task);
        const isPlain = task.activity === undefined && task.overlaps === undefined && task.state !== "ended";
        const about = isPlain ? "" : explainTask(task, run.taskList);
        // Progress in numbers would be a line ten times a second.
        const line = about === "" ? word : `${word}: ${about.replace(/, [\d,]+ files$/, "")}`;
        if (seen.get(task.name) === line || (task.state === "waiting" && !seen.has(task.name))) continue;
        seen.set(task.name, line);
        terminal.err(`${dim(`${task.name}:`)} ${line}\n`);
      }
    },
    line: (task, text) => terminal.err(`${dim(`${task} |`)} ${printableWithColour(text)}\n`),
    say: (text) => terminal.err(`${text}\n`),
    end: () => undefined,
  };
}

function jsonView(terminal: Terminal): View {
  const write = (type: string, data: unknown): void => terminal.err(`${printableJson({ type, data })}\n`);
  return {
    show: (run) => write("run", run),
    line: (task, text) => write("line", { task, text }),
    say: (text) => write("note", { text }),
    end: () => undefined,
  };
}

/** Ctrl-C and `d`. On a terminal keys are read one by one; elsewhere there is only the signal. */
export function listenForKeys(
  terminal: Pick<Terminal, "progress">,
  interrupt: () => void,
  detach: () => void,
): () => void {
  const keys = terminal.progress === "tty" && process.stdin.isTTY === true;
  const onKey = (bytes: Buffer): void => {
    for (const key of bytes.toString("utf8")) {
      if (key === "\u0003") interrupt();
      if (key === "d") detach();
    }
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  if (keys) process.stdin.setRawMode(true).on("data", onKey).resume();
  return () => {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    if (keys) process.stdin.off("data", onKey).setRawMode(false).pause();
  };
}
