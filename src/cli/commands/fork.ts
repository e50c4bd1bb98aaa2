import { AnabranchError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { ForkEstimate } from "../../sdk/anabranch.ts";
import type { CommandAction } from "../command.ts";
import { followRun } from "../follow.ts";
import { formatAge } from "../format.ts";
import { formatMoney } from "../usage-text.ts";
import { withSession } from "../session.ts";
import { answer, printed } from "../terminal.ts";
import { exitCodeOf, reportText } from "./run.ts";

interface ForkCommandOptions {
  readonly prompt?: readonly string[];
  readonly estimate?: boolean;
  readonly wait?: boolean;
  readonly kind?: "claude" | "codex" | "opencode" | "acp";
  readonly writes?: "none";
}

/** `anabranch fork`: copies a conversation into workspaces of its own. */
export const action: CommandAction<ForkCommandOptions> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const [source] = args;
    const { prompt: prompts = [], kind } = options;
    if (prompts.length === 0 && options.estimate !== true) {
      throw new AnabranchError("USAGE", {
        message: "a copy needs something to do",
        hint: 'anabranch fork -p "…", or --estimate to see only what it would cost',
      });
    }
    const chosen = {
      directory,
      ...(source === undefined ? {} : { source }),
      ...(kind === undefined ? {} : { kind }),
      ...(options.writes === "none" ? { writesNone: true } : {}),
    };
    const { estimate } = await anabranch.fork(chosen);
    if (options.estimate === true) {
      answer(terminal, estimate, () => estimateText(estimate));
      return 0;
    }
    if (!terminal.quiet) terminal.err(`${estimateText(estimate)}\n`);
    // What was just found is what is copied, whatever else is said meanwhile.
    const { run } = await anabranch.fork({ ...chosen, source: sourceOf(estimate), kind: estimate.kind, prompts });
    if (run === undefined) return 1;
    if (options.wait !== true) {
      answer(terminal, { id: run.id, estimate }, () => run.id);
      return 0;
    }
    const followed = await followRun(anabranch, terminal, Promise.resolve(run.view));
    answer(terminal, followed.run, () => reportText(terminal, followed.run));
    await printed();
    if (!followed.detached) await anabranch.acknowledge([run.id]);
    return exitCodeOf(followed.run);
  });

function sourceOf({ task, conversation }: ForkEstimate): string {
  return task === undefined ? conversation : `${task.run}/${task.task}`;
}

function estimateText({
  kind,
  conversation,
  task,
  title,
  model,
  way,
  contextTokens,
  ageMs,
  cache,
  usd,
}: ForkEstimate): string {
  const what = task === undefined ? conversation : `${task.run}/${task.task}`;
  const words = [
    `${way === "copy" ? "a copy" : "a digest"} of ${kind} ${what}${title === undefined ? "" : ` "${printable(title)}"`}`,
    ...(model === undefined ? [] : [printable(model)]),
    contextTokens === undefined ? "of unknown size" : `${contextTokens.toLocaleString("en")} tokens of context`,
    `last used ${formatAge(ageMs)}`,
    way === "digest" ? "its agent cannot copy it into another folder" : `its cache is ${cache} to be used`,
    ...(usd === undefined ? [] : [`${formatMoney(usd)} to begin with (estimate)`]),
  ];
  return words.join(", ");
}
