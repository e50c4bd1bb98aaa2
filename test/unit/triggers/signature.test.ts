import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkSignature, LONGEST_SKEW_MS } from "../../../src/triggers/signature.ts";

const SECRET = "not-a-real-secret";
const NOW_MS = 1_800_000_000_000;
const BODY = Buffer.from('{"a":1}');

function hmacOf(secret: string, ...parts: readonly (string | Uint8Array)[]): string {
  const hmac = createHmac("sha256", secret);
  for (const part of parts) hmac.update(part);
  return `sha256=${hmac.digest("hex")}`;
}

function hmacHeaders(atMs: number, body: Uint8Array = BODY, unit = 1000): Record<string, string> {
  const timestamp = String(Math.round(atMs / unit));
  return { "x-timestamp": timestamp, "x-signature-256": hmacOf(SECRET, `${timestamp}.`, body) };
}

describe("a token", () => {
  it.each([
    ["as a bearer", { authorization: `Bearer ${SECRET}` }],
    ["as a bearer, whatever the case of the word", { authorization: `bearer  ${SECRET}` }],
    ["in a header of our own", { "x-anabranch-token": SECRET }],
  ])("is right %s", (_how, headers) => {
    expect(checkSignature("token", SECRET, { headers, body: BODY }, NOW_MS)).toEqual({
      valid: true,
      delivery: undefined,
    });
  });

  it.each([
    ["nothing", {}],
    ["another", { authorization: "Bearer other" }],
    ["the start of it", { authorization: `Bearer ${SECRET.slice(0, -1)}` }],
    ["more than it", { authorization: `Bearer ${SECRET}x` }],
    ["it as basic", { authorization: `Basic ${SECRET}` }],
    ["nothing after the word", { authorization: "Bearer " }],
    ["several", { "x-anabranch-token": [SECRET, SECRET] }],
    ["a wrong bearer beside a right token", { authorization: "Bearer other", "x-anabranch-token": SECRET }],
  ])("is wrong with %s", (_what, headers) => {
    expect(checkSignature("token", SECRET, { headers, body: BODY }, NOW_MS)).toEqual({ valid: false });
  });

  it("takes the name of the delivery that the sender gives", () => {
    const headers = { "x-anabranch-token": SECRET, "idempotency-key": "d-1" };
    expect(checkSignature("token", SECRET, { headers, body: BODY }, NOW_MS)).toEqual({ valid: true, delivery: "d-1" });
  });
});

describe("a signature of GitHub", () => {
  it("matches what GitHub documents as its example", () => {
    const headers = {
      "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
      "x-github-delivery": "d-1",
    };
    const request = { headers, body: Buffer.from("Hello, World!") };
    expect(checkSignature("github", "It's a Secret to Everybody", request, NOW_MS)).toEqual({
      valid: true,
      delivery: "d-1",
    });
  });

  it("names the delivery itself where the sender gives no name, or none that can be one", () => {
    const signature = hmacOf(SECRET, BODY);
    for (const name of [undefined, "", "two words", "x".repeat(201), "line\nline"]) {
      const headers = { "x-hub-signature-256": signature, "x-github-delivery": name };
      expect(checkSignature("github", SECRET, { headers, body: BODY }, NOW_MS)).toEqual({
        valid: true,
        delivery: signature,
      });
    }
  });

  it("is wrong for any other body, secret or text", () => {
    const right = hmacOf(SECRET, BODY);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.string(), (body, text) => {
        fc.pre(!Buffer.from(body).equals(BODY) && text !== right);
        const check = (signature: string, bytes: Uint8Array, secret = SECRET): boolean =>
          checkSignature("github", secret, { headers: { "x-hub-signature-256": signature }, body: bytes }, 0).valid;
        expect(check(right, body)).toBe(false);
        expect(check(text, BODY)).toBe(false);
        expect(check(right, BODY, `${SECRET}${text}x`)).toBe(false);
        expect(check(right.toUpperCase(), BODY)).toBe(false);
      }),
    );
  });
});

describe("a generic signature", () => {
  it.each([
    ["in seconds", hmacHeaders(NOW_MS)],
    ["in milliseconds", hmacHeaders(NOW_MS + 123, BODY, 1)],
    ["as old as may be", hmacHeaders(NOW_MS - LONGEST_SKEW_MS)],
    ["as far ahead as may be", hmacHeaders(NOW_MS + LONGEST_SKEW_MS)],
  ])("is right with a time %s", (_how, headers) => {
    expect(checkSignature("hmac", SECRET, { headers, body: BODY }, NOW_MS)).toEqual({
      valid: true,
      delivery: headers["x-signature-256"],
    });
  });

  it.each([
    ["a time too old", hmacHeaders(NOW_MS - LONGEST_SKEW_MS - 1000)],
    ["a time too far ahead", hmacHeaders(NOW_MS + LONGEST_SKEW_MS + 1000)],
    ["another time than was signed", { ...hmacHeaders(NOW_MS), "x-timestamp": String(NOW_MS / 1000 + 1) }],
    ["another body than was signed", hmacHeaders(NOW_MS, Buffer.from("{}"))],
    ["no time", { "x-signature-256": hmacOf(SECRET, ".", BODY) }],
    ["a time that is none", { "x-timestamp": "NaN", "x-signature-256": hmacOf(SECRET, "NaN.", BODY) }],
    ["a signature of the body alone", { ...hmacHeaders(NOW_MS), "x-signature-256": hmacOf(SECRET, BODY) }],
    ["no signature", { "x-timestamp": String(NOW_MS / 1000) }],
  ])("is wrong with %s", (_what, headers) => {
    expect(checkSignature("hmac", SECRET, { headers, body: BODY }, NOW_MS)).toEqual({ valid: false });
  });
});
