import { AnabranchError } from "../base/errors.ts";

/** The git commands that only ever read, with the options below refused. */
const READING: ReadonlySet<string> = new Set([
  "blame",
  "cat-file",
  "describe",
  "diff",
  "diff-tree",
  "for-each-ref",
  "grep",
  "log",
  "ls-tree",
  "merge-base",
  "name-rev",
  "rev-list",
  "rev-parse",
  "shortlog",
  "show",
  "show-ref",
]);

/** Options of those commands that write a file, run a program or read outside the repository. */
const REFUSED_OPTIONS = [
  "--output",
  "--ext-diff",
  "--textconv",
  "--filters",
  "--open-files-in-pager",
  "--no-index",
  "--contents",
  "--ignore-revs-file",
  "--git-path",
  "--show-toplevel",
  "--parseopt",
  "--sq-quote",
];

/**
 * Checks that a git command only reads the repository, and returns the arguments to run it with.
 *
 * @throws {AnabranchError} `USAGE` for any other command or option
 */
export function requireReading(args: readonly string[]): string[] {
  const [command = "", ...rest] = args;
  if (!READING.has(command)) {
    throw refused(`git ${command || "without a command"} is not one of the commands that only read`);
  }
  const end = rest.indexOf("--");
  for (const arg of end < 0 ? rest : rest.slice(0, end)) {
    const option = refusedOption(command, arg);
    if (option !== undefined) throw refused(`git ${command} ${arg} could do more than read`);
  }
  return [command, ...(["diff", "log", "show"].includes(command) ? ["--no-ext-diff", "--no-textconv"] : []), ...rest];
}

// Git takes any unambiguous start of a long option for the option.
function refusedOption(command: string, arg: string): string | undefined {
  if (command === "grep" && /^-[^-]*O/.test(arg)) return arg;
  if (!arg.startsWith("--")) return undefined;
  const name = arg.split("=")[0] ?? arg;
  return name.length < 3 ? undefined : REFUSED_OPTIONS.find((option) => option.startsWith(name));
}

function refused(message: string): AnabranchError {
  return new AnabranchError("USAGE", {
    message,
    hint: `anabranch git runs: ${[...READING].join(", ")}`,
  });
}
