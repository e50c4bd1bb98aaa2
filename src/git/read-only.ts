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
  "--resolve-git-dir",
  "--show-toplevel",
  "--parseopt",
  "--sq-quote",
];

/** Short options that do the same, alone or behind others in one word. */
const REFUSED_LETTERS: Readonly<Record<string, RegExp>> = {
  // The pager to open files in, and a file of patterns.
  grep: /^-[^-eABCm]*[Of]/,
  // A file of revisions.
  blame: /^-[^-LMC]*S/,
};
// A file of paths in order.
const ORDER_FILE = /^-[a-z]*O/;

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
  const words = end < 0 ? rest : rest.slice(0, end);
  const option = words.find((word) => isRefused(command, word));
  if (option !== undefined) throw refused(`git ${command} ${option} could do more than read`);
  if (command === "diff")
    return ["diff", ...PLAIN_DIFF, ...requireRevisions(words), ...(end < 0 ? ["--"] : rest.slice(end))];
  return [command, ...(["blame", "log", "show"].includes(command) ? PLAIN_DIFF : []), ...rest];
}

const PLAIN_DIFF = ["--no-ext-diff", "--no-textconv"];

// Git takes any unambiguous start of a long option for the option.
function isRefused(command: string, word: string): boolean {
  if (!word.startsWith("--")) return (REFUSED_LETTERS[command] ?? ORDER_FILE).test(word);
  const name = word.split("=")[0] ?? word;
  return name.length >= 3 && REFUSED_OPTIONS.some((option) => option.startsWith(name));
}

// Of two paths alone, git would read any file there is; the end of options after it makes it take them for revisions.
function requireRevisions(words: readonly string[]): readonly string[] {
  if (words.some((word) => !word.startsWith("-"))) return words;
  throw refused("git diff without a revision has nothing to compare: a vault has no files of its own");
}

function refused(message: string): AnabranchError {
  return new AnabranchError("USAGE", {
    message,
    hint: `anabranch git runs: ${[...READING].join(", ")}`,
  });
}
