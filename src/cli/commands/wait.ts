import { AnabranchError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { CommandAction } from "../command.ts";
import { toldBy } from "../../sdk/told.ts";
import { durationOption, withSession } from "../session.ts";
import { colourState } from "../state-text.ts";
import { answer, printed } from "../terminal.ts";

/** `anabranch wait`: waits until runs or tasks have ended. */
export const action: CommandAction<{
  readonly any?: boolean;
  readonly all?: boolean;
  readonly timeout?: string;
}> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    if (options.any === true && options.all === true) {
      throw new AnabranchError("USAGE", {
        message: "--any and --all exclude each other",
        hint: "anabranch wait --help",
      });
    }
    const ends = await anabranch.ask("wait", {
      ids: [...args],
      directory,
      ...(options.any === true ? { any: true } : {}),
      ...(options.timeout === undefined ? {} : { timeoutMs: durationOption(options.timeout, "--timeout") }),
    });
    const open = ends.filter((end) => !end.ended);
    if (open.length > 0 && (options.any !== true || open.length === ends.length)) {
      throw new AnabranchError("WAIT_TIMEOUT", {
        message: `not ended after ${options.timeout}: ${open.map((end) => nameOf(end)).join(", ")}; they go on`,
        hint: `anabranch wait ${open.map((end) => nameOf(end)).join(" ")}`,
        data: { open: open.map((end) => nameOf(end)) },
      });
    }
    answer(terminal, ends, () =>
      ends
        .filter((end) => end.ended)
        .map((end) =>
          `${nameOf(end)}\t${colourState(end.outcome ?? "", terminal.colour)}\t${printable(end.name ?? "")}`.trimEnd(),
        )
        .join("\n"),
    );
    await printed();
    await anabranch.acknowledge(ends.flatMap(toldBy));
    return ends.every((end) => !end.ended || end.outcome === "succeeded") ? 0 : 1;
  });

function nameOf(end: { readonly id: string; readonly task?: string | undefined }): string {
  return end.task === undefined ? end.id : `${end.id}/${end.task}`;
}
