import { systemClock } from "../../base/clock.ts";
import { AnabranchError, isAnabranchError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { CommandResponse } from "../../protocol/commands.ts";
import { formatDuration, formatSize, formatTable, plural } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { withSession, type Session } from "../session.ts";
import { answer } from "../terminal.ts";

type Status = CommandResponse<"status">;

/** `anabranch daemon start|status|stop|restart`. */
export const action: CommandAction<{ readonly cancel?: boolean }> = (args, options) => {
  switch (args[0]) {
    case "start":
      return withSession(options, start);
    case "stop":
      return withSession(options, (session) => stop(session, options.cancel === true), { start: false });
    case "restart":
      return withSession(options, restart);
    default:
      return withSession(options, status, { start: false });
  }
};

async function start({ anabranch, terminal }: Session): Promise<number> {
  const found = await anabranch.ask("status", {});
  answer(terminal, found, () => `the daemon runs (process ${found.pid})`);
  return 0;
}

async function status({ anabranch, terminal }: Session): Promise<number> {
  const found = await anabranch.ask("status", {}).catch(nothingWhereAbsent);
  if (found === undefined) {
    answer(terminal, { running: false }, () => "no daemon is running; it starts with the first command that needs it");
    return 0;
  }
  answer(terminal, { running: true, ...found }, () => formatStatus(found));
  return 0;
}

function formatStatus(found: Status): string {
  return formatTable([
    ["process", String(found.pid)],
    ["version", `${found.version} (protocol ${found.protocol}, Node ${found.node})`],
    ["runs since", formatDuration(systemClock.wallMs() - found.startedMs)],
    ["memory", formatSize(found.memoryBytes)],
    [
      "at work",
      `${plural(found.workingTasks, "task")} of ${plural(found.activeRuns, "run")}, ${found.readyTasks} waiting for a place`,
    ],
    ...(found.held === undefined ? [] : [["starts nothing", printable(found.held)]]),
    ["keeps its things in", found.home],
  ]);
}

async function stop({ anabranch, terminal }: Session, cancel: boolean): Promise<number> {
  const stopped = await anabranch.ask("stop", cancel ? { cancel } : {}).catch(nothingWhereAbsent);
  if (stopped === undefined) {
    answer(terminal, { running: false }, () => "no daemon was running");
    return 0;
  }
  await waitForEnd(stopped.pid);
  answer(terminal, stopped, () => {
    if (stopped.goingOn > 0) {
      return `the daemon stopped; ${plural(stopped.goingOn, "task")} go on without it, and the next command takes them up again (anabranch daemon stop --cancel would have stopped them)`;
    }
    return stopped.cancelled > 0
      ? `the daemon stopped, ${plural(stopped.cancelled, "task")} with it`
      : "the daemon stopped";
  });
  return 0;
}

async function restart(session: Session): Promise<number> {
  const stopped = await session.anabranch.ask("stop", {}).catch(nothingWhereAbsent);
  if (stopped !== undefined) await waitForEnd(stopped.pid);
  session.anabranch.close();
  const found = await session.anabranch.ask("status", {});
  answer(session.terminal, found, () => {
    const going =
      stopped !== undefined && stopped.goingOn > 0 ? `; ${plural(stopped.goingOn, "task")} went on meanwhile` : "";
    return `the daemon runs (process ${found.pid}, version ${found.version})${going}`;
  });
  return 0;
}

const LONGEST_STOP_MS = 15_000;

async function waitForEnd(pid: number): Promise<void> {
  const until = systemClock.monotonicMs() + LONGEST_STOP_MS;
  while (isRunning(pid)) {
    if (systemClock.monotonicMs() > until) {
      throw new AnabranchError("DAEMON_RUNNING", {
        message: `the daemon (process ${pid}) does not stop`,
        hint: `kill ${pid}`,
      });
    }
    await new Promise<void>((resolve) => systemClock.after(10, resolve));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function nothingWhereAbsent(cause: unknown): undefined {
  if (isAnabranchError(cause) && cause.code === "DAEMON_UNREACHABLE") return undefined;
  throw cause;
}
