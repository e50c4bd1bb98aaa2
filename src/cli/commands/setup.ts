import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

import { AnabranchError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { MERGED_ENDINGS, setUpGit, undoGitSetup } from "../../sdk/git-setup.ts";
import type { CommandAction } from "../command.ts";
import { parseClasses } from "../merge-classes.ts";
import { answer, openTerminal } from "../terminal.ts";

/** What `anabranch setup git` is given. */
interface SetupOptions {
  readonly global?: boolean;
  readonly undo?: boolean;
  readonly classes?: string;
}

const NAME = "anabranch";

/** `anabranch setup git`: lets git itself merge with the engine, or no longer. */
export const action: CommandAction<SetupOptions> = async (args, options) => {
  const [what] = args;
  if (what !== "git") {
    throw new AnabranchError("USAGE", {
      message: `setup knows git, not ${JSON.stringify(what ?? "")}`,
      hint: "anabranch setup git",
    });
  }
  const command = driverCommand(options);
  const terminal = openTerminal(options, process.env);
  const isGlobal = options.global === true;
  const place = { environment: process.env, directory: isGlobal ? undefined : process.cwd() };
  if (options.undo === true) {
    const removed = await undoGitSetup(place);
    answer(terminal, removed, () =>
      removed.changed ? `git merges by itself again; cleaned ${printable(removed.path)}` : "git was not set up",
    );
    return 0;
  }
  const installed = await setUpGit(place, command);
  answer(terminal, installed, () =>
    [
      `${installed.changed ? "wrote" : "kept"} ${printable(installed.path)}: git merges ${MERGED_ENDINGS.length} kinds of files with anabranch`,
      `to undo it: anabranch setup git${isGlobal ? " --global" : ""} --undo`,
    ].join("\n"),
  );
  return 0;
};

function driverCommand({ classes }: SetupOptions): string {
  if (classes !== undefined) parseClasses(classes);
  const option = classes === undefined ? [] : [`--classes ${classes}`];
  return [program(process.env["PATH"]), "merge-driver", ...option, "%O %A %B %P"].join(" ");
}

/** How git's shell starts this program: by name where that finds it, else by its place. */
function program(path: string | undefined): string {
  const folders = (path ?? "").split(delimiter).filter((folder) => folder !== "");
  if (folders.some((folder) => existsSync(join(folder, NAME)))) return NAME;
  return [process.execPath, process.argv[1] ?? ""].map(quote).join(" ");
}

// A percent sign begins what git fills in.
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''").replaceAll("%", "%%")}'`;
}
