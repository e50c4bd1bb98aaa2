/**
 * Reads what the command of a task reports from its log, while it runs.
 *
 * loading → following → (the attempt is over) → done
 *
 * Invariants:
 * 1. A report becomes an event in the transaction that moves the cursor behind its line, so each becomes one exactly
 *    once, whenever the daemon is killed. The file is the only buffer: what came while nobody read is read later.
 * 2. All reports of an attempt are events before the task's next state is.
 * 3. What is not an event of its own is counted by one that says so.
 */
import { pause } from "../base/clock.ts";
import { faultPoint } from "../base/fault.ts";
import { LONGEST_REPORT_BYTES, parseReport, REPORT_PREFIX, ReportAllowance } from "../engine/report.ts";
import { EVENT_TYPES } from "../engine/trigger.ts";
import { outputPath, outputSize, readPiece } from "../process/output.ts";
import { attemptName, type AttemptKey, type AttemptRow } from "../store/attempts.ts";
import { forgetCursors, loadCursor, moveCursor } from "../store/cursors.ts";
import type { NewEvent } from "../store/events.ts";
import type { Statement } from "../store/port.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { persist } from "./patience.ts";

const LOOK_EVERY_MS = 60;
const READ_AT_ONCE_BYTES = 1024 * 1024;
const LINE_END = 0x0a;

/** What of the daemon reading reports takes. */
type ReadingParts = Pick<Parts, "clock" | "events" | "store" | "log" | "stopping">;

interface Place {
  /** When it was read so far. */
  readonly atMs: number;
  /** Whether that is inside of a line whose start was dealt with. */
  readonly inside?: boolean | undefined;
  /** Whether the attempt is over and all of it was read. */
  readonly done?: boolean | undefined;
}

/** See the head of this file. */
export class ReportReader {
  readonly #parts: ReadingParts;
  readonly #run: LiveRun;
  readonly #attempt: AttemptRow;
  readonly #folder: string;
  readonly #end = new AbortController();
  readonly #following: Promise<void>;
  #allowance: ReportAllowance;
  #position = 0;
  #seenBytes = -1;
  #isInside = false;
  #isDone = false;

  constructor(parts: ReadingParts, run: LiveRun, attempt: AttemptRow, folder: string) {
    this.#parts = parts;
    this.#run = run;
    this.#attempt = attempt;
    this.#folder = folder;
    this.#allowance = new ReportAllowance(0, parts.clock.monotonicMs());
    this.#following = this.#follow();
  }

