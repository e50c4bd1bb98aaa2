import { printable } from "../base/printable.ts";
import { isAnabranchError } from "../base/errors.ts";
import { runProgram } from "../process/program.ts";
import { notTaken, type Notification } from "./target.ts";

const LONGEST_TEXT = 300;

/**
 * Shows what happened on the desktop, with the program that the system has for that.
 * @throws {AnabranchError} `NOTIFY_FAILED`
 */
export async function showOnDesktop(
  notification: Notification,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  platform: NodeJS.Platform = process.platform,
): Promise<void> {
  const [program = "", ...args] = desktopCall(notification, platform);
  try {
    const { status, stderr } = await runProgram({ program, args, environment, signal, group: true });
    if (status !== 0) throw notTaken(`${program} ended with ${status ?? "a signal"}: ${stderr.trim().slice(0, 500)}`);
  } catch (cause) {
    if (signal.aborted) throw notTaken(`${program} took too long, and was ended`);
    throw isAnabranchError(cause) && cause.code === "COMMAND_MISSING" ? notTaken(cause.message) : cause;
  }
}

/** The call of that program. What somebody else has written is an argument that no program takes for anything else. */
export function desktopCall(notification: Notification, platform: NodeJS.Platform): string[] {
  const { kind, title, command, text } = notification;
  const head = `Anabranch: ${flat(kind)}`;
  const body = [title, text, command].flatMap((one) => (one === undefined ? [] : [flat(one)])).join(" · ");
  if (platform === "darwin") {
    const script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run";
    return ["osascript", "-e", script, "--", head, body];
  }
  return ["notify-send", "--app-name=Anabranch", "--", head, escapeMarkup(body)];
}

/** One line that neither moves a cursor nor turns the direction of what is written. */
function flat(text: string): string {
  const line = printable(text.replace(/[\s\u0085\u2028\u2029]+/gu, " ")).trim();
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT - 1)}…` : line;
}

// Desktops take the body for a small kind of HTML, with links.
function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
