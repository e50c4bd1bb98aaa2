import { addCommand, type Loader } from "./program.ts";

/** Adds the commands about what tasks have changed, and how it comes back. */
export function addLandingCommands(): void {
  addCommand(
    "diff <id>",
    "show what a task changed, or everything of a run that landed",
    () => import("./commands/diff.ts"),
    `
Examples:
  anabranch diff @last
  anabranch diff @last/fix
  anabranch diff k3v9/fix --stat`,
  )
    .option("--stat", "only how many lines of which files")
    .option("--names", "only the names of the files");

  addCommand(
    "accept <run>",
    "bring what a run has landed into your working tree and onto your branch",
    () => import("./commands/accept.ts"),
    `
Where no tracked file of yours has uncommitted changes, each changeset becomes a commit
on your branch; else your files are changed, and nothing is staged or committed. What is
merged is verified first, as a whole. Files you have edited since are never overwritten:
then nothing is written, and they are listed. Your hooks do not run.

Examples:
  anabranch accept @last
  anabranch accept --undo @last    while nothing else has changed`,
  ).option("--undo", "take it back, byte for byte");

  addConflicts();

  addCommand(
    "land <id>",
    "land a conflict that was fixed, or a task's work that has not landed",
    () => import("./commands/land.ts"),
    `
It is merged and verified like everything that lands. How the task ended stays as it is.

Examples:
  anabranch land h4t2           a conflict, fixed in the workspace that was opened for it
  anabranch land k3v9/fix       a task that failed, was cancelled or did not pass verification`,
  );

  addCommand(
    "audit [run]",
    "prove again what every receipt says, from the objects in the vault alone",
    () => import("./commands/audit.ts"),
    `
Ends with status 6 when one is not proved.

Examples:
  anabranch audit
  anabranch audit @last --json`,
  );
}

function addConflicts(): void {
  const load: Loader = () => import("./commands/conflicts.ts");
  const conflicts = addCommand(
    "conflicts",
    "list what could not be merged and waits for a decision",
    load,
    `
Examples:
  anabranch conflicts                        those of this repository
  anabranch conflicts show h4t2              both sides, and the ways on
  anabranch conflicts open h4t2              fix it in a workspace, then: anabranch land h4t2
  anabranch conflicts take theirs h4t2       the task's side of every path
  anabranch conflicts abort h4t2             give it up; the changeset stays in the vault
  anabranch conflicts --predict              what tasks at work have changed by now, and will conflict
  anabranch conflicts --predict @last        of one run`,
    { words: ["list"] },
  )
    .option("-a, --all", "conflicts of all repositories")
    .option("--predict [run]", "which tasks at work will conflict");

  addCommand(
    "show <id>",
    "show both sides of a conflict, who wanted what, and the ways on",
    load,
    `
Examples:
  anabranch conflicts show h4t2
  anabranch conflicts show h4t2 --full       every file and line`,
    { words: ["show"], parent: conflicts },
  ).option("--full", "every file and line, however many there are");

  addCommand(
    "open <id>",
    "open a workspace to fix a conflict in, and print its folder",
    load,
    `
Everything that merges is merged there; where it does not, both sides stand between
markers. When it is fixed: anabranch land ID. Opened again it is the same folder.

Examples:
  cd $(anabranch conflicts open h4t2 --plain)`,
    { words: ["open"], parent: conflicts },
  );

  addCommand(
    "take <side> <id> [path]",
    "take a side of a conflict: ours is what has landed, theirs is the task's",
    load,
    `
Without a path, of all its paths. When every path has a side it lands, and the receipt
names what was dropped and that a person said so.

Examples:
  anabranch conflicts take theirs h4t2
  anabranch conflicts take ours h4t2 src/a.ts`,
    { words: ["take"], parent: conflicts },
  );

  addCommand(
    "abort <id>",
    "give a conflict up; the changeset and what was made of it stay in the vault",
    load,
    `
Examples:
  anabranch conflicts abort h4t2`,
    { words: ["abort"], parent: conflicts },
  );
}
