import { addCommand, addRunOptions } from "./program.ts";

/** Adds the commands that start runs, or think them through. */
export function addStartCommands(): void {
  addCommand(
    "init",
    "write an anabranch.yaml for this repository",
    () => import("./commands/init.ts"),
    `
Examples:
  anabranch init
  anabranch init --print     only show what would be written`,
  ).option("--print", "show it instead of writing it");

  addRunOptions(
    addCommand(
      "run [workflow]",
      "run a workflow, or tasks given here, and wait for the result",
      () => import("./commands/run.ts"),
      `
Examples:
  anabranch run check
  anabranch run -t tests='npm test' -t lint='npm run lint'
  anabranch run -t build=make -t check='make check' --mode sequential
  anabranch run -t a='./solve --fast' -t b='./solve --deep' --join first
  anabranch run -a reviewer -p "review the last commit" --writes none
  anabranch run -a claude -p "mend the parser" -a codex -p "mend the parser" --join best-of-n
While it runs: d detaches, Ctrl-C stops it in order, a second Ctrl-C at once.`,
    ),
  ).option("--detach", "start it, print its id and return");

  addRunOptions(
    addCommand(
      "spawn [workflow]",
      "start a run in the background and print its id",
      () => import("./commands/spawn.ts"),
      `
Examples:
  anabranch spawn -t tests='npm test'
  anabranch wait $(anabranch spawn check)`,
    ),
  );

  addRunOptions(
    addCommand(
      "plan [workflow]",
      "show what run would do, and why, without doing it",
      () => import("./commands/plan.ts"),
      `
Examples:
  anabranch plan check
  anabranch plan -t tests='npm test' -t lint='npm run lint' --json`,
    ),
  );
}
