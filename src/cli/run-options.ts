import { AnabranchError } from "../base/errors.ts";
import type { StartOptions } from "../sdk/start-options.ts";
import { parseBudget } from "./budget-option.ts";
import { wholeNumber } from "./session.ts";

/** What `run`, `spawn` and `plan` are given. */
export interface RunOptions {
  readonly task?: readonly string[];
  readonly agent?: readonly string[];
  readonly prompt?: readonly string[];
  readonly mode?: "auto" | "parallel" | "sequential";
  readonly join?: "all" | "first" | "best-of-n";
  readonly land?: "each" | "together";
  readonly redBase?: "stop" | "forbid-new";
  readonly target?: string;
  readonly parallel?: string;
  readonly share?: boolean;
  readonly writes?: "none";
  readonly base?: string;
  readonly budget?: string;
}

/** Turns the words of the command line into what is to be started. */
export function startOptions(args: readonly string[], options: RunOptions, directory: string): StartOptions {
  const [workflow] = args;
  const tasks = [...parseTasks(options.task ?? []), ...pairAgents(options.agent ?? [], options.prompt ?? [])];
  return {
    directory,
    ...(workflow === undefined ? {} : { workflow }),
    ...(tasks.length === 0 ? {} : { tasks: byName(tasks) }),
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    ...(options.join === undefined ? {} : { join: options.join }),
    ...(options.land === undefined ? {} : { land: options.land }),
    ...(options.redBase === undefined ? {} : { redBase: options.redBase }),
    ...(options.target === undefined ? {} : { target: options.target }),
    ...(options.parallel === undefined ? {} : { parallel: wholeNumber(options.parallel, "--parallel") }),
    ...(options.share === undefined ? {} : { share: options.share }),
    ...(options.writes === "none" ? { writesNone: true } : {}),
    ...(options.base === undefined ? {} : { base: options.base }),
    ...(options.budget === undefined ? {} : { budget: parseBudget(options.budget) }),
  };
}

type NamedTask = readonly [name: string, task: string | { readonly agent: string; readonly prompt: string }];

function parseTasks(texts: readonly string[]): NamedTask[] {
  return texts.map((text) => {
    const at = text.indexOf("=");
    const [name, command] = [text.slice(0, at), text.slice(at + 1)];
    if (at >= 1 && command.trim() !== "") return [name, command];
    throw new AnabranchError("USAGE", {
      message: `-t takes NAME=COMMAND, not ${JSON.stringify(text)}`,
      hint: "anabranch run -t tests='npm test'",
    });
  });
}

/** The first `-a` goes with the first `-p`, and so on. An agent that is named twice gets tasks of two names. */
function pairAgents(agents: readonly string[], prompts: readonly string[]): NamedTask[] {
  if (agents.length !== prompts.length) {
    throw new AnabranchError("USAGE", {
      message: `each -a AGENT takes one -p PROMPT: there are ${agents.length} and ${prompts.length}`,
      hint: 'anabranch run -a reviewer -p "look at the last commit"',
    });
  }
  const seen = new Map<string, number>();
  return agents.map((agent, index) => {
    const plain = agent.replaceAll(/[^A-Za-z0-9_-]/g, "-");
    const count = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, count);
    return [count === 1 ? plain : `${plain}-${count}`, { agent, prompt: prompts[index] ?? "" }];
  });
}

function byName(tasks: readonly NamedTask[]): Record<string, NamedTask[1]> {
  const named: Record<string, NamedTask[1]> = {};
  for (const [name, task] of tasks) {
    if (Object.hasOwn(named, name)) {
      throw new AnabranchError("USAGE", {
        message: `two tasks are named ${name}`,
        hint: "give each task a name of its own",
      });
    }
    named[name] = task;
  }
  return named;
}
