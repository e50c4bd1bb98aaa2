import type { CommonOptions } from "./terminal.ts";

/** What a command's module exports: does the work and returns the exit code. */
export type CommandAction<Options> = (args: readonly string[], options: Options & CommonOptions) => Promise<number>;
