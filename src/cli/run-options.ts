import { AnabranchError } from "../base/errors.ts";
import type { StartOptions } from "../sdk/start-options.ts";
import { wholeNumber } from "./session.ts";

/** What `run`, `spawn` and `plan` are given. */
export interface RunOptions {
  readonly task?: readonly string[];
  readonly mode?: "auto" | "parallel" | "sequential";
  readonly join?: "all" | "first" | "best-of-n";
  readonly land?: "each" | "together";
  readonly redBase?: "stop" | "forbid-new";
  readonly target?: string;
  readonly parallel?: string;
  readonly share?: boolean;
  readonly writes?: "none";
  readonly base?: string;
}

/** Turns the words of the command line into what is to be started. */
export function startOptions(args: readonly string[], options: RunOptions, directory: string): StartOptions {
  const [workflow] = args;
  return {
    directory,
    ...(workflow === undefined ? {} : { workflow }),
    ...(options.task === undefined ? {} : { tasks: parseTasks(options.task) }),
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    ...(options.join === undefined ? {} : { join: options.join }),
    ...(options.land === undefined ? {} : { land: options.land }),
    ...(options.redBase === undefined ? {} : { redBase: options.redBase }),
    ...(options.target === undefined ? {} : { target: options.target }),
    ...(options.parallel === undefined ? {} : { parallel: wholeNumber(options.parallel, "--parallel") }),
    ...(options.share === undefined ? {} : { share: options.share }),
    ...(options.writes === "none" ? { writesNone: true } : {}),
    ...(options.base === undefined ? {} : { base: options.base }),
  };
}

function parseTasks(texts: readonly string[]): Record<string, string> {
  const tasks: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    const [name, command] = [text.slice(0, at), text.slice(at + 1)];
    if (at < 1 || command.trim() === "") {
      throw new AnabranchError("USAGE", {
        message: `-t takes NAME=COMMAND, not ${JSON.stringify(text)}`,
        hint: "anabranch run -t tests='npm test'",
      });
    }
    if (Object.hasOwn(tasks, name)) {
      throw new AnabranchError("USAGE", {
        message: `two tasks are named ${name}`,
        hint: "give each task a name of its own",
      });
    }
    tasks[name] = command;
  }
  return tasks;
}
