import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import type { SIGNATURES } from "../engine/trigger.ts";

/** What somebody sent to a hook. */
export interface SignedRequest {
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As it came: signatures are over the bytes. */
  readonly body: Uint8Array;
}

/** Whether whoever sent it knows the secret. */
export type Proof =
  | { readonly valid: false }
  | {
      readonly valid: true;
      /** Names the delivery, so that the same one counts once. */
      readonly delivery: string | undefined;
    };

/** How far a sender's clock may be off. */
export const LONGEST_SKEW_MS = 5 * 60_000;

/**
 * Checks what a request shows against a secret.
 *
 * - `token`: the secret itself, as `Authorization: Bearer SECRET` or `X-Anabranch-Token: SECRET`. The sender may name the
 *   delivery with `Idempotency-Key`.
 * - `github`: `X-Hub-Signature-256: sha256=HEX` over the body; `X-GitHub-Delivery` names the delivery.
 * - `hmac`: `X-Signature-256: sha256=HEX` over `TIMESTAMP.BODY`, with `X-Timestamp: TIMESTAMP` in seconds or milliseconds
 *   within five minutes of now. The signature names the delivery.
 */
export function checkSignature(
  kind: (typeof SIGNATURES)[number],
  secret: string,
  request: SignedRequest,
  nowMs: number,
): Proof {
  switch (kind) {
    case "github":
      return checkGithub(secret, request);
    case "hmac":
      return checkHmac(secret, request, nowMs);
    default:
      return checkToken(secret, request);
  }
}

const INVALID = { valid: false } as const;

function checkToken(secret: string, request: SignedRequest): Proof {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(headerOf(request, "authorization") ?? "") ?? [];
  const token = bearer ?? headerOf(request, "x-anabranch-token");
  if (token === undefined || !areEqual(token, secret)) return INVALID;
  return { valid: true, delivery: nameOf(request, "idempotency-key") };
}

function checkGithub(secret: string, request: SignedRequest): Proof {
  const signature = headerOf(request, "x-hub-signature-256") ?? "";
  if (!areEqual(signature, `sha256=${createHmac("sha256", secret).update(request.body).digest("hex")}`)) return INVALID;
  return { valid: true, delivery: nameOf(request, "x-github-delivery") ?? signature };
}

function checkHmac(secret: string, request: SignedRequest, nowMs: number): Proof {
  const signature = headerOf(request, "x-signature-256") ?? "";
  const timestamp = headerOf(request, "x-timestamp") ?? "";
  const expected = createHmac("sha256", secret).update(`${timestamp}.`).update(request.body).digest("hex");
  const isRight = areEqual(signature, `sha256=${expected}`);
  if (!isRight || !/^\d{10,13}$/.test(timestamp)) return INVALID;
  const atMs = Number(timestamp) * (timestamp.length < 12 ? 1000 : 1);
  return Math.abs(nowMs - atMs) <= LONGEST_SKEW_MS ? { valid: true, delivery: signature } : INVALID;
}

/** Takes as long whatever differs. */
function areEqual(one: string, other: string): boolean {
  return timingSafeEqual(digestOf(one), digestOf(other));
}

function digestOf(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

function headerOf({ headers }: SignedRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

/** A name that a sender has given, as long as it looks like one. */
function nameOf(request: SignedRequest, header: string): string | undefined {
  const [name] = /^[!-~]{1,200}$/.exec(headerOf(request, header) ?? "") ?? [];
  return name;
}
