import { join } from "node:path";

import { requireRepositoryRow } from "../../store/repositories.ts";
import { FileWatch } from "../../triggers/file-watch.ts";
import { LogWatch } from "../../triggers/log-watch.ts";
import { RefWatch } from "../../triggers/ref-watch.ts";
import { TimerSource } from "../../triggers/timer-source.ts";
import { WebhookSecrets } from "../../triggers/webhook-secrets.ts";
import { WebhookServer } from "../../triggers/webhook-server.ts";
import { findCaller } from "../caller.ts";
import type { DaemonConfig } from "../config.ts";
import type { Parts } from "../parts.ts";
import type { Emitter } from "./emitter.ts";
import { causeAtWork } from "./own-work.ts";
import type { TriggerBook } from "./trigger-book.ts";
import { TriggerSources } from "./trigger-sources.ts";

/** The sources of events, and the server among them that people ask about. */
export interface OpenSources {
  readonly sources: TriggerSources;
  readonly hooks: WebhookServer;
}

/** Puts the sources of events together; they bring nothing before they are told what is wanted. */
export function openSources(parts: Parts, config: DaemonConfig, book: TriggerBook, emitter: Emitter): OpenSources {
  const { clock, log, store, git, random, layout, events } = parts;
  const tools = { clock, log, store, git, sink: events.append };
  const timers = new TimerSource(tools);
  emitter.onPutOff(() => timers.lookAgain());
  const hooks = new WebhookServer({
    clock,
    log,
    secrets: new WebhookSecrets({ folder: layout.webhooks, random }),
    appendOne: (event) => events.appendOne(event),
    causeOf: async (marker) => {
      const caller = await findCaller(parts, { marker, conversation: undefined, pid: undefined });
      return caller === undefined ? undefined : (await parts.book.find(caller.run))?.row.cause;
    },
    port: config.webhooks?.port,
    hosts: config.webhooks?.hosts,
  });
  const logs = new LogWatch({ ...tools, causeOf: ({ triggerId }) => causeAtWork(parts.book.all(), triggerId) });
  const files = new FileWatch({
    ...tools,
    ownFolders: [layout.state],
    onTrouble({ repositoryId, root, message, hint }) {
      const record = { title: message, detail: hint, paths: [root] };
      parts.notices
        .post({ repositoryId, kind: "trouble", record })
        .catch((cause: unknown) => log("error", "trouble could not be told", { message, cause: String(cause) }));
    },
    watcherFile: join(import.meta.dirname, "watcher.js"),
  });
  const refs = new RefWatch(tools);
  const commonDirectoryOf = async (repositoryId: string): Promise<string> =>
    (await requireRepositoryRow(store, repositoryId)).commonDirectory;
  return { sources: new TriggerSources(book, { files, refs, timers, hooks, logs }, commonDirectoryOf), hooks };
}
