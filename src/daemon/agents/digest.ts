import { AnabranchError } from "../../base/errors.ts";
import { readEnd } from "../../process/output.ts";
import { findSessionOf } from "../../store/sessions.ts";
import type { Parts } from "../parts.ts";

const DIGEST_BYTES = 48 * 1024;

/**
 * What was said in a conversation of ours, as its log tells it: the end of it, where it is long.
 * @throws {AnabranchError} `CANNOT_FORK` for a conversation that is not of ours
 */
export async function readDigest(parts: Parts, conversation: string): Promise<string> {
  const session = await findSessionOf(parts.store, conversation);
  if (session === undefined) {
    throw new AnabranchError("CANNOT_FORK", {
      message: `the conversation ${conversation} cannot be copied into another folder, and no task of ours has had it`,
      hint: "start anew: anabranch run -a AGENT -p PROMPT",
    });
  }
  const { run, task, attempt } = session;
  return readEnd(parts.layout.attempt({ run, task, number: attempt }), "log", DIGEST_BYTES).text;
}
