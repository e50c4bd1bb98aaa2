import { realpathSync } from "node:fs";

import { AnabranchError, isAnabranchError } from "../../base/errors.ts";
import { fieldsOf, textOf } from "../fields.ts";
import type { OpenOptions } from "../port.ts";
import { RefusedCall, type Client } from "./client.ts";
import { rulesOf } from "./rules.ts";

/** Begins a conversation, goes on with one, or copies one into this folder; resolves with its id. */
export async function settleConversation(client: Client, options: OpenOptions): Promise<string> {
  const { cwd, resume, forkFrom } = options;
  const rules = rulesOf(options);
  if (resume !== undefined) {
    const session = await known(client, resume, cwd);
    await moveInto(client, session, cwd);
    await client.call("PATCH", pathOf(resume), { directory: cwd, body: { permission: rules } });
    return resume;
  }
  if (forkFrom === undefined) {
    const body = { title: "Anabranch", permission: rules };
    return idOf(await client.call("POST", "/session", { directory: cwd, body }));
  }
  await known(client, forkFrom.conversation, cwd);
  const copy = await client.call("POST", `${pathOf(forkFrom.conversation)}/fork`, { directory: cwd });
  await moveInto(client, copy, cwd);
  await client.call("PATCH", pathOf(idOf(copy)), { directory: cwd, body: { permission: rules } });
  return idOf(copy);
}

/** The route of a conversation. */
export function pathOf(conversation: string): string {
  return `/session/${encodeURIComponent(conversation)}`;
}

async function known(client: Client, conversation: string, directory: string): Promise<unknown> {
  try {
    return await client.call("GET", pathOf(conversation), { directory });
  } catch (cause) {
    if (isAnabranchError(cause)) throw cause;
    const { message } = cause as Error;
    throw new AnabranchError("CONVERSATION_UNKNOWN", {
      message: `opencode knows no conversation ${conversation}: ${message}`,
      hint: "opencode session list",
      data: { conversation },
      cause,
    });
  }
}

/** A copy, and a conversation that is gone on with elsewhere, works where its original did until it is moved. */
async function moveInto(client: Client, session: unknown, cwd: string): Promise<void> {
  const here = realpathSync(cwd);
  if (directoryOf(session) === here) return;
  const sessionID = idOf(session);
  try {
    const body = { sessionID, destination: { directory: here } };
    await client.call("POST", "/experimental/control-plane/move-session", { body });
  } catch (cause) {
    if (!(cause instanceof RefusedCall)) throw cause;
    throw cannotMove(sessionID, here, cause);
  }
  const moved = await client.call("GET", pathOf(sessionID), { directory: here });
  if (directoryOf(moved) !== here) throw cannotMove(sessionID, here);
}

function cannotMove(conversation: string, directory: string, cause?: Error): AnabranchError {
  return new AnabranchError("CANNOT_FORK", {
    message: `opencode does not let ${conversation} work in ${directory}${cause === undefined ? "" : `: ${cause.message}`}`,
    data: { conversation, directory },
    cause,
  });
}

function idOf(session: unknown): string {
  const id = textOf(fieldsOf(session)["id"]);
  if (id !== undefined) return id;
  throw new AnabranchError("AGENT_FAILED", { message: "opencode answered without the id of a conversation" });
}

function directoryOf(session: unknown): string | undefined {
  return textOf(fieldsOf(session)["directory"]);
}
