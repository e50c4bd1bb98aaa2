import { AnabranchError } from "../base/errors.ts";

/** What a target can be told of. */
export const NOTIFY_KINDS = ["needs-you", "failed", "succeeded", "lost", "dead-letter", "restart-limit"] as const;
/** What a target can be told of. */
export type NotifyKind = (typeof NOTIFY_KINDS)[number];

/** Somewhere outside that is told of things, as the user has set it. */
export interface NotifyTarget {
  readonly name: string;
  readonly way:
    | {
        readonly type: "command";
        /** For `/bin/sh`. What happened comes on its standard input, never in its text. */
        readonly command: string;
        readonly timeoutMs: number;
      }
    | {
        readonly type: "webhook";
        readonly url: string;
        /** The file with the key that the body is signed with. */
        readonly secretFile: string | undefined;
      }
    | { readonly type: "desktop" };
  /** What it is told of by itself. A trigger may name it for anything. */
  readonly on: readonly NotifyKind[];
  /** Globs of the folders whose repositories may tell it; without them, all may. */
  readonly repositories: readonly string[] | undefined;
}

/** What a target is told. */
export interface Notification {
  /** The same where it arrives twice. */
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly text?: string | undefined;
  readonly repository?: string | undefined;
  readonly run?: string | undefined;
  readonly task?: string | undefined;
  readonly command?: string | undefined;
  readonly atMs: number;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** A target has not taken what it was to be told. */
export function notTaken(message: string, retryAfterMs?: number): AnabranchError {
  return new AnabranchError("NOTIFY_FAILED", {
    message,
    hint: "look at notify: in config.yaml; anabranch events replay ID tells it after all",
    data: retryAfterMs === undefined ? {} : { retryAfterMs },
  });
}
