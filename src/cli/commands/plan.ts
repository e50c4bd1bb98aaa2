import { printable } from "../../base/printable.ts";
import type { PlanView } from "../../protocol/views.ts";
import { fit, formatDuration, formatTable } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { startOptions, type RunOptions } from "../run-options.ts";
import { withSession } from "../session.ts";
import { answer, type Colours, type Terminal } from "../terminal.ts";

/** `anabranch plan`: shows what a run would do, and why. */
export const action: CommandAction<RunOptions> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const plan = await anabranch.plan(startOptions(args, options, directory));
    answer(terminal, plan, () => formatPlan(plan, terminal));
    return 0;
  });

function formatPlan(plan: PlanView, { colour, plain }: Terminal): string {
  const rows = plan.tasks.map((task) => [
    task.name,
    [...task.needs, ...task.after.map((name) => `(${name})`)].join(" ") || "-",
    task.startsFrom === "base" ? "base" : "what has landed",
    task.writes === "none" ? "nothing" : task.writes.length === 0 ? "anything" : printable(task.writes.join(" ")),
    task.samples === 0 ? "unknown" : formatDuration(task.expectedMs),
    fit(printable(task.command.split("\n")[0] ?? ""), 60),
  ]);
  if (plain) return rows.map((row) => row.join("\t")).join("\n");
  const head = ["TASK", "AFTER", "STARTS FROM", "WRITES", "TAKES", "COMMAND"].map((text) => colour.dim(text));
  const others = plan.alternatives.slice(0, 4).map(({ width, share, predictedMs }) => {
    const how = `${width === 1 ? "one after another" : `${width} at once`}${share ? ", sharing a workspace" : ""}`;
    return `  ${formatDuration(predictedMs).padStart(9)}  ${how}`;
  });
  const weighed = others.length === 0 ? "" : `\n\n${colour.dim("weighed against:")}\n${others.join("\n")}`;
  return `${colour.bold(`${plan.mode}:`)} ${printable(plan.reason)}\n\n${formatTable([head, ...rows], "  ")}${formatChain(plan, colour)}${weighed}`;
}

/** What its end leads to: `then: deploy (on task check.tests succeeded; asks you first)`. */
function formatChain({ chain }: PlanView, { dim, yellow }: Colours): string {
  if (chain === undefined) return "";
  const lines = chain.links.map(({ trigger, on, does, approval, depth }) => {
    const notes = [`on ${on}`, ...(approval ? ["asks you first"] : []), ...(depth === 1 ? [] : [`depth ${depth}`])];
    const what = does === `runs ${trigger}` ? trigger : `${trigger} ${does}`;
    return `${"  ".repeat(depth - 1)}then: ${printable(what)} ${dim(`(${printable(notes.join("; "))})`)}`;
  });
  const note = chain.enabled ? [] : [yellow("the triggers do not act yet: anabranch triggers enable")];
  return `\n\n${[...lines, ...note].join("\n")}`;
}
