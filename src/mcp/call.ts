import { AnabranchError } from "../base/errors.ts";
import type { ToolInput, ToolName, ToolOutput } from "../protocol/tools.ts";
import type { RunView } from "../protocol/views.ts";
import type { Anabranch } from "../sdk/anabranch.ts";
import type { Caller } from "./caller.ts";
import type { Told } from "./told.ts";

/** What all calls of one client work with. */
export interface ServerParts {
  /** The client of the daemon for one conversation of the parent's; without one, for what is asked beside calls. */
  readonly anabranchFor: (conversation?: string) => Anabranch;
  /** Where the client stands: the runs of the repository around it are meant. */
  readonly directory: string;
  readonly told: Told;
}

/** One call of a tool, and what its handler works with. */
export interface Call extends Pick<ServerParts, "directory"> {
  readonly anabranch: Anabranch;
  readonly caller: Caller;
  /** Aborts when the client cancels the call, or is gone. */
  readonly signal: AbortSignal;
  /** Tells the client how far things are. */
  readonly tell: (text: string) => void;
}

/** What a tool answers: for programs and for models, or the handle of a run that goes on. */
export type Answer<Name extends ToolName> =
  | {
      readonly data: ToolOutput<Name>;
      readonly text: string;
      /** The runs, and tasks as `RUN/TASK`, whose end it tells. */
      readonly ended?: readonly string[];
    }
  | { readonly handle: RunView };

/** Does what one tool is for. */
export type ToolHandler<Name extends ToolName> = (input: ToolInput<Name>, call: Call) => Promise<Answer<Name>>;

/** What a call ends with that nobody waits for any more. */
export function abandoned(): AnabranchError {
  return new AnabranchError("INTERRUPTED", { message: "the call was cancelled" });
}
