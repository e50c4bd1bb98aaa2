import type { IncomingMessage } from "node:http";

import { isBodyType, MOST_BODY_BYTES } from "./webhook-body.ts";

/** What is answered, and why. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
}

/** Looks at a request before anything of its body is read: which hook it is for, or why it is not taken. */
export function examineHead(request: IncomingMessage, hosts: ReadonlySet<string>): { readonly hook: string } | Refusal {
  const { headers, method, url = "" } = request;
  if (!hosts.has(hostOf(headers.host))) return { status: 403, error: "this host is not served" };
  // Browsers say where a request comes from; no page is to reach what listens here.
  if (headers.origin !== undefined || isFromPage(headers["sec-fetch-site"]))
    return { status: 403, error: "requests of web pages are not taken" };
  const [, hook] = /^\/hooks\/([A-Za-z][A-Za-z0-9_-]{0,62})(?:\?|$)/.exec(url) ?? [];
  if (hook === undefined) return { status: 404, error: "there is nothing here" };
  if (method !== "POST") return { status: 405, error: "use POST" };
  if (!isBodyType(headers["content-type"])) return { status: 415, error: "send JSON or a form" };
  if ((headers["content-encoding"] ?? "identity") !== "identity") return { status: 415, error: "send it as it is" };
  if (Number(headers["content-length"] ?? 0) > MOST_BODY_BYTES) return TOO_LARGE;
  return { hook };
}

/** What is answered to a body that is too large. */
export const TOO_LARGE: Refusal = { status: 413, error: `a body has ${MOST_BODY_BYTES} bytes at most` };

/** The names by which a machine knows itself. */
export const LOOPBACK_HOSTS = ["127.0.0.1", "localhost"] as const;

function hostOf(host: string | undefined): string {
  return (host ?? "").toLowerCase().replace(/:\d{1,5}$/, "");
}

function isFromPage(site: string | string[] | undefined): boolean {
  return site !== undefined && site !== "none";
}
