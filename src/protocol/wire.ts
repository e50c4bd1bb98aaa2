import type { ErrorShape } from "../base/errors.ts";

/**
 * The number of the wire's meaning. Client and daemon work together when theirs are equal;
 * a new command or a new optional field does not change it.
 */
export const PROTOCOL_VERSION = 1;

/** The header by which a client says what it speaks. */
export const PROTOCOL_HEADER = "x-anabranch-protocol";
/** The header by which a client says which task it runs in. */
export const MARKER_HEADER = "x-anabranch-marker";
/** The header by which a client says which process it is. */
export const PID_HEADER = "x-anabranch-pid";

/** The header by which a client says for which conversation of an agent it asks. */
export const CONVERSATION_HEADER = "x-anabranch-conversation";

/** The environment variable that every process of a task carries. */
export const MARKER_VARIABLE = "ANABRANCH_MARKER";

/** The environment variable that names the descriptor on which a daemon reports that it is ready. */
export const READY_VARIABLE = "ANABRANCH_READY_DESCRIPTOR";

/** Every answer that is not a stream. */
export type Envelope<Data> =
  | { readonly v: 1; readonly ok: true; readonly data: Data }
  | { readonly v: 1; readonly ok: false; readonly error: ErrorShape };

/** Where a running daemon is found: the content of `daemon.json` in the state directory. */
export interface DaemonFile {
  readonly pid: number;
  readonly socket: string;
  readonly version: string;
  readonly protocol: number;
  readonly startedMs: number;
}

/** What a daemon that is starting tells whoever started it, as one line. */
export type StartReport =
  | { readonly ready: true; readonly socket: string }
  | { readonly ready: false; readonly error: ErrorShape };
