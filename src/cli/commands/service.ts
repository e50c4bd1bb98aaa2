import { printable } from "../../base/printable.ts";
import { installService, uninstallService } from "../../sdk/service/service.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch daemon install|uninstall`: lets the system start the daemon by itself, or no longer. */
export const action: CommandAction<object> = (args, options) =>
  withSession(
    options,
    async ({ anabranch, terminal, environment }) => {
      const place = { environment, platform: process.platform };
      if (args[0] === "uninstall") {
        const removed = await uninstallService(place);
        answer(terminal, removed, () =>
          removed.changed
            ? `removed ${printable(removed.path)}; a daemon that runs goes on until it has nothing to do`
            : `there was no ${printable(removed.path)}`,
        );
        return 0;
      }
      const running = await anabranch.ask("status", {}).then(
        () => true,
        () => false,
      );
      const installed = await installService(place, running);
      answer(terminal, installed, () =>
        [
          `${installed.changed ? "wrote" : "kept"} ${printable(installed.path)}: the daemon starts by itself`,
          ...(running ? ["the daemon that runs now stays; the service takes over after it"] : []),
          ...installed.notes,
          "to undo it: anabranch daemon uninstall",
        ].join("\n"),
      );
      return 0;
    },
    { start: false },
  );
