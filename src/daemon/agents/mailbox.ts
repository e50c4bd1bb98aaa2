import { AnabranchError } from "../../base/errors.ts";
import { newId, type RandomBytes } from "../../base/ids.ts";
import type { Clock } from "../../base/clock.ts";
import type { MessageTiming } from "../../engine/agent.ts";
import { appendEvent } from "../../store/events.ts";
import {
  insertMessage,
  loadMessages,
  settleMessage,
  type MessageRow,
  type MessageSender,
} from "../../store/messages.ts";
import type { Store } from "../../store/port.ts";
import { taskKey, type LiveRun, type LiveTask } from "../live-run.ts";

/**
 * What is said to agents at work, from people and from other tasks: durable before it is passed on, passed on once.
 *
 * waiting → delivered (the agent's program has it) | undelivered (the agent's work was over before)
 */
export class Mailbox {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #listeners = new Map<string, () => void>();

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

  /** The messages that wait for a task, oldest first. */
  async waiting(run: string, task: string): Promise<MessageRow[]> {
    return (await loadMessages(this.#store, run, task)).filter(({ state }) => state === "waiting");
  }

  /** Calls `listener` for each message to a task; returns the way to stop that. */
  listen(run: string, task: string, listener: () => void): () => void {
    const key = taskKey(run, task);
    this.#listeners.set(key, listener);
    return () => {
      if (this.#listeners.get(key) === listener) this.#listeners.delete(key);
    };
  }

  /** Says how a message ended. */
  async settle(message: MessageRow, state: "delivered" | "undelivered"): Promise<void> {
    const atMs = this.#clock.wallMs();
    const { run, task, id } = message;
    await this.#store.commit([
      settleMessage(id, state, atMs),
      appendEvent({ atMs, type: `message.${state}`, run, task, data: { message: id } }),
    ]);
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
