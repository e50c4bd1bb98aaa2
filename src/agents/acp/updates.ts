import { z } from "zod";

const text = z.string().nullish().catch(undefined);

/** What a tool call says of itself, in an update or where it asks for permission. What is amiss in it is left out. */
export interface ToolFields {
  readonly toolCallId: string;
  readonly title?: string | null | undefined;
  readonly kind?: string | null | undefined;
  readonly status?: string | null | undefined;
  readonly locations?: readonly { readonly path: string }[] | null | undefined;
  readonly content?: readonly unknown[] | null | undefined;
  readonly rawInput?: unknown;
  readonly _meta?: Readonly<Record<string, unknown>> | null | undefined;
}

const ToolFieldsSchema = z.object({
  toolCallId: z.string(),
  title: text,
  kind: text,
  status: text,
  locations: z
    .array(z.object({ path: z.string() }))
    .nullish()
    .catch(undefined),
  content: z.array(z.unknown()).nullish().catch(undefined),
  rawInput: z.unknown().optional(),
  _meta: z.record(z.string(), z.unknown()).nullish().catch(undefined),
});

const Chunk = z.object({ content: z.object({ type: z.literal("text"), text: z.string() }) });
const UsageSchema = z.object({ used: z.number(), size: z.number().optional(), cost: z.unknown().optional() });
const NotificationSchema = z.object({
  sessionId: z.string(),
  update: z.looseObject({ sessionUpdate: z.string() }),
});

/** What an agent tells of a session. */
export type Update =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thought" }
  | { readonly type: "tool"; readonly fields: ToolFields }
  | { readonly type: "usage"; readonly used: number; readonly size: number | undefined; readonly cost: unknown }
  | { readonly type: "notice"; readonly text: string }
  /** Of no use here, though it is in order. */
  | { readonly type: "other" };

/** Reads one update; `undefined` where it cannot be understood. */
export function readUpdate(params: unknown): { readonly session: string; readonly update: Update } | undefined {
  const notification = NotificationSchema.safeParse(params);
  if (!notification.success) return undefined;
  const update = updateOf(notification.data.update);
  return update === undefined ? undefined : { session: notification.data.sessionId, update };
}

function updateOf(raw: { readonly sessionUpdate: string; readonly [key: string]: unknown }): Update | undefined {
  switch (raw.sessionUpdate) {
    case "agent_message_chunk": {
      const chunk = Chunk.safeParse(raw);
      // It may also be a picture.
      return chunk.success ? { type: "text", text: chunk.data.content.text } : { type: "other" };
    }
    case "agent_thought_chunk":
      return { type: "thought" };
    case "tool_call":
    case "tool_call_update": {
      const fields = ToolFieldsSchema.safeParse(raw);
      return fields.success ? { type: "tool", fields: fields.data } : undefined;
    }
    case "usage_update": {
      const usage = UsageSchema.safeParse(raw);
      return usage.success
        ? { type: "usage", used: usage.data.used, size: usage.data.size, cost: usage.data.cost }
        : undefined;
    }
    case "notice": {
      const words = [raw["title"], raw["description"]].filter((word) => typeof word === "string");
      return { type: "notice", text: words.join(": ") };
    }
    default:
      return { type: "other" };
  }
}

const DiffSchema = z.object({ type: z.literal("diff"), path: z.string() });
const TextSchema = z.object({ type: z.literal("content"), content: z.object({ text: z.string() }) });

/** The files whose change a tool call shows. */
export function diffsIn(content: ToolFields["content"]): string[] {
  return (content ?? []).flatMap((item) => {
    const diff = DiffSchema.safeParse(item);
    return diff.success ? [diff.data.path] : [];
  });
}

/** What a tool call says for people. */
export function wordsIn(content: ToolFields["content"]): string {
  const words = (content ?? []).flatMap((item) => {
    const piece = TextSchema.safeParse(item);
    return piece.success ? [piece.data.content.text] : [];
  });
  return words.join("\n");
}
