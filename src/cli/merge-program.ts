import { addCommand } from "./program.ts";

/** Adds the commands that merge files without a daemon. */
export function addMergeCommands(): void {
  addCommand(
    "merge-files",
    "merge three versions of a file for each line of input",
    () => import("./commands/merge-files.ts"),
    `
In:   {"id": 1, "path": "a.ts", "base": "…", "ours": "…", "theirs": "…"}
Out:  {"id": 1, "status": "merged", "text": "…", "resolvers": ["entities"], "class": "A"}
      {"id": 1, "status": "conflict", "why": "lines"}

Examples:
  anabranch merge-files --jsonl < requests.jsonl`,
  ).option("--jsonl", "one JSON document a line, in and out");
  addCommand(
    "merge-driver <base> <ours> <theirs> [path]",
    "merge one file, as git asks its merge drivers to",
    () => import("./commands/merge-driver.ts"),
    `
git calls it, once it is set up: anabranch setup git. The result replaces OURS; status 1
says that conflicts are left in it, between markers.

Examples:
  anabranch merge-driver %O %A %B %P                  as git's configuration names it
  anabranch merge-driver base.ts mine.ts yours.ts a.ts`,
  ).option("--classes <letters>", "classes of resolutions that need no person: AB, or ABC, ABCD");
  addCommand(
    "setup <what>",
    "let git itself merge with the engine",
    () => import("./commands/setup.ts"),
    `
Examples:
  anabranch setup git              in this repository: its config and .git/info/attributes
  anabranch setup git --global     in all of your repositories
  anabranch setup git --undo`,
  )
    .option("--global", "for all of your repositories")
    .option("--undo", "take it out again")
    .option("--classes <letters>", "classes of resolutions that need no person: AB, or ABC, ABCD");
}
