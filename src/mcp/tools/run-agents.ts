import { loadAnswers } from "../answers.ts";
import { abandoned, type Call, type ToolHandler } from "../call.ts";
import { follow } from "../follow.ts";
import { reportRun, reportText } from "../report.ts";
import { startOptionsFor } from "../work.ts";

/**
 * Starts agents and waits for them. A client that takes handles gets one instead. When the call is given up, what it
 * has started is stopped in order: its work stays, as snapshots.
 */
export const runAgents: ToolHandler<"run_agents"> = async ({ seconds, ...work }, call) => {
  const { id, view } = await call.anabranch.start(startOptionsFor(work, call.directory));
  if (call.signal.aborted) return stop(call, id);
  if (call.caller.takesHandles) return { handle: view };
  const timeoutMs = seconds === undefined ? call.caller.patienceMs : seconds * 1000;
  try {
    const [{ run } = { run: view }] = await follow(call, { ids: [id], any: false, timeoutMs });
    const data = reportRun(run, await loadAnswers(call.anabranch, run));
    return { data, text: reportText(data), ended: run.state === "ended" ? [run.id] : [] };
  } catch (cause) {
    if (call.signal.aborted) return stop(call, id);
    throw cause;
  }
};

async function stop({ anabranch, directory }: Call, id: string): Promise<never> {
  await anabranch.cancel(id, { directory });
  throw abandoned();
}
