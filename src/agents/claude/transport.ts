import type { LineProgramEnd } from "../../process/line-program.ts";
import type { MessageTiming } from "../../engine/agent.ts";
import type { DefinitionHook } from "./definition-hooks.ts";
import type { Fields } from "../fields.ts";

/** A way to speak with one running Claude Code. */
export interface Transport {
  readonly pid: number;
  /** Passes on what somebody says; resolves when the program has taken it. */
  say(message: Spoken): Promise<void>;
  /** Asks the program to stop what it is doing; resolves when it has agreed. */
  interrupt(): Promise<void>;
  /** What was used so far by the program's own count, that of a conversation it goes on with included. */
  usage(): Promise<Fields>;
  /** The money of `usage`, about, and while a turn goes on; it is not told everywhere. */
  cost(): Promise<number | undefined>;
  /** Ends it, ever more firmly; resolves when it is gone. */
  close(patienceMs: number): Promise<void>;
  /** Resolves when it is gone and everything it said has been passed on. */
  readonly gone: Promise<LineProgramEnd>;
}

/** Something to say to the agent. */
export interface Spoken {
  /** Comes back when it is about to reach the model. */
  readonly id: string;
  readonly text: string;
  readonly when: MessageTiming;
}

/** Who listens to a transport. None of these throws. */
export interface Listener {
  /** Gets each message of the conversation, in order. */
  onMessage(message: Fields): void;
  /** Answers what is asked before and after a tool is used. */
  onHook(input: Fields): Promise<Fields>;
  /** Answers a hook of the definition that is due. */
  onDefinitionHook(hook: DefinitionHook, input: Fields): Promise<Fields>;
  /** Answers whether a tool may be used that the program will not use on its own authority. */
  onPermission(request: Fields): Promise<Fields>;
  /** Gets what people should know of the transport itself. */
  onRemark(text: string): void;
}

/** Before each tool, and after those that touch files. */
export const HOOKED_AFTER = "Read|Edit|Write|MultiEdit|NotebookEdit";

/** About three weeks: a person may be asked, and timers of 2^31 ms and more go off at once. */
export const HOOK_PATIENCE_S = 2_000_000;

/** The table of all hooks by their events; `ours` come first, and all of an event are heard whatever one of them says. */
export function hookTable<Group extends object>(
  ours: Readonly<Record<string, Group>>,
  hooks: readonly DefinitionHook[],
  groupOf: (hook: DefinitionHook, index: number) => Group,
): Record<string, Group[]> {
  const table = new Map(Object.entries(ours).map(([event, group]) => [event, [group]]));
  for (const [index, hook] of hooks.entries())
    table.set(hook.event, [...(table.get(hook.event) ?? []), groupOf(hook, index)]);
  return Object.fromEntries(table);
}

/** Something to say, as the program reads it. */
export function messageOf({ id, text, when }: Spoken, conversation: string): object {
  return {
    type: "user",
    message: { role: "user", content: [{ type: "text", text }] },
    parent_tool_use_id: null,
    session_id: conversation,
    uuid: id,
    priority: when,
  };
}

/** What people are told of a line that was too long to be read. */
export function overlong(sizeBytes: number): string {
  return `claude wrote a line of ${sizeBytes} bytes, which was skipped`;
}

/** What is said of a line that is no message. */
export function stray(line: string): string {
  return `claude wrote a line that is no message: ${line.slice(0, 200)}`;
}
