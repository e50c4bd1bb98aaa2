import { z } from "zod";

import { agentCommands } from "./commands/agents.ts";
import { backgroundCommands, backgroundStreams } from "./commands/background.ts";
import { conflictCommands } from "./commands/conflicts.ts";
import { conversationCommands } from "./commands/conversations.ts";
import { daemonCommands } from "./commands/daemon.ts";
import { eventCommands } from "./commands/events.ts";
import { directory, id } from "./commands/fields.ts";
import { landingCommands } from "./commands/landings.ts";
import { leaseCommands } from "./commands/leases.ts";
import { noticeCommands } from "./commands/notices.ts";
import { runCommands } from "./commands/runs.ts";
import { triggerCommands } from "./commands/triggers.ts";
import { webhookCommands } from "./commands/webhooks.ts";
import { eventView, runView } from "./views.ts";

/**
 * Every request a client can make. Routes, SDK methods and the shapes of `--json` come from this table.
 * `inTask: "refused"` marks what a caller inside a task may never do.
 */
export const commands = {
  ...runCommands,
  ...landingCommands,
  ...conflictCommands,
  ...conversationCommands,
  ...noticeCommands,
  ...agentCommands,
  ...leaseCommands,
  ...backgroundCommands,
  ...eventCommands,
  ...triggerCommands,
  ...webhookCommands,
  ...daemonCommands,
} as const satisfies Record<string, CommandShape>;

interface CommandShape {
  readonly request: z.ZodType;
  readonly response: z.ZodType;
  readonly inTask: "allowed" | "refused";
}

/** A piece of a stream of bytes. */
const piece = z.object({
  /** Base64. */
  bytes: z.string(),
  task: z.string().optional(),
});

/** Every request whose answer is a stream of messages, each with a type. */
export const streams = {
  /** Events as they are committed. With `follow: false` it ends at the newest. */
  events: {
    request: z.strictObject({
      afterSeq: z.number().min(0).optional(),
      /** Not those from before this time. */
      sinceMs: z.number().min(0).optional(),
      run: id.optional(),
      /** Globs of types, such as `task.*`. */
      types: z.array(z.string().min(1).max(200)).min(1).max(100).optional(),
      /** Only those of the repository around `directory`. */
      here: z.boolean().optional(),
      follow: z.boolean().optional(),
      directory: directory.optional(),
    }),
    messages: { event: eventView, reset: z.object({ oldestSeq: z.number() }) },
  },
  /** One run as it goes: the whole view whenever something changed, and output lines as they come. */
  watch: {
    request: z.strictObject({
      id,
      /** `last`: the newest line of each task; `full`: every line. */
      output: z.enum(["none", "last", "full"]).optional(),
      directory: directory.optional(),
    }),
    messages: {
      run: runView,
      line: z.object({ task: z.string(), text: z.string() }),
    },
  },
  /** What a task printed. */
  logs: {
    request: z.strictObject({
      id,
      follow: z.boolean().optional(),
      attempt: z.int().min(1).optional(),
      /** Only the last so many lines of what was printed by now. */
      lastLines: z.int().min(0).max(10_000).optional(),
      /** Standard output alone, of a task with `output:`. */
      output: z.boolean().optional(),
      directory: directory.optional(),
    }),
    messages: { piece },
  },
  /** What a task changed, as a patch. */
  diff: {
    request: z.strictObject({
      id,
      format: z.enum(["patch", "stat", "names"]).optional(),
      colour: z.boolean().optional(),
      directory: directory.optional(),
    }),
    messages: { piece, end: z.object({ status: z.number() }) },
  },
  ...backgroundStreams,
  /** A read-only git command in the vault. */
  git: {
    request: z.strictObject({ args: z.array(z.string()).min(1), directory }),
    messages: { piece, complaint: z.object({ text: z.string() }), end: z.object({ status: z.number() }) },
  },
} as const;

/** The names of the commands. */
export type CommandName = keyof typeof commands;
/** What a command is asked with. */
export type CommandRequest<Name extends CommandName> = z.infer<(typeof commands)[Name]["request"]>;
/** What a command answers. */
export type CommandResponse<Name extends CommandName> = z.infer<(typeof commands)[Name]["response"]>;

/** The names of the streams. */
export type StreamName = keyof typeof streams;
/** What a stream is asked with. */
export type StreamRequest<Name extends StreamName> = z.infer<(typeof streams)[Name]["request"]>;
/** The messages of a stream. */
export type StreamMessage<Name extends StreamName> = {
  [Type in keyof (typeof streams)[Name]["messages"] & string]: {
    readonly type: Type;
    readonly data: z.infer<(typeof streams)[Name]["messages"][Type] & z.ZodType>;
  };
}[keyof (typeof streams)[Name]["messages"] & string];
