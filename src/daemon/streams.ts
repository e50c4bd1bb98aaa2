import { delay } from "../base/clock.ts";
import { AnabranchError } from "../base/errors.ts";
import { LineCutter } from "../base/lines.ts";
import { readEnd, readOutput, startOfLastLines, type OutputName } from "../process/output.ts";
import type { StreamMessage, StreamName, StreamRequest } from "../protocol/commands.ts";
import type { LandingRecord } from "../landing/receipt.ts";
import { loadLandings } from "../store/landings.ts";
import { loadAttempts, type AttemptRow } from "../store/attempts.ts";
import { viewLane } from "./landing-views.ts";
import type { LiveRun, LiveTask } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { resolveId, resolveTask } from "./resolve.ts";
import { viewRun } from "./views.ts";
import { Wakeup } from "./wakeup.ts";

/** Sends one message to a client, and resolves when the client can take the next one. */
export type Send<Name extends StreamName> = (message: StreamMessage<Name>, id?: number) => Promise<void>;

const [FASTEST_UPDATE_MS, SHARE_OF_TIME] = [100, 10];

/** Sends a run whenever it changed, at most ten times a second, and what its tasks print. Ends with the run. */
export async function streamRun(
  parts: Parts,
  request: StreamRequest<"watch">,
  send: Send<"watch">,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = parts;
  const { run } = await resolveId(parts, request.id, request.directory);
  const changed = new Wakeup();
  const stop = parts.book.onChange((other) => {
    if (other === run) changed.wake();
  });
  signal.addEventListener("abort", () => changed.wake());
  const output = new OutputFeed(parts, run, request.output ?? "none", send, signal);
  let notBeforeMs = 0;
  try {
    while (!signal.aborted) {
      const asleep = changed.next();
      const ended = run.row.state === "ended";
      const waitMs = notBeforeMs - clock.monotonicMs();
      if (!ended && waitMs > 0) {
        await Promise.race([asleep, delay(clock, waitMs)]);
        continue;
      }
      if (ended) await output.finish();
      const beganMs = clock.monotonicMs();
      await send({ type: "run", data: await viewRun(parts, run) });
      if (ended) return;
      output.look();
      // A view that is slow to make is made less often.
      notBeforeMs = clock.monotonicMs() + Math.max(FASTEST_UPDATE_MS, SHARE_OF_TIME * (clock.monotonicMs() - beganMs));
      await asleep;
    }
  } finally {
    stop();
  }
}

/** Sends what the tasks of a run print: every line, or now and then the newest one of each. */
class OutputFeed {
  readonly #parts: Parts;
  readonly #run: LiveRun;
  readonly #mode: "none" | "last" | "full";
  readonly #send: Send<"watch">;
  readonly #signal: AbortSignal;
  readonly #following = new Map<string, Promise<void>>();

  constructor(parts: Parts, run: LiveRun, mode: "none" | "last" | "full", send: Send<"watch">, signal: AbortSignal) {
    this.#parts = parts;
    this.#run = run;
    this.#mode = mode;
    this.#send = send;
    this.#signal = signal;
  }

  /** Begins to follow attempts that have started meanwhile. */
  look(): void {
    if (this.#mode === "none") return;
    for (const task of this.#run.tasks.values()) {
      const { attempt } = task;
      if (attempt === undefined || !hasBegun(attempt)) continue;
      const key = `${task.row.name}/${attempt.number}`;
      if (this.#following.has(key)) continue;
      const follow = this.#mode === "full" ? this.#followAll(task, attempt) : this.#followLast(task, attempt);
      this.#following.set(key, follow);
    }
  }

  /** Resolves when everything that was printed has been sent. */
  async finish(): Promise<void> {
    this.look();
    const holding = [...this.#following].filter(
      ([key]) => this.#run.tasks.get(key.slice(0, key.lastIndexOf("/")))?.spec.detach !== true,
    );
    await Promise.all(holding.map(([, follow]) => follow));
  }

  async #followAll(task: LiveTask, attempt: AttemptRow): Promise<void> {
    const cutter = new LineCutter();
    const folder = this.#parts.layout.attempt(attempt);
    const reading = readOutput(folder, "log", {
      hasEnded: () => isOver(task, attempt),
      clock: this.#parts.clock,
      signal: this.#signal,
    });
    for await (const piece of reading) for (const line of cutter.push(piece)) await this.#line(task, line);
    for (const line of cutter.end()) await this.#line(task, line);
  }

  async #followLast(task: LiveTask, attempt: AttemptRow): Promise<void> {
    const folder = this.#parts.layout.attempt(attempt);
    let seenBytes = -1;
    while (!this.#signal.aborted) {
      const over = isOver(task, attempt);
      const { text, endBytes } = readEnd(folder, "log", 4096);
      if (endBytes !== seenBytes) {
        seenBytes = endBytes;
        const line = lastLine(text);
        if (line !== "") await this.#line(task, line);
      }
      if (over) return;
      await delay(this.#parts.clock, FASTEST_UPDATE_MS);
    }
  }

  #line(task: LiveTask, text: string): Promise<void> {
    return this.#send({ type: "line", data: { task: task.row.name, text } });
  }
}

// A progress bar redraws its line with carriage returns: what stands after the last one is what is seen.
function lastLine(text: string): string {
  const line = text.split("\n").findLast((one) => one.trim() !== "") ?? "";
  return line.split("\r").findLast((one) => one.trim() !== "") ?? "";
}

