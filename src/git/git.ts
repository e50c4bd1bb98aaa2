import type { Clock } from "../base/clock.ts";
import { AnabranchError } from "../base/errors.ts";
import { openConversation, type Conversation } from "../process/conversation.ts";
import { runProgram, type ProgramEnd } from "../process/program.ts";

/** Where a git command works. Nothing is ever discovered from a working directory unless only `cwd` is given. */
export interface GitPlace {
  readonly cwd?: string | undefined;
  readonly gitDirectory?: string | undefined;
  /** Where objects, refs and configuration are, when that is not the git directory itself. */
  readonly commonDirectory?: string | undefined;
  readonly workTree?: string | undefined;
  readonly indexFile?: string | undefined;
  /** Where new objects go, when that is not the repository's own store. */
  readonly objectDirectory?: string | undefined;
  /** Object directories to read from besides that. */
  readonly alternates?: readonly string[] | undefined;
  /** Whether the user's and the machine's configuration and attributes are left out: they can name programs. */
  readonly isSealed?: boolean | undefined;
}

/** One call of git. */
interface GitCall {
  readonly input?: string | Uint8Array | undefined;
  /** Exit statuses besides 0 that are answers rather than failures. */
  readonly allow?: readonly number[] | undefined;
  readonly config?: Readonly<Record<string, string>> | undefined;
  readonly onOutput?: ((piece: Buffer) => void | Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The one way to run git. It never runs a hook, a file-system monitor or anything else that a repository configures,
 * never prompts, never opens a pager, and never collects garbage by itself.
 */
export interface Git {
  /** Runs git and returns how it ended. @throws {AnabranchError} `GIT_FAILED` on a status not allowed. */
  run(place: GitPlace, args: readonly string[], call?: GitCall): Promise<ProgramEnd>;
  /** Runs git and returns its standard output without the line end. */
  text(place: GitPlace, args: readonly string[], call?: GitCall): Promise<string>;
  /** Runs git with `-z` output and returns the records. */
  records(place: GitPlace, args: readonly string[], call?: GitCall): Promise<string[]>;
  /** A long-lived git that answers line by line. */
  converse(place: GitPlace, args: readonly string[], config?: Readonly<Record<string, string>>): Conversation;
}

/** The configuration every call has; it stands above all configuration files. */
const SAFE_CONFIG: Readonly<Record<string, string>> = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.untrackedCache": "false",
  "core.splitIndex": "false",
  "core.safecrlf": "false",
  "core.filesRefLockTimeout": "5000",
  "core.packedRefsTimeout": "5000",
  "core.pager": "cat",
  "core.quotePath": "false",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "submodule.recurse": "false",
  "commit.gpgSign": "false",
  "log.showSignature": "false",
  "protocol.ext.allow": "never",
  "core.warnAmbiguousRefs": "false",
  "index.sparse": "false",
};

const SEALED_CONFIG = { "core.attributesFile": "/dev/null" };
const SEALED_VARIABLES = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", GIT_ATTR_NOSYSTEM: "1" };

/**
 * Makes the runner.
 * @param environment of this process; its own git variables are dropped
 */
export function createGit(environment: Readonly<Record<string, string | undefined>>, clock: Clock): Git {
  const inherited = withoutGitVariables(environment);
  const environmentFor = (place: GitPlace, config?: Readonly<Record<string, string>>): Record<string, string> => ({
    ...inherited,
    ...placeVariables(place),
    ...configVariables({ ...SAFE_CONFIG, ...(place.isSealed === true ? SEALED_CONFIG : {}), ...config }),
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_LITERAL_PATHSPECS: "0",
    LC_ALL: "C",
  });

  const run: Git["run"] = async (place, args, call = {}) => {
    const end = await runProgram({
      program: "git",
      args,
      cwd: place.cwd ?? place.workTree ?? place.gitDirectory,
      environment: environmentFor(place, call.config),
      input: call.input,
      onOutput: call.onOutput,
      signal: call.signal,
    }).catch((cause: unknown) => Promise.reject(missingGit(cause)));
    if (end.status === 0 || (end.status !== null && call.allow?.includes(end.status) === true)) return end;
    throw gitFailure(args, end);
  };

  return {
    run,
    async text(place, args, call) {
      const { stdout } = await run(place, args, call);
      return stdout.toString("utf8").replace(/\n$/, "");
    },
    async records(place, args, call) {
      const { stdout } = await run(place, args, call);
      const records = stdout.toString("utf8").split("\0");
      records.pop();
      return records;
    },
    converse: (place, args, config) =>
      openConversation({
        program: "git",
        args,
        cwd: place.cwd ?? place.gitDirectory,
        environment: environmentFor(place, config),
        clock,
      }),
  };
}

/** An environment without the variables by which git is told where and how to work. */
export function withoutGitVariables(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => {
      return entry[1] !== undefined && !isGitVariable(entry[0]);
    }),
  );
}

// Who commits, and how git reaches a network, are the user's wishes; all else would redirect git.
function isGitVariable(name: string): boolean {
  return (
    name.startsWith("GIT_") &&
    !/^GIT_(AUTHOR|COMMITTER|SSH|SSL|HTTP|PROXY|ASKPASS|EDITOR|CONFIG_GLOBAL|CONFIG_SYSTEM|CONFIG_NOSYSTEM)/.test(name)
  );
}

function placeVariables(place: GitPlace): Record<string, string> {
  return {
    ...(place.gitDirectory === undefined ? {} : { GIT_DIR: place.gitDirectory }),
    ...(place.commonDirectory === undefined ? {} : { GIT_COMMON_DIR: place.commonDirectory }),
    ...(place.workTree === undefined ? {} : { GIT_WORK_TREE: place.workTree }),
    ...(place.isSealed === true ? SEALED_VARIABLES : {}),
    ...(place.indexFile === undefined ? {} : { GIT_INDEX_FILE: place.indexFile }),
    ...(place.objectDirectory === undefined ? {} : { GIT_OBJECT_DIRECTORY: place.objectDirectory }),
    ...(place.alternates === undefined || place.alternates.length === 0
      ? {}
      : { GIT_ALTERNATE_OBJECT_DIRECTORIES: place.alternates.map(quoteAlternate).join(":") }),
  };
}

// git reads this list like a quoted C string when an entry starts with a quote; plain entries end at a colon.
function quoteAlternate(path: string): string {
  if (!/[:"\n]/.test(path)) return path;
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

function configVariables(config: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(config);
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(entries.length) };
  for (const [index, [key, value]] of entries.entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = key;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return variables;
}

function missingGit(cause: unknown): unknown {
  if (!(cause instanceof AnabranchError) || cause.code !== "COMMAND_MISSING") return cause;
  return new AnabranchError("GIT_MISSING", {
    message: "git cannot be started",
    hint: "install git 2.39 or newer, or put it on the PATH",
    cause,
  });
}

function gitFailure(args: readonly string[], end: ProgramEnd): AnabranchError {
  const words = end.stderr.trim();
  const code = /No space left on device|Disk quota exceeded/.test(words)
    ? "DISK_FULL"
    : /Read-only file system/.test(words)
      ? "READ_ONLY"
      : "GIT_FAILED";
  return new AnabranchError(code, {
    message: `git ${args[0] ?? ""} ended with ${end.signal ?? `status ${end.status}`}: ${lastLines(words)}`,
    data: { args: [...args], status: end.status, words },
  });
}

function lastLines(text: string): string {
  return text === "" ? "it said nothing" : text.split("\n").slice(-3).join(" ");
}
