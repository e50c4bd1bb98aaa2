import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";

import { notTaken, type Notification } from "./target.ts";

const LONGEST_RETRY_AFTER_MS = 3_600_000;

/**
 * Posts what happened as JSON. The header `X-Anabranch-Id` is the same where it comes twice; with a key, `X-Signature-256`
 * signs `TIMESTAMP.BODY`, as a webhook of ours with `signature: hmac` checks it.
 * @throws {AnabranchError} `NOTIFY_FAILED`, with `data.retryAfterMs` where the other side asks to wait
 */
export async function postWebhook(
  url: string,
  secretFile: string | undefined,
  notification: Notification,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const body = JSON.stringify(notification);
  const headers = {
    "content-type": "application/json",
    "user-agent": "anabranch",
    "x-anabranch-id": notification.id,
    ...(secretFile === undefined ? {} : await sign(secretFile, body, nowMs)),
  };
  let response;
  try {
    // Where it is sent on to, nobody has agreed to.
    response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    await response.body?.cancel();
  } catch (cause) {
    const { hostname } = new URL(url);
    throw notTaken(signal.aborted ? `${hostname} did not answer in time` : `${hostname}: ${wordsOf(cause)}`);
  }
  if (response.ok) return;
  const retryAfterMs = readRetryAfter(response.headers.get("retry-after"), nowMs);
  throw notTaken(`${new URL(url).hostname} answered ${response.status}`, retryAfterMs);
}

async function sign(secretFile: string, body: string, nowMs: number): Promise<Record<string, string>> {
  const secret = await readFile(secretFile, "utf8").catch(() => undefined);
  if (secret === undefined || secret.trim() === "")
    throw notTaken(`${secretFile}, which holds its key, cannot be read`);
  const timestamp = String(Math.floor(nowMs / 1000));
  const digest = createHmac("sha256", secret.trim()).update(`${timestamp}.${body}`).digest("hex");
  return { "x-timestamp": timestamp, "x-signature-256": `sha256=${digest}` };
}

/** Seconds, or a date. */
export function readRetryAfter(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined;
  // What is no number and no date either, some would take for a year.
  const isDate = /^[A-Z][a-z]{2}/.test(text);
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1000 : isDate ? Date.parse(text) - nowMs : Number.NaN;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS) : undefined;
}

function wordsOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  return inner instanceof Error ? inner.message : String(inner);
}
