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
}
