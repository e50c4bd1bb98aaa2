import { AnabranchError } from "../../base/errors.ts";
import { newId, type RandomBytes } from "../../base/ids.ts";
import type { Clock } from "../../base/clock.ts";
import { faultPoint } from "../../base/fault.ts";
import type { MessageTiming } from "../../engine/agent.ts";
import { appendEvent } from "../../store/events.ts";
import { markRead, type InboxRow } from "../../store/inbox.ts";
import {
  insertMessage,
  insertMessageOnce,
  loadMessages,
  settleMessage,
  type MessageRow,
  type MessageSender,
} from "../../store/messages.ts";
import type { Store } from "../../store/port.ts";
import { taskKey, type LiveRun, type LiveTask } from "../live-run.ts";

/**
 * What is said to agents at work, from people and from other tasks: durable before it is passed on, passed on once. What
 * comes from the inbox of a task is read there in the transaction in which it is delivered here; else it stays unread.
 *
 * waiting → delivered (the agent's program has it) | undelivered (the agent's work was over before)
 */
export class Mailbox {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #listeners = new Map<string, () => void>();
  readonly #onListening = new Set<(key: string) => void>();
  readonly #onRead = new Set<() => void>();

  constructor(store: Store, clock: Clock, random: RandomBytes) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Takes a message to a task's agent.
   * @throws {AnabranchError} `SESSION_CLOSED` when no agent does the task, or its work is over
   */
  async post(
    run: LiveRun,
    task: LiveTask,
    message: { readonly sender: MessageSender; readonly timing: MessageTiming; readonly text: string },
  ): Promise<MessageRow> {
    requireListener(run, task);
    const row = {
      id: newId(this.#random),
      run: run.row.id,
      task: task.row.name,
      createdMs: this.#clock.wallMs(),
      ...message,
    };
    await this.#store.commit([
      insertMessage(row),
      appendEvent({
        atMs: row.createdMs,
        type: "message.sent",
        run: row.run,
        task: row.task,
        data: { message: row.id, when: row.timing, from: row.sender },
      }),
    ]);
    this.#listeners.get(taskKey(row.run, row.task))?.();
    return { ...row, state: "waiting", endedMs: undefined };
  }

  /** Puts an entry of the inbox of a task to its agent, once in an attempt. */
  async tell(
    entry: InboxRow,
    to: { readonly run: string; readonly task: string; readonly attempt: number },
  ): Promise<void> {
    const { run, task, attempt } = to;
    const [id, createdMs] = [`${entry.id}-${attempt}`, this.#clock.wallMs()];
    const sender = { kind: "inbox", entry: entry.id } as const;
    const { title, command } = entry.record;
    await this.#store.commit([
      insertMessageOnce({ id, run, task, sender, timing: "next", text: `${title}; ${command}`, createdMs }),
      appendEvent({
        atMs: createdMs,
        type: "message.sent",
        run,
        task,
        data: { message: id, when: "next", from: sender },
      }),
    ]);
    faultPoint("delivery.put");
    this.#listeners.get(taskKey(run, task))?.();
  }

  /** The tasks whose agents can be told something now: `RUN/TASK`. */
  listening(): string[] {
    return [...this.#listeners.keys()];
  }

  /** Calls `listener` whenever one more of them can be told something. */
  onListening(listener: (key: string) => void): void {
    this.#onListening.add(listener);
  }

  /** Calls `listener` whenever an entry of an inbox was read by way of a message. */
  onRead(listener: () => void): void {
    this.#onRead.add(listener);
  }

  /** The messages that wait for a task, oldest first. */
  waiting(run: string, task: string): Promise<MessageRow[]> {
    return loadMessages(this.#store, run, task, "waiting");
  }

  /** Calls `listener` for each message to a task; returns the way to stop that. */
  listen(run: string, task: string, listener: () => void): () => void {
    const key = taskKey(run, task);
    this.#listeners.set(key, listener);
    for (const told of this.#onListening) told(key);
    return () => {
      if (this.#listeners.get(key) === listener) this.#listeners.delete(key);
    };
  }

  /** Says how a message ended. */
  async settle(message: MessageRow, state: "delivered" | "undelivered"): Promise<void> {
    const atMs = this.#clock.wallMs();
    const { run, task, id, sender } = message;
    const isRead = sender.kind === "inbox" && state === "delivered";
    await this.#store.commit([
      settleMessage(id, state, atMs),
      ...(isRead ? [markRead([sender.entry], atMs)] : []),
      appendEvent({ atMs, type: `message.${state}`, run, task, data: { message: id } }),
    ]);
    faultPoint("delivery.settled");
    if (isRead) for (const listener of this.#onRead) listener();
  }
}

function requireListener(run: LiveRun, task: LiveTask): void {
  const name = taskKey(run.row.id, task.row.name);
  const problem =
    task.spec.agent === undefined
      ? `${name} is a command: nobody is there to read a message`
      : ["captured", "landing", "ended"].includes(task.row.state)
        ? `the agent of ${name} is no longer at work: the task is ${task.row.state}`
        : undefined;
  if (problem === undefined) return;
  throw new AnabranchError("SESSION_CLOSED", {
    message: problem,
    hint:
      task.spec.agent === undefined ? "anabranch ls" : `anabranch fork ${name} -p "…" goes on from its conversation`,
  });
}
