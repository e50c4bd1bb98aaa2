import { systemClock } from "../base/clock.ts";
import { printable } from "../base/printable.ts";
import type { DeadLetterView } from "../protocol/commands/events.ts";
import type { FiringView, TriggerSetView, TriggerTrial, TriggerView } from "../protocol/commands/triggers.ts";
import { formatAge, formatDuration, formatTable, plural } from "./format.ts";
import type { Colours, Terminal } from "./terminal.ts";

const SET_WORDS: Readonly<Record<TriggerSetView["state"], string>> = {
  none: "there are no triggers in anabranch.yaml",
  new: "nobody has enabled them yet: anabranch triggers enable",
  enabled: "enabled",
  changed: "the file has changed since they were enabled, so none acts: anabranch triggers enable",
  broken: "the file cannot be read, so none acts",
  disabled: "disabled: anabranch triggers enable",
};

/** All triggers of a repository, and whether they act. */
export function formatTriggers(set: TriggerSetView, { colour, plain }: Terminal): string {
  if (plain) return set.triggers.map((one) => plainTrigger(one, set.state)).join("\n");
  const head = ["NAME", "STATE", "ON", "DOES", "FIRED"].map(colour.dim);
  const rows = set.triggers.map((one) => [
    colour.bold(printable(one.name)),
    stateWord(one.state, set.state),
    printable(one.on),
    printable(doesText(one)),
    String(firedCount(one)),
  ]);
  const table = rows.length === 0 ? [] : [formatTable([head, ...rows])];
  return [...table, ...standing(set, colour)].join("\n");
}

function plainTrigger(one: TriggerView, set: TriggerSetView["state"]): string {
  return [one.name, stateWord(one.state, set), one.on, doesText(one), String(firedCount(one))]
    .map((part) => printable(part).replaceAll("\t", " "))
    .join("\t");
}

function standing(set: TriggerSetView, { yellow, red, dim }: Colours): string[] {
  const place = `${printable(set.root)}: `;
  if (set.problem !== undefined) return [red(place + SET_WORDS[set.state]), `  ${printable(set.problem.message)}`];
  if (set.state === "enabled") {
    const since = set.enabledMs === undefined ? "" : `, ${formatAge(systemClock.wallMs() - set.enabledMs)}`;
    return [dim(`${place}enabled${since}; a chain is at most ${plural(set.depth, "trigger")} deep`)];
  }
  return [yellow(place + SET_WORDS[set.state])];
}

// One that was agreed to acts only while the file is what was agreed to.
function stateWord(state: TriggerView["state"], set: TriggerSetView["state"]): string {
  return state === "active" && set !== "enabled" ? "inactive" : state;
}

function doesText({ does, approval }: TriggerView): string {
  return approval ? `${does} (asks you first)` : does;
}

function firedCount({ firings }: TriggerView): number {
  return Object.values(firings).reduce((sum, count) => sum + count, 0);
}

/** One trigger with its newest firings. */
export function formatTrigger(
  { set, trigger, firings }: { set: TriggerSetView; trigger: TriggerView; firings: readonly FiringView[] },
  terminal: Terminal,
): string {
  const { colour } = terminal;
  const nowMs = systemClock.wallMs();
  const facts = [
    ["on", trigger.on],
    ["does", doesText(trigger)],
    ...trigger.flow.map((line) => ["", line]),
    ["state", stateWord(trigger.state, set.state)],
    ...(trigger.dueMs === undefined ? [] : [["next", `in ${formatDuration(trigger.dueMs - nowMs)}`]]),
    ...Object.entries(trigger.firings).map(([state, count]) => ["", `${count} ${state}`]),
  ].map(([name = "", text = ""]) => [colour.dim(name), printable(text)]);
  const rows = firings.map((one) => [formatAge(nowMs - one.atMs), one.state, firedOn(one), one.run ?? whyNone(one)]);
  return [
    colour.bold(printable(trigger.name)),
    formatTable(facts, "  "),
    ...(rows.length === 0 ? [] : ["", formatTable([["WHEN", "STATE", "ON", "RUN"].map(colour.dim), ...rows], "  ")]),
    ...standing(set, colour),
  ].join("\n");
}

function firedOn({ events, paths, depth }: FiringView): string {
  const some = paths.slice(0, 2).map(printable).join(", ");
  const what = paths.length === 0 ? plural(events, "event") : `${some}${paths.length > 2 ? ", …" : ""}`;
  return `${what} (depth ${depth})`;
}

function whyNone({ state, notice, reason }: FiringView): string {
  if (state === "approval" && notice !== undefined) return `anabranch approve ${notice}`;
  return reason === undefined ? "-" : printable(reason.message);
}

/** What a person agrees to: each trigger, and of a file that has changed what is different. */
export function formatAgreement(set: TriggerSetView, { colour }: Pick<Terminal, "colour">): string {
  const blocks = set.triggers.map((one) =>
    [
      `  ${colour.bold(printable(one.name))}${one.state === "active" || one.state === "paused" ? "" : ` ${colour.yellow(one.state)}`}`,
      `    on ${printable(one.on)}`,
      ...one.flow.map((line) => `    ${colour.dim(printable(line))}`),
      `    → ${printable(doesText(one))}`,
    ].join("\n"),
  );
  const difference =
    set.difference.length === 0
      ? []
      : ["since it was agreed to:", ...set.difference.map((line) => `  ${colourChange(printable(line), colour)}`)];
  return [`${printable(set.root)}/anabranch.yaml`, ...blocks, ...difference].join("\n");
}

function colourChange(line: string, { green, red, cyan }: Colours): string {
  if (line.startsWith("+")) return green(line);
  if (line.startsWith("-")) return red(line);
  return line.startsWith("@@") ? cyan(line) : line;
}

/** What each trigger would do about an event, and why not. */
export function formatTrials(trials: readonly TriggerTrial[], { colour, plain }: Terminal): string {
  if (plain) {
    return trials
      .map(({ trigger, fires, why }) => [trigger, fires ? "fires" : "no", why].map(printable).join("\t"))
      .join("\n");
  }
  if (trials.length === 0) return "There are no triggers here.";
  return trials
    .map(({ trigger, fires, why, steps }) => {
      const mark = fires ? colour.green("✓") : colour.dim("·");
      const head = `${mark} ${colour.bold(printable(trigger))} ${fires ? "fires" : "does not fire"}: ${printable(why)}`;
      return [head, ...steps.map((line) => `    → ${printable(line)}`)].join("\n");
    })
    .join("\n");
}

/** What was not delivered, or was stopped. */
export function formatDeadLetters(letters: readonly DeadLetterView[], { colour, plain }: Terminal): string {
  if (plain) {
    return letters
      .map(({ id, kind, count, title, reason }) =>
        [id, kind, String(count), title, reason.message]
          .map((part) => printable(part).replaceAll("\t", " "))
          .join("\t"),
      )
      .join("\n");
  }
  if (letters.length === 0) return "Nothing was stopped or left undelivered.";
  const nowMs = systemClock.wallMs();
  return letters
    .map(({ id, kind, count, title, reason, depth, atMs }) => {
      const times = count === 1 ? "" : `, ${count} times`;
      const deep = depth === undefined ? "" : `, depth ${depth}`;
      return [
        `${colour.bold(id)}  ${printable(title)}  ${colour.dim(`${kind}${deep}${times}, ${formatAge(nowMs - atMs)}`)}`,
        `    ${printable(reason.message)}`,
        `    anabranch events replay ${id}`,
      ].join("\n");
    })
    .join("\n");
}
