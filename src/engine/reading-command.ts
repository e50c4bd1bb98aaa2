const READERS = new Set(
  "basename cat cd cmp column comm cut diff dirname du echo egrep expr false fgrep file find grep head jq ls md5sum nl od printf pwd readlink realpath rg sha1sum sha256sum sort stat strings tail test tr tree true uniq wc which".split(
    " ",
  ),
);
const GIT_READERS = new Set(
  "blame cat-file describe diff grep log ls-files ls-tree rev-parse shortlog show status".split(" "),
);
/** Options by which a reader writes or runs something else. */
const NOT_READING: Readonly<Record<string, RegExp>> = {
  find: /^-(exec|execdir|ok|okdir|delete|fprint|fprintf|fprint0|fls)$/,
  sort: /^(-o|--output|-T|--compress-program)/,
  rg: /^--(pre|hostname-bin)/,
  git: /^(--output|-O|--ext-diff|--textconv|-c|--exec-path|--open-files-in-pager)/,
  tree: /^-o/,
  file: /^(-C|--compile)/,
  uniq: /^$/,
};

/**
 * Whether a command surely only reads: it is made of well-known readers, joined by `|`, `&&`, `||` or `;`, without
 * redirection, substitution or anything else a shell would take apart. When in doubt it is not.
 *
 * @example
 * isReadingCommand("git log --oneline | head -5") // true
 * isReadingCommand("cat a > b") // false
 */
export function isReadingCommand(command: string): boolean {
  const parts = splitCommand(command);
  return parts !== undefined && parts.length > 0 && parts.every(isReading);
}

/** The words of each simple command, or `undefined` where a shell would do more than start them. */
function splitCommand(command: string): string[][] | undefined {
  const parts: string[][] = [];
  let words: string[] = [];
  let rest = command.trim();
  while (rest !== "") {
    const joint = /^(\|\||&&|\||;)\s*/.exec(rest);
    if (joint !== null) {
      if (words.length === 0) return undefined;
      parts.push(words);
      words = [];
      rest = rest.slice(joint[0].length);
      continue;
    }
    const word = /^(?:'[^']*'|"[^"$`\\!]*"|[\w@%+=:,./^~*?[\]{}-])+/.exec(rest);
    if (word === null) return undefined;
    words.push(word[0].replaceAll(/['"]/g, ""));
    rest = rest.slice(word[0].length);
    const space = /^[ \t]+/.exec(rest);
    if (space !== null) rest = rest.slice(space[0].length);
    else if (rest !== "" && !/^[|&;]/.test(rest)) return undefined;
  }
  if (words.length === 0) return undefined;
  return [...parts, words];
}

function isReading([program = "", ...args]: readonly string[]): boolean {
  if (program === "git") {
    const [command = "", ...rest] = args;
    return GIT_READERS.has(command) && !rest.some((arg) => NOT_READING["git"]?.test(arg));
  }
  if (program === "sed")
    return args[0] === "-n" && /^\d+(,\d+)?p$/.test(args[1] ?? "") && !args.slice(2).some((arg) => arg.startsWith("-"));
  // Its second operand is a file it writes.
  if (program === "uniq") return args.filter((arg) => !arg.startsWith("-")).length <= 1;
  return READERS.has(program) && !args.some((arg) => NOT_READING[program]?.test(arg));
}
