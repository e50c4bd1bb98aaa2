import { resolve } from "node:path";

import type { CommandAction } from "../command.ts";

/** `anabranch mcp`: serves a parent agent on standard input and output until it lets go. */
export const action: CommandAction<unknown> = async (_args, { home }) => {
  if (home !== undefined) process.env["ANABRANCH_HOME"] = resolve(home);
  // A file of its own beside this one: nothing else of the command line is loaded with it.
  await import(new URL("./mcp.js", import.meta.url).href);
  return 0;
};