  /** The attempt is over: resolves when all it has reported are events. */
  async finish(): Promise<void> {
    this.#end.abort();
    await this.#following;
    if (!this.#isDone) await this.#persist(() => this.#readEnd());
  }

  async #follow(): Promise<void> {
    await this.#persist(() => this.#load());
    while (!this.#end.signal.aborted && !this.#isDone) {
      await this.#persist(() => this.#readOn());
      await pause(this.#parts.clock, LOOK_EVERY_MS, this.#end.signal);
    }
  }

  async #load(): Promise<void> {
    const { clock, store } = this.#parts;
    const cursor = await loadCursor<Place>(store, cursorName(this.#attempt));
    this.#position = cursor?.position ?? 0;
    this.#isInside = cursor?.data?.inside ?? false;
    this.#isDone = cursor?.data?.done ?? false;
    const readMs = cursor?.data?.atMs ?? this.#attempt.timings.startedMs ?? clock.wallMs();
    this.#allowance = new ReportAllowance(clock.wallMs() - readMs, clock.monotonicMs());
  }

  /** Reads whole lines, as far as there are any. */
  async #readOn(): Promise<void> {
    for (;;) {
      const { keptBytes } = outputSize(this.#folder, "log");
      if (keptBytes === this.#seenBytes || keptBytes <= this.#position) return;
      const piece = readPiece(outputPath(this.#folder, "log"), this.#position, READ_AT_ONCE_BYTES);
      const isFull = piece.length === READ_AT_ONCE_BYTES;
      const end = piece.lastIndexOf(LINE_END) + 1;
      // Of a line without end only the start is looked at.
      const whole = end > 0 ? end : isFull ? piece.length : 0;
      if (whole > 0) await this.#take(piece.subarray(0, whole), end === 0, isFull);
      if (isFull) continue;
      this.#seenBytes = keptBytes;
      return;
    }
  }

  /** Reads what is left when nothing more comes: also a line without its end, and what was kept behind the cap. */
  async #readEnd(): Promise<void> {
    this.#seenBytes = -1;
    await this.#readOn();
    const size = outputSize(this.#folder, "log");
    const path = outputPath(this.#folder, "log");
    const rest = size.cut ? tailLines(readPiece(`${path}.tail`, 0, size.tailBytes)) : readPiece(path, this.#position);
    const events = this.#eventsIn(linesOf(rest, size.cut ? false : this.#isInside));
    if (size.cut) events.push(this.#cutEvent(size.keptBytes));
    await this.#append(events, this.#position + (size.cut ? 0 : rest.length), { done: true });
    this.#isDone = true;
  }

  async #take(piece: Buffer, staysInside: boolean, isFull: boolean): Promise<void> {
    const events = this.#eventsIn(linesOf(piece, this.#isInside));
    const position = this.#position + piece.length;
    if (position >= this.#capBytes) events.push(this.#cutEvent(position));
    if (events.length > 0 || isFull) await this.#append(events, position, { inside: staysInside });
    this.#position = position;
    this.#isInside = staysInside;
  }

  #eventsIn(lines: Iterable<Buffer>): NewEvent[] {
    const { clock } = this.#parts;
    const events: NewEvent[] = [];
    let dropped = 0;
    for (const line of lines) {
      const report = parseReport(line);
      if (report === undefined) continue;
      if (this.#allowance.take(clock.monotonicMs())) events.push(this.#event(EVENT_TYPES.report, { ...report }));
      else dropped += 1;
    }
    return dropped === 0 ? events : [...events, this.#event("task.reports-dropped", { count: dropped })];
  }

  async #append(events: readonly NewEvent[], position: number, place: Omit<Place, "atMs">): Promise<void> {
    faultPoint("reports.read");
    const atMs = this.#parts.clock.wallMs();
    await this.#parts.events.append(events, [moveCursor(cursorName(this.#attempt), position, { ...place, atMs })]);
    faultPoint("reports.told");
  }

  #event(type: string, data: Readonly<Record<string, unknown>>): NewEvent {
    const { repositoryId, cause, spec } = this.#run.row;
    const { run, task, number } = this.#attempt;
    const told = { ...(spec.name === undefined ? {} : { workflow: spec.name }), attempt: number, ...data };
    return { atMs: this.#parts.clock.wallMs(), type, run, task, repositoryId, cause, data: told };
  }

  /** What is printed from here on is only kept in part, so reports may be missing. */
  #cutEvent(keptBytes: number): NewEvent {
    return { ...this.#event("task.reports-cut", { keptBytes }), key: `reports-cut/${attemptName(this.#attempt)}` };
  }

  // As the shim counts it.
  get #capBytes(): number {
    return Math.floor(this.#run.row.spec.logCapBytes / 512) * 512;
  }

  async #persist(action: () => Promise<void>): Promise<void> {
    const { log, stopping } = this.#parts;
    const name = attemptName(this.#attempt);
    try {
      await persist(this.#parts, `reading the reports of ${name}`, () => undefined, action);
    } catch (cause) {
      // The next daemon goes on where the cursor stands.
      if (!stopping.aborted) log("error", "reports could not be read", { attempt: name, cause: String(cause) });
    }
  }
}

/** Forgets how far the reports of an attempt were read: it is over. */
export function forgetReports(attempt: AttemptKey): Statement {
  return forgetCursors(cursorName(attempt));
}

function cursorName(attempt: AttemptKey): string {
  return `reports/${attemptName(attempt)}/`;
}

/** Lines, of each as much as a report may have. */
function* linesOf(piece: Buffer, startsInside: boolean): Generator<Buffer> {
  let at = startsInside ? piece.indexOf(LINE_END) + 1 : 0;
  if (startsInside && at === 0) return;
  while (at < piece.length) {
    const found = piece.indexOf(LINE_END, at);
    const end = found < 0 ? piece.length : found;
    yield piece.subarray(at, Math.min(end, at + REPORT_PREFIX.length + LONGEST_REPORT_BYTES + 1));
    at = end + 1;
  }
}

/** What is kept behind the cap begins somewhere inside of a line. */
function tailLines(tail: Buffer): Buffer {
  return tail.subarray(tail.indexOf(LINE_END) + 1);
}
