import { ERROR_CODES, EXIT_CODES } from "../../base/error-codes.ts";
import type { RunView } from "../../protocol/views.ts";
import type { CommandAction } from "../command.ts";
import { followRun } from "../follow.ts";
import { formatReport } from "../report.ts";
import { startOptions, type RunOptions } from "../run-options.ts";
import { withSession } from "../session.ts";
import { answer, printed, type Terminal } from "../terminal.ts";

/** `anabranch run`: starts a run, shows it and reports how it ended. */
export const action: CommandAction<RunOptions & { readonly detach?: boolean }> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const starting = anabranch.start(startOptions(args, options, directory));
    if (options.detach === true) {
      const started = await starting;
      answer(terminal, { id: started.id }, () => started.id);
      return 0;
    }
    const followed = await followRun(
      anabranch,
      terminal,
      starting.then((started) => started.view),
    );
    if (followed.detached) {
      const { id } = followed.run;
      terminal.err(`run ${id} goes on; anabranch wait ${id}, anabranch cancel ${id}\n`);
      answer(terminal, followed.run, () => id);
      return 0;
    }
    answer(terminal, followed.run, () => reportText(terminal, followed.run));
    await printed();
    await anabranch.acknowledge([followed.run.id]);
    if (followed.interrupted) return INTERRUPTED;
    return exitCodeOf(followed.run);
  });

/** What kept a run from succeeding: a conflict that waits for a person, verification, or anything else. */
export function exitCodeOf(run: RunView): number {
  if (run.outcome === "succeeded") return 0;
  const failed = run.taskList.filter((task) => task.outcome === "failed" || task.outcome === "lost");
  const codes = [...failed.map((task) => task.reason?.code), ...(failed.length === 0 ? [run.lane.reason?.code] : [])];
  const statuses = new Set(codes.map((code) => (code === undefined ? 1 : EXIT_CODES[ERROR_CODES[code]])));
  if (statuses.size === 0 || ![...statuses].every((status) => WAITING_OR_GATE.has(status))) return 1;
  return Math.min(...statuses);
}

const WAITING_OR_GATE: ReadonlySet<number> = new Set([EXIT_CODES.conflict, EXIT_CODES.gate]);

const INTERRUPTED = 130;

/** A run's report: on one page, or with `--plain` a line for each task. */
export function reportText(terminal: Terminal, run: RunView): string {
  if (terminal.plain) {
    return run.taskList
      .map((task) =>
        [`${run.id}/${task.name}`, task.state, task.outcome ?? "-", task.attempts.at(-1)?.exitStatus ?? "-"].join("\t"),
      )
      .join("\n");
  }
  return formatReport(run, { colour: terminal.colour, columns: process.stdout.columns ?? 100 });
}
