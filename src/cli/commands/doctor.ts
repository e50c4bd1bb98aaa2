import { EXIT_CODES } from "../../base/error-codes.ts";
import { printable } from "../../base/printable.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer } from "../terminal.ts";

/** `anabranch doctor`: checks everything that Anabranch rests on. */
export const action: CommandAction<object> = (_args, options) =>
  withSession(options, async ({ anabranch, terminal, environment }) => {
    const defined = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const checks = await anabranch.ask("doctor", { environment: Object.fromEntries(defined) });
    const { colour } = terminal;
    const words = { ok: colour.green("ok  "), warn: colour.yellow("warn"), fail: colour.red("fail") };
    answer(terminal, checks, () =>
      checks
        .map((check, index) => {
          const line = `${String(index + 1).padStart(2)}. ${words[check.result]} ${check.name}: ${printable(check.evidence)}`;
          return check.fix === undefined ? line : `${line}\n         ${colour.bold("fix:")} ${check.fix}`;
        })
        .join("\n"),
    );
    return checks.some((check) => check.result === "fail") ? EXIT_CODES.gate : 0;
  });
