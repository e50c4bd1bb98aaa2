import { printable } from "../base/printable.ts";
import type { LandingView, RunView } from "../protocol/views.ts";
import { formatDuration, formatTable, plural } from "./format.ts";
import type { ReportStyle } from "./report-style.ts";

const MOST_ROWS = 20;

/** What landed where, by what proof, and what did not. */
export function formatLandings(run: RunView, style: ReportStyle): string {
  const sections = [baseLine(run, style), landed(run, style), togetherLine(run, style), conflicts(run, style)];
  return sections.filter((section) => section !== "").join("\n");
}

function baseLine({ lane }: RunView, { colour }: ReportStyle): string {
  if (lane.base !== "red") return "";
  const commands = lane.failing.map(({ command, log }) => `  ${printable(command)}   ${colour.dim(log)}`);
  return [colour.yellow("the base fails verification without any change:"), ...commands].join("\n");
}

function landed(run: RunView, { colour }: ReportStyle): string {
  if (run.landings.length === 0) return "";
  const rows = run.landings.flatMap((landing) =>
    landing.changesets.map((changeset) => [
      changeset.commit.slice(0, 10),
      printable(changeset.task),
      changeset.paths === 0 ? "was there already" : plural(changeset.paths, "file"),
      proofOf(landing),
      mergedNote(changeset),
    ]),
  );
  const more = rows.length > MOST_ROWS ? [colour.dim(`  … and ${rows.length - MOST_ROWS} more`)] : [];
  const where = run.lane.kind === "branch" ? `branch ${printable(run.lane.name)}` : "the run's lane";
  const notices = run.landings.flatMap((landing) =>
    landing.notices.map((notice) => `  ${colour.yellow("note:")} ${printable(notice)}`),
  );
  return [colour.bold(`landed on ${where}:`), formatTable(rows.slice(0, MOST_ROWS), "  "), ...more, ...notices].join(
    "\n",
  );
}

function proofOf({ verification }: LandingView): string {
  if (verification.status === "unverified") return "unverified";
  const tookMs = verification.commands.reduce(
    (sum, { durationMs, remembered }) => sum + (remembered ? 0 : durationMs),
    0,
  );
  const known = verification.commands.every(({ remembered }) => remembered);
  return known ? "verified before, on the same tree" : `verified in ${formatDuration(tookMs)}`;
}

function mergedNote({ resolved, waivers }: LandingView["changesets"][number]): string {
  const merged =
    resolved.length === 0
      ? ""
      : `merged ${resolved
          .slice(0, 3)
          .map(({ path }) => printable(path))
          .join(", ")}`;
  const waived =
    waivers.length === 0 ? "" : `${plural(waivers.length, "waiver")} by ${printable(waivers[0]?.by ?? "")}`;
  return [merged, waived].filter((text) => text !== "").join("; ");
}

function togetherLine({ lane }: RunView, { colour }: ReportStyle): string {
  if (lane.land !== "together" || lane.together === "landed") return "";
  const why = lane.reason === undefined ? "one of its tasks did not succeed" : printable(lane.reason.message);
  if (lane.together === "wanted" || lane.together === "moving") return colour.dim("landing all of it together");
  return `${colour.red("nothing landed:")} all of it was to land together, and ${why}`;
}

function conflicts(run: RunView, { colour }: ReportStyle): string {
  const open = run.conflicts.filter((conflict) => conflict.state === "open");
  if (open.length === 0) return "";
  const rows = open.flatMap((conflict) =>
    conflict.paths
      .slice(0, 5)
      .map(({ path, message }) => [conflict.id, printable(conflict.task), printable(path), printable(message)]),
  );
  return [colour.red("conflicts, kept until somebody settles them:"), formatTable(rows, "  ")].join("\n");
}
