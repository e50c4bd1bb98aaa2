import { delimiter } from "node:path";

import { ownerMark } from "../process/own-programs.ts";

/** An environment, told apart: what a process that serves many sessions has, and what is one session's own. */
export interface SplitEnvironment {
  /** The same for all sessions that may share a process. */
  readonly shared: Readonly<Record<string, string>>;
  /** What the commands of this session have on top of it. */
  readonly own: Readonly<Record<string, string>>;
}

// What changes with each task or each shell, and nothing that the agent's program itself goes by.
const OWN = /^(ANABRANCH_.*|PWD|OLDPWD|SHLVL|_)$/;

/** Tells apart what of a session's environment belongs to its task and its folder. */
export function splitEnvironment(environment: Readonly<Record<string, string>>, cwd: string): SplitEnvironment {
  const shared: Record<string, string> = {};
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (!OWN.test(name) && !value.includes(cwd)) shared[name] = value;
    else {
      own[name] = value;
      if (name === "PATH") shared[name] = withoutPathsBelow(value, cwd);
    }
  }
  return { shared, own };
}

/** The environment of a process that belongs to the daemon, not to a task: it is ended with the daemon. */
export function processEnvironment(shared: Readonly<Record<string, string>>): Record<string, string> {
  return { ...shared, ...ownerMark() };
}

function withoutPathsBelow(path: string, folder: string): string {
  const isBelow = (entry: string): boolean => entry === folder || entry.startsWith(`${folder}/`);
  return path
    .split(delimiter)
    .filter((entry) => !isBelow(entry))
    .join(delimiter);
}
