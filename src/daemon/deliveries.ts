/**
 * Tells agents at work what has ended of all they have started, in their own conversation.
 *
 * An entry of the inbox of a task: unread → put to its agent as a message, still unread → read, together with the
 * message's delivery. Where the agent's work is over before, it stays unread: for the next attempt, or for whoever the
 * end of the task passes it on to.
 *
 * Invariants:
 * 1. An entry is read only in the transaction in which its message is delivered, or when its reader says so.
 * 2. One attempt of a task is given one message for an entry, whatever daemons there are meanwhile.
 * 3. What an agent waits for itself is not put to it as long as it waits.
 */
import { createSignal, type Signal } from "../base/signal.ts";
import { addressOfTask, loadInbox } from "../store/inbox.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** As many at once as an agent can be told in one go; the others follow when these are read. */
const MOST_AT_ONCE = 50;
const RETRY_MS = 1000;

/** See the head of this file. */
export class Deliveries {
  readonly #parts: Parts;
  readonly #signal: Signal;
  /** By the task that is told: the entries that were put to its agent since that can be told. */
  readonly #put = new Map<string, Set<string>>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#signal = createSignal(() => this.#look());
  }

  /** From now on, whatever may have to be told is looked at. */
  start(): void {
    const { book, waiting, mailbox } = this.#parts;
    book.onChange((run, tasks) => this.#note(run, tasks));
    waiting.onEnd(() => this.#signal.raise());
    mailbox.onRead(() => this.#signal.raise());
    mailbox.onListening((key) => {
      this.#put.delete(key);
      this.#signal.raise();
    });
  }

  #note(run: LiveRun, tasks: readonly string[]): void {
    const { mailbox } = this.#parts;
    if (mailbox.listening().length === 0) return;
    const hasEnded = tasks.some((name) => run.tasks.get(name)?.row.state === "ended");
    if (hasEnded || run.row.state === "ended") this.#signal.raise();
  }

  async #look(): Promise<void> {
    const { mailbox, log } = this.#parts;
    const listening = mailbox.listening();
    for (const key of this.#put.keys()) if (!listening.includes(key)) this.#put.delete(key);
    for (const key of listening) {
      try {
        await this.#tell(key);
      } catch (cause) {
        log("warn", "an agent could not be told what has ended", { task: key, cause: String(cause) });
        this.#parts.clock.after(RETRY_MS, () => this.#signal.raise());
      }
    }
  }

  async #tell(key: string): Promise<void> {
    const { book, mailbox, store, waiting } = this.#parts;
    const [run = "", task = ""] = key.split("/");
    const attempt = book.get(run)?.tasks.get(task)?.row.attempt;
    if (attempt === undefined) return;
    const address = addressOfTask(run, task);
    const unread = await loadInbox(store, { address, leftBeforeMs: undefined }, { limit: MOST_AT_ONCE });
    const put = this.#put.get(key) ?? new Set();
    this.#put.set(key, put);
    for (const entry of unread) {
      if (put.has(entry.id) || (entry.run !== undefined && waiting.has(address, entry.run))) continue;
      await mailbox.tell(entry, { run, task, attempt });
      put.add(entry.id);
    }
  }
}
