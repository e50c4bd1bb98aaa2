import { printable, printableJson } from "../base/printable.ts";
import type { EventView } from "../protocol/views.ts";
import { fit, plural } from "./format.ts";
import type { Colours } from "./terminal.ts";

/** How much of what an event tells stands on its line. */
const TOLD_COLUMNS = 90;

/** An event on one line: when, what, of which run or task, what it tells, and what has led to it. */
export function formatEvent(event: EventView, { dim, bold }: Colours, todayMs: number): string {
  const { run, task, type } = event;
  const of = run === undefined ? "" : task === undefined ? run : `${run}/${task}`;
  return [dim(timeText(event.atMs, todayMs)), bold(printable(type)), printable(of), tell(event), ledBy(event, dim)]
    .filter((part) => part !== "")
    .join("  ");
}

/** An event as one record. */
export function plainEvent(event: EventView): string {
  const { seq, atMs, type, run = "", task = "", cause } = event;
  const record = [seq, new Date(atMs).toISOString(), type, run, task, cause?.depth ?? 0, cause?.triggers.at(-1) ?? ""];
  return [...record.map((part) => printable(String(part)).replaceAll("\t", " ")), printableJson(event.data)].join("\t");
}

function timeText(atMs: number, todayMs: number): string {
  const at = new Date(atMs);
  const two = (number: number): string => String(number).padStart(2, "0");
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  const isToday = at.toDateString() === new Date(todayMs).toDateString();
  return isToday ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** The trigger that fired last on the way here, by its name in its file. */
function ledBy({ cause }: EventView, dim: Colours["dim"]): string {
  const trigger = cause?.triggers.at(-1);
  if (cause === undefined || trigger === undefined) return "";
  return dim(`← ${printable(trigger.slice(trigger.lastIndexOf("/") + 1))} (depth ${cause.depth})`);
}

function tell({ type, data }: EventView): string {
  const text = (name: string): string => (typeof data[name] === "string" ? data[name] : "");
  if (type === "files.changed") return fit(tellFiles(data), TOLD_COLUMNS);
  if (type === "ref.changed") return shown([text("kind"), text("name"), text("change"), text("subject")]);
  if (type === "webhook.received") return shown([text("hook"), text("event")]);
  if (type === "log.matched") return shown([text("file"), text("line")]);
  if (type === "task.report") return shown([text("text")]);
  if (text("outcome") !== "") return shown([text("outcome"), text("because")]);
  return Object.keys(data).length === 0 ? "" : fit(printableJson(data), TOLD_COLUMNS);
}

function tellFiles(data: EventView["data"]): string {
  const paths = Array.isArray(data["paths"]) ? (data["paths"] as { readonly path?: unknown }[]) : [];
  const count = typeof data["count"] === "number" ? data["count"] : paths.length;
  const names = paths.slice(0, 3).map((one) => printable(typeof one?.path === "string" ? one.path : "?"));
  return `${plural(count, "file")}: ${names.join(", ")}${count > names.length ? ", …" : ""}`;
}

function shown(parts: readonly string[]): string {
  return fit(
    parts
      .filter((part) => part !== "")
      .map(printable)
      .join(" "),
    TOLD_COLUMNS,
  );
}