/** Sends what a task has printed, and with `follow` what it prints until it ends. */
export async function streamLogs(
  parts: Parts,
  request: StreamRequest<"logs">,
  send: Send<"logs">,
  signal: AbortSignal,
): Promise<void> {
  const { run, task } = await resolveId(parts, request.id, request.directory);
  const tasks = task === undefined ? [...run.tasks.values()] : [task];
  const name: OutputName = request.output === true ? "output" : "log";
  const one = async (each: LiveTask): Promise<void> => {
    let attempt = await chooseAttempt(parts, each, request.attempt, request.follow === true, signal);
    let { lastLines } = request;
    while (attempt !== undefined) {
      const current = attempt;
      const folder = parts.layout.attempt(current);
      const fromBytes = lastLines === undefined ? 0 : startOfLastLines(folder, name, lastLines);
      const hasEnded = (): boolean => request.follow !== true || isOver(each, current);
      for await (const piece of readOutput(folder, name, { fromBytes, hasEnded, clock: parts.clock, signal })) {
        const message = { bytes: piece.toString("base64"), ...(tasks.length > 1 ? { task: each.row.name } : {}) };
        await send({ type: "piece", data: message });
      }
      const goesOn = request.follow === true && request.attempt === undefined;
      attempt = goesOn ? await nextAttempt(parts, each, current, signal) : undefined;
      lastLines = undefined;
    }
  };
  if (request.follow === true) await Promise.all(tasks.map(one));
  else for (const each of tasks) await one(each);
}

async function chooseAttempt(
  parts: Parts,
  task: LiveTask,
  number: number | undefined,
  wait: boolean,
  signal: AbortSignal,
): Promise<AttemptRow | undefined> {
  if (number !== undefined && number !== task.attempt?.number) {
    const attempts = await loadAttempts(parts.store, task.row.run);
    const found = attempts.find((attempt) => attempt.task === task.row.name && attempt.number === number);
    if (found !== undefined) return found;
    throw new AnabranchError("NOT_FOUND", {
      message: `task ${task.row.name} has no attempt ${number}`,
      hint: `anabranch show ${task.row.run}/${task.row.name}`,
    });
  }
  while (
    wait &&
    !(task.attempt !== undefined && hasBegun(task.attempt)) &&
    task.row.state !== "ended" &&
    !signal.aborted
  ) {
    await delay(parts.clock, FASTEST_UPDATE_MS);
  }
  return task.attempt;
}

/** The attempt that follows one that is over, once it has begun; `undefined` when the task ends without another. */
async function nextAttempt(
  parts: Parts,
  task: LiveTask,
  { number }: AttemptRow,
  signal: AbortSignal,
): Promise<AttemptRow | undefined> {
  const isNext = (): boolean =>
    (task.attempt?.number ?? 0) > number && task.attempt !== undefined && hasBegun(task.attempt);
  while (!isNext() && task.row.state !== "ended" && !signal.aborted) await delay(parts.clock, FASTEST_UPDATE_MS);
  return isNext() ? task.attempt : undefined;
}

/** Whether there is, or may be, output. */
function hasBegun({ state, process }: AttemptRow): boolean {
  return process !== undefined || state !== "starting";
}

function isOver(task: LiveTask, attempt: AttemptRow): boolean {
  const current = task.attempt;
  if (current === undefined || current.number !== attempt.number) return true;
  return current.state !== "running" && current.state !== "starting";
}

const DIFF_FORMATS = { patch: "--patch", stat: "--stat", names: "--name-status" } as const;

/** Sends what a task changed, as git shows it. */
export async function streamDiff(
  parts: Parts,
  request: StreamRequest<"diff">,
  send: Send<"diff">,
  signal: AbortSignal,
): Promise<void> {
  const { run, task } = await resolveId(parts, request.id, request.directory);
  const { base, snapshot } = await differenceOf(parts, run, task);
  const vault = parts.vaultOf(run.row.repositoryId);
  const args = [
    "diff",
    DIFF_FORMATS[request.format ?? "patch"],
    request.colour === true ? "--color=always" : "--color=never",
    "--no-ext-diff",
    "--no-textconv",
    base,
    snapshot,
  ];
  const onOutput = (piece: Buffer): Promise<void> => send({ type: "piece", data: { bytes: piece.toString("base64") } });
  const end = await parts.git.run(vault.place, args, { onOutput, signal });
  await send({ type: "end", data: { status: end.status ?? 1 } });
}

/** What a task changed; of a run, everything that landed, or what its only task changed. */
async function differenceOf(
  parts: Parts,
  run: LiveRun,
  task: LiveTask | undefined,
): Promise<{ readonly base: string; readonly snapshot: string }> {
  if (task === undefined) {
    const landings = await loadLandings<LandingRecord>(parts.store, run.row.id);
    const tip = viewLane(run, landings).tip;
    if (tip !== undefined) return { base: run.row.baseCommit, snapshot: tip };
  }
  const only = task ?? (await resolveTask(parts, run.row.id, undefined)).task;
  const changeset = only.attempt?.changeset;
  if (changeset !== undefined) return changeset;
  throw new AnabranchError("NO_CHANGESET", {
    message: `${run.row.id}/${only.row.name} has no changeset: ${whyNone(only)}`,
    hint: `anabranch show ${run.row.id}/${only.row.name}`,
  });
}

function whyNone(task: LiveTask): string {
  if (task.spec.writes === "none") return "it writes nothing";
  return task.row.state === "ended" ? `it ${task.row.outcome} without one` : `it is ${task.row.state}`;
}
