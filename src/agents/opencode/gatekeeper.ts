import type { Gate, GateAnswer, ToolRequest } from "../port.ts";
import { fieldsOf, textOf, type Fields } from "../fields.ts";

/** Answers what opencode asks before it uses a tool. */
export interface Gatekeeper {
  /** Takes a question of the session's, or of one of its helpers. */
  ask(question: Fields, directory: string): void;
  /** Answers nothing any more. */
  stop(): void;
}

/** What the gatekeeper needs of its session. */
export interface GatekeeperParts {
  readonly gate: Gate;
  /** Tells of the tool that is asked about, and what it is. */
  readonly announce: (id: string, name: string, asked: Fields) => ToolRequest;
  readonly reply: (question: string, directory: string, answer: Reply) => Promise<void>;
  /** Tells the agent something beside the answer. */
  readonly note: (text: string) => Promise<void>;
}

/** An answer, as opencode takes it. */
type Reply = { readonly reply: "once" } | { readonly reply: "reject"; readonly message: string };

interface Refused {
  readonly question: string;
  readonly directory: string;
  readonly reason: string;
}

/**
 * To refuse one tool refuses all that the same conversation asks about at that moment. So a refusal waits until
 * nothing else is open there, and the first one carries the reasons of all.
 */
export function createGatekeeper({ gate, announce, reply, note }: GatekeeperParts): Gatekeeper {
  const open = new Map<string, number>();
  const refused = new Map<string, Refused[]>();
  let isStopped = false;

  async function decide(question: Fields, directory: string): Promise<void> {
    const [id, session] = [textOf(question["id"]) ?? "", textOf(question["sessionID"]) ?? ""];
    const name = textOf(question["permission"]) ?? "";
    // The tool that reaches outside is asked about by its own name as well.
    if (name === "external_directory") return reply(id, directory, { reply: "once" });
    const call = textOf(fieldsOf(question["tool"])["callID"]) ?? id;
    open.set(session, (open.get(session) ?? 0) + 1);
    const answer = await gate(announce(call, name, question)).catch(unanswered);
    const left = (open.get(session) ?? 1) - 1;
    open.set(session, left);
    if (isStopped) return;
    if (answer.allow) {
      if (answer.note !== undefined) await note(answer.note);
      await reply(id, directory, { reply: "once" });
    } else {
      refused.set(session, [...(refused.get(session) ?? []), { question: id, directory, reason: answer.reason }]);
    }
    if (left === 0) await refuse(session);
  }

  async function refuse(session: string): Promise<void> {
    const [first, ...others] = refused.get(session) ?? [];
    refused.delete(session);
    if (first === undefined) return;
    const message = [first, ...others].map(({ reason }) => reason).join("\n");
    await reply(first.question, first.directory, { reply: "reject", message });
  }

  return {
    // A question that cannot be answered any more is answered by the end of its turn.
    ask: (question, directory) => void decide(question, directory).catch(() => undefined),
    stop: () => void (isStopped = true),
  };
}

function unanswered(cause: unknown): GateAnswer {
  return { allow: false, reason: `it could not be decided: ${cause instanceof Error ? cause.message : String(cause)}` };
}
