import type { Session } from "../../agents/port.ts";
import type { MessageRow } from "../../store/messages.ts";
import type { AgentWorkContext } from "./agent-work.ts";
import type { Transcript } from "./transcript.ts";
import type { TurnQueue } from "./turn-queue.ts";

/**
 * Brings the messages to one task from the mailbox to its agent.
 *
 * In a turn: `next` is passed on where the kind can take it, and is delivered once the agent says that it has it; `now`
 * ends the turn and is said at once. Everything else is said when the turn is over. A message is passed on once.
 */
export class MessageCourier {
  readonly #context: AgentWorkContext;
  readonly #turns: TurnQueue;
  readonly #transcript: Transcript;
  readonly #session: () => Session | undefined;
  /** Passed on and not taken yet, by their words. */
  readonly #sent = new Map<string, MessageRow[]>();
  #urgent: MessageRow[] = [];
  /** From the inbox, in what is said to begin a turn: read when the agent has answered to it. */
  #saying: MessageRow[] = [];
  #delivering: Promise<void> = Promise.resolve();
  readonly #stopListening: () => void;

  /** @param session the one that is open now */
  constructor(context: AgentWorkContext, turns: TurnQueue, transcript: Transcript, session: () => Session | undefined) {
    this.#context = context;
    this.#turns = turns;
    this.#transcript = transcript;
    this.#session = session;
    const { parts, attempt } = context;
    this.#stopListening = parts.mailbox.listen(attempt.run, attempt.task, () => this.deliver());
  }

  /** Passes on what was posted while a turn goes on. */
  deliver(): void {
    this.#afterwards(() => this.#deliverNow());
  }

  /** Resolves when nothing is being passed on. */
  settled(): Promise<void> {
    return this.#delivering;
  }

  /** The agent says that a message has reached it. */
  taken(text: string): void {
    const [message, ...others] = this.#sent.get(text) ?? [];
    this.#sent.set(text, others);
    this.#turns.expected();
    if (message === undefined) return;
    this.#transcript.said(text, "message");
    this.#afterwards(() => this.#context.parts.mailbox.settle(message, "delivered"));
  }

  /** What is to be said at once, now that the turn was ended for it. */
  takeUrgent(): MessageRow[] {
    return this.#urgent.splice(0);
  }

  /** What waits to be said between turns. */
  waiting(): Promise<MessageRow[]> {
    const { parts, attempt } = this.#context;
    return parts.mailbox.waiting(attempt.run, attempt.task);
  }

  /** What is to be said of messages, which are delivered with it. */
  async wordsOf(messages: readonly MessageRow[]): Promise<string> {
    this.#saying = messages.filter(({ sender }) => sender.kind === "inbox");
    for (const message of messages) {
      if (!this.#saying.includes(message)) await this.#context.parts.mailbox.settle(message, "delivered");
    }
    return messages.map(wordsOf).join("\n\n");
  }

  /** The turn that was begun with those words is over; what the agent has not answered to is said again. */
  async said(isAnswered: boolean): Promise<void> {
    for (const message of this.#saying.splice(0)) {
      if (isAnswered) await this.#context.parts.mailbox.settle(message, "delivered");
    }
  }

  /** The work is over: what has not reached the agent is told as undelivered. */
  async end(): Promise<void> {
    this.#stopListening();
    await this.#delivering;
    for (const message of await this.waiting()) await this.#context.parts.mailbox.settle(message, "undelivered");
  }

  #afterwards(action: () => Promise<void>): void {
    this.#delivering = this.#delivering.then(action).catch((cause: unknown) => {
      this.#context.parts.log("warn", "a message could not be delivered", { cause: String(cause) });
    });
  }

  async #deliverNow(): Promise<void> {
    const session = this.#session();
    if (session === undefined || !this.#turns.isOpen) return;
    const underWay = [...this.#urgent, ...this.#saying, ...[...this.#sent.values()].flat()];
    const known = new Set(underWay.map(({ id }) => id));
    for (const message of await this.waiting()) {
      if (known.has(message.id)) continue;
      if (message.timing === "now") {
        this.#urgent.push(message);
        await session.interrupt();
      } else if (message.timing === "next" && session.capabilities.steer) {
        const text = wordsOf(message);
        this.#sent.set(text, [...(this.#sent.get(text) ?? []), message]);
        this.#turns.expect();
        await session.send({ text, when: "next" });
      }
    }
  }
}

/** A person's words are the agent's to follow; those of another task are only told. */
function wordsOf({ sender, text }: MessageRow): string {
  if (sender.kind === "person") return text;
  if (sender.kind === "inbox")
    return `What you have started has ended (note ${sender.entry}; told twice, it is one):\n${text}`;
  return `A note from task ${sender.task} of run ${sender.run}; weigh it yourself:\n${text}`;
}
