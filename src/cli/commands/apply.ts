import { printable } from "../../base/printable.ts";
import { plural } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch apply`: brings a finished task's changes into the working tree. */
export const action: CommandAction<object> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const done = await anabranch.ask("apply", { id: args[0] ?? "", directory });
    answer(terminal, done, () => {
      if (terminal.plain) return done.applied.join("\n");
      const already = done.unchanged.length === 0 ? "" : `, ${plural(done.unchanged.length, "file")} had it already`;
      const paths = done.applied.slice(0, 20).map((path) => `  ${printable(path)}`);
      const more = done.applied.length > 20 ? [`  … and ${done.applied.length - 20} more`] : [];
      return [
        `${plural(done.applied.length, "file")} of your working tree changed${already}; nothing was staged or committed.`,
        ...paths,
        ...more,
        "  git diff",
      ].join("\n");
    });
    return 0;
  });
