import { createSignal } from "../base/signal.ts";
import type { StreamRequest } from "../protocol/commands.ts";
import type { InboxEntryView } from "../protocol/views.ts";
import {
  acknowledgeInbox,
  addressOfConversation,
  addressOfTask,
  countUnread,
  loadInbox,
  PERSON,
  type InboxReader,
  type InboxRow,
} from "../store/inbox.ts";
import { findCaller, type CallerClaims } from "./caller.ts";
import type { HandlerContext, Handlers } from "./handlers.ts";
import type { Parts } from "./parts.ts";
import { repositoryAround } from "./resolve.ts";
import type { Send } from "./streams.ts";

type InboxHandlers = Pick<Handlers, "inbox" | "acknowledge">;

const USUAL_LIMIT = 100;
/** What a conversation has not come for by then, the person is told too. */
const CONVERSATION_PATIENCE_MS = 10 * 60_000;

/** Makes the handlers of what whoever asks was not told of yet. */
export function createInboxHandlers({ parts }: HandlerContext): InboxHandlers {
  return {
    async inbox({ directory, read, limit = USUAL_LIMIT }, caller) {
      const reader = await readerOf(parts, caller);
      const repositoryId = await repositoryOf(parts, reader, directory);
      const [unread, entries] = await Promise.all([
        countUnread(parts.store, reader, repositoryId),
        limit === 0 ? [] : loadInbox(parts.store, reader, { repositoryId, read, limit }),
      ]);
      return { addressee: reader.address, unread, entries: entries.map(viewEntry) };
    },

    async acknowledge({ ids }, caller) {
      const names = ids.flatMap((id) => [id, id.includes("/") ? `task:${id}` : `run:${id}`]);
      await parts.store.commit([acknowledgeInbox(await readerOf(parts, caller), names, parts.clock.wallMs())]);
      return {};
    },
  };
}

/** How many entries of the caller's inbox were not read. */
export async function countUnreadOf(
  parts: Parts,
  caller: CallerClaims,
  directory: string | undefined,
): Promise<number> {
  const reader = await readerOf(parts, caller);
  return countUnread(parts.store, reader, await repositoryOf(parts, reader, directory));
}

/** Sends what comes into the caller's inbox, each once, as long as the caller listens. */
export async function streamInbox(
  parts: Parts,
  { directory }: StreamRequest<"inbox">,
  send: Send<"inbox">,
  signal: AbortSignal,
  caller: CallerClaims,
): Promise<void> {
  const { address } = await readerOf(parts, caller);
  const repositoryId = await repositoryOf(parts, { address }, directory);
  let wake: () => void = () => undefined;
  const changed = createSignal(async () => wake());
  const stop = parts.store.onCommit(() => changed.raise());
  signal.addEventListener("abort", () => changed.raise());
  let sent = new Set<string>();
  try {
    while (!signal.aborted) {
      const asleep = new Promise<void>((resolve) => (wake = resolve));
      const reader = readerAt(parts, address);
      const unread = await loadInbox(parts.store, reader, { repositoryId, limit: USUAL_LIMIT });
      for (const row of unread) {
        if (!sent.has(row.id) && !signal.aborted) await send({ type: "entry", data: viewEntry(row) });
      }
      // What is acknowledged is not among them any more.
      sent = new Set(unread.map(({ id }) => id));
      await asleep;
    }
  } finally {
    stop();
  }
}

/** Whose inbox a caller reads. */
export async function addressOf(parts: Parts, caller: CallerClaims): Promise<string> {
  const task = await findCaller(parts, caller);
  if (task !== undefined) return addressOfTask(task.run, task.task);
  return caller.conversation === undefined ? PERSON : addressOfConversation(caller.conversation);
}

async function readerOf(parts: Parts, caller: CallerClaims): Promise<InboxReader> {
  return readerAt(parts, await addressOf(parts, caller));
}

function readerAt({ clock }: Parts, address: string): InboxReader {
  return { address, leftBeforeMs: address === PERSON ? clock.wallMs() - CONVERSATION_PATIENCE_MS : undefined };
}

/** A task and a conversation are told of everything that is for them, wherever it was. */
function repositoryOf(
  parts: Parts,
  { address }: Pick<InboxReader, "address">,
  directory: string | undefined,
): Promise<string | undefined> {
  return address === PERSON ? repositoryAround(parts, directory) : Promise.resolve(undefined);
}

/** An entry, as clients see it. */
function viewEntry({ id, kind, addressee, run, task, record, state, createdMs }: InboxRow): InboxEntryView {
  const { title, outcome, reason, command } = record;
  return {
    id,
    kind,
    addressee,
    ...(run === undefined ? {} : { run }),
    ...(task === undefined ? {} : { task }),
    title,
    ...(outcome === undefined ? {} : { outcome }),
    ...(reason === undefined ? {} : { reason }),
    command,
    unread: state === "unread",
    createdMs,
  };
}
