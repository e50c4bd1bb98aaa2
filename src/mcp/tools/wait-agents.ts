import type { RunReport } from "../../protocol/tools.ts";
import { toldBy } from "../../sdk/told.ts";
import { loadAnswers } from "../answers.ts";
import type { ToolHandler } from "../call.ts";
import { follow, hasEnded, type Awaited } from "../follow.ts";
import { reportRun, reportText } from "../report.ts";

/** Waits for what was started earlier. What has not ended in time goes on. */
export const waitAgents: ToolHandler<"wait_agents"> = async ({ ids, any = false, seconds }, call) => {
  const timeoutMs = seconds === undefined ? call.caller.patienceMs : seconds * 1000;
  const all = await follow(call, { ids, any, timeoutMs });
  const report = async ({ run, task }: Awaited): Promise<RunReport> =>
    reportRun(run, await loadAnswers(call.anabranch, run), task);
  const [ended, going] = await Promise.all([
    Promise.all(all.filter(hasEnded).map(report)),
    Promise.all(all.filter((one) => !hasEnded(one)).map(report)),
  ]);
  const open = ids.filter((_, index) => all[index] !== undefined && !hasEnded(all[index]));
  const told = all.flatMap(({ run, task }) =>
    toldBy({ ...run, task: task?.name, ended: (task ?? run).state === "ended" }),
  );
  return { data: { ended, open, going }, text: [...ended, ...going].map(reportText).join("\n\n"), ended: told };
};
