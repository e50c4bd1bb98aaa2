/**
 * The watcher, as the daemon has it.
 *
 * absent     nothing is to be watched
 * running    it has been told what to watch
 * waiting    it died; it is started again after a while, longer each time, and told everything anew
 *
 * What it says of something that is not watched any more is dropped.
 */
import type { CancelTimer, Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { startLineProgram, type LineProgram } from "../process/line-program.ts";
import { plainEnvironment } from "../process/own-programs.ts";
import type { WatcherNews, WatcherOrder } from "./watcher/wire.ts";

/** Told what the watcher says of one root, and of its death. */
export interface WatcherListener {
  readonly news: (news: WatcherNews) => void;
  /** Nothing is watched until it says that it is ready again. */
  readonly lost: () => void;
}

/** What the program needs. */
export interface WatcherTools {
  /** The watcher's own file, run with this Node. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
}

const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [100, 30_000];
/** Having lived so long, it starts again at once. */
const HEALTHY_MS = 60_000;
const PATIENCE_MS = 1000;
/** Node is kept small: what it does is little, and it does it for years. */
const FLAGS = ["--max-semi-space-size=1", "--v8-pool-size=0", "--no-opt", "--max-lazy"];

/** Keeps one watcher running while anything is to be watched. */
export class WatcherProgram {
  readonly #tools: WatcherTools;
  readonly #wanted = new Map<string, { order: WatcherOrder & { do: "watch" }; listener: WatcherListener }>();
  #program: LineProgram | undefined;
  #starting = false;
  #cancelWait: CancelTimer | undefined;
  #waitMs = FIRST_WAIT_MS;
  #isClosed = false;

  constructor(tools: WatcherTools) {
    this.#tools = tools;
  }

  /** Its process number while it runs. */
  get pid(): number | undefined {
    return this.#program?.pid;
  }

  /** Starts it already, while what it is to watch is being found out. */
  wake(): void {
    if (this.#program === undefined) this.#start();
  }

  /** Watches a root from now on; said again, what to skip changes. */
  watch(id: string, root: string, skip: readonly string[], listener: WatcherListener): void {
    const order = { do: "watch", id, root, skip } as const;
    this.#wanted.set(id, { order, listener });
    if (this.#program !== undefined) void this.#program.write(JSON.stringify(order));
    else this.#start();
  }

  unwatch(id: string): void {
    if (this.#wanted.delete(id)) void this.#program?.write(JSON.stringify({ do: "unwatch", id }));
    if (this.#wanted.size === 0) this.#program?.end();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelWait?.();
    this.#wanted.clear();
    await this.#program?.close(PATIENCE_MS);
  }

  #start(): void {
    if (this.#starting || this.#cancelWait !== undefined || this.#isClosed) return;
    this.#starting = true;
    const startedMs = this.#tools.clock.monotonicMs();
    this.#run()
      .then((words) => this.#ended(startedMs, words))
      .catch((cause: unknown) => this.#ended(startedMs, String(cause)));
  }

  /** @returns its last words, when it has ended */
  async #run(): Promise<string> {
    const environment = Object.entries(plainEnvironment()).filter((entry): entry is [string, string] => !!entry[1]);
    const program = await startLineProgram({
      program: process.execPath,
      args: [...FLAGS, this.#tools.file],
      cwd: "/",
      environment: Object.fromEntries(environment),
      clock: this.#tools.clock,
      onLine: (line) => this.#heard(line),
      onOverlong: () => undefined,
    });
    this.#program = program;
    this.#starting = false;
    if (this.#isClosed) program.end();
    for (const { order } of this.#wanted.values()) void program.write(JSON.stringify(order));
    return (await program.gone).lastWords;
  }

  #heard(line: string): void {
    const news = JSON.parse(line) as WatcherNews;
    const wanted = this.#wanted.get(news.id);
    if (news.news === "gone" || news.news === "failed") this.#wanted.delete(news.id);
    wanted?.listener.news(news);
  }

  #ended(startedMs: number, words: string): void {
    this.#program = undefined;
    this.#starting = false;
    if (this.#isClosed || this.#wanted.size === 0) return;
    const { clock, log } = this.#tools;
    const isHealthy = clock.monotonicMs() - startedMs >= HEALTHY_MS;
    this.#waitMs = isHealthy ? FIRST_WAIT_MS : Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
    log("warn", "the watcher of files has died; it is started again", { waitMs: this.#waitMs, words });
    for (const { listener } of this.#wanted.values()) listener.lost();
    this.#cancelWait = clock.after(this.#waitMs, () => {
      this.#cancelWait = undefined;
      if (this.#wanted.size > 0) this.#start();
    });
  }
}
