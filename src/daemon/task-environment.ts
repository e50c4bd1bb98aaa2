import { withoutGitVariables } from "../git/git.ts";
import { MARKER_VARIABLE } from "../protocol/wire.ts";
import type { AttemptRow } from "../store/attempts.ts";

/** What the environment of a command is made from. */
export interface EnvironmentParts {
  /** The environment of whoever started the run. */
  readonly submitted: Readonly<Record<string, string>>;
  /** What the files add; values may hold `{{workspace}}` and `{{port.NAME}}`. */
  readonly templates: Readonly<Record<string, string>>;
  /** What Anabranch says, and what is passed on. */
  readonly variables: Readonly<Record<string, string>>;
  readonly marker: string;
  /** The folder it starts in, from the repository's root. */
  readonly directory: string;
  /** The user's worktree, and where its files are for this command. */
  readonly root: string;
  readonly tree: string;
  readonly slot: number;
  readonly ports: ReadonlyMap<string, number>;
}

/**
 * The environment of a command: the submitter's, without what would point git or us elsewhere, with paths below the
 * user's worktree moved to the workspace; then what the files add; then what Anabranch says.
 */
export function commandEnvironment(parts: EnvironmentParts): Record<string, string> {
  const moved = Object.entries(withoutGitVariables(parts.submitted))
    .filter(([name]) => !/^ANABRANCH_(?!HOME$)/.test(name))
    .map(([name, value]) => [name, HOMES.test(name) ? value : movePaths(value, parts.root, parts.tree)] as const);
  const added = Object.entries(parts.templates).map(([name, value]) => [name, fillIn(value, parts)] as const);
  return {
    ...Object.fromEntries(moved),
    ...Object.fromEntries([...parts.ports].map(([name, port]) => [name, String(port)])),
    ...Object.fromEntries(added),
    ...parts.variables,
    PWD: parts.directory === "" ? parts.tree : `${parts.tree}/${parts.directory}`,
    [MARKER_VARIABLE]: parts.marker,
    ANABRANCH_WORKSPACE: String(parts.slot),
  };
}

/**
 * What a task is told of itself.
 * @param event the file that tells of the events that have led to its run
 */
export function taskVariables(attempt: AttemptRow, input: string, event: string | undefined): Record<string, string> {
  return {
    ANABRANCH_RUN: attempt.run,
    ANABRANCH_TASK: attempt.task,
    ANABRANCH_ATTEMPT: String(attempt.number),
    ANABRANCH_BASE: attempt.baseCommit,
    ANABRANCH_INPUT: input,
    ...(event === undefined ? {} : { ANABRANCH_EVENT: event }),
  };
}

// Whose files these are: the user's own, also where the repository is around them.
const HOMES = /^(HOME|ANABRANCH_HOME|XDG_\w+)$/;

/** An environment with every path below one folder moved to another. */
export function movedEnvironment(
  environment: Readonly<Record<string, string>>,
  from: string,
  to: string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, HOMES.test(name) ? value : movePaths(value, from, to)]),
  );
}

/** Moves every path of a list that lies in one folder to another; a value that is no list has one path. */
function movePaths(value: string, from: string, to: string): string {
  if (!value.includes(from)) return value;
  return value
    .split(":")
    .map((path) => (path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : path))
    .join(":");
}

function fillIn(value: string, { slot, ports }: EnvironmentParts): string {
  return value.replace(/\{\{\s*(workspace|port\.(\w+))\s*\}\}/g, (whole, _name, port: string | undefined) =>
    port === undefined ? String(slot) : String(ports.get(port) ?? whole),
  );
}

/** The start of the variables that pass on a task's results: `unit-tests` becomes `ANABRANCH_UNIT_TESTS`. */
export function variablePrefix(task: string): string {
  return `ANABRANCH_${task.toUpperCase().replaceAll("-", "_")}`;
}
