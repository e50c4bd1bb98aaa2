import { systemClock } from "../../base/clock.ts";
import { AnabranchError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { CommandResponse } from "../../protocol/commands.ts";
import type { ConflictListing, ConflictSummary } from "../../protocol/views.ts";
import { formatConflict } from "../conflict-text.ts";
import { formatAge, formatTable, plural } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { predict } from "../prediction.ts";
import { withSession, type Session } from "../session.ts";
import { answer, type Terminal } from "../terminal.ts";
import { formatLanded } from "./land.ts";

/** What the commands about conflicts are given. */
export interface ConflictOptions {
  readonly all?: boolean;
  readonly full?: boolean;
  readonly predict?: string | true;
}

type Work = (session: Session, args: readonly string[], options: ConflictOptions) => Promise<void>;

const WORKS: Readonly<Record<string, Work>> = { list, show, open, take, abort };

/** `anabranch conflicts`: lists, shows, opens, settles and gives up conflicts. The first argument says which. */
export const action: CommandAction<ConflictOptions> = (args, options) =>
  withSession(options, async (session) => {
    if (options.predict !== undefined) {
      await predict(session, options.predict);
      return 0;
    }
    const [word = "list", ...rest] = args;
    await (WORKS[word] ?? list)(session, rest, options);
    return 0;
  });

async function list(
  { anabranch, terminal, directory }: Session,
  _args: unknown,
  { all }: ConflictOptions,
): Promise<void> {
  const found = await anabranch.ask("conflicts", all === true ? {} : { directory });
  answer(terminal, found, () => formatList(found, terminal, all === true));
}

function formatList(found: readonly ConflictListing[], { colour, plain }: Terminal, all: boolean): string {
  if (plain) {
    return found
      .map((one) => [one.id, `${one.run}/${one.task}`, one.paths.length, one.folder ?? "-", one.repository].join("\t"))
      .join("\n");
  }
  if (found.length === 0) return "No conflicts wait for a decision.";
  const nowMs = systemClock.wallMs();
  const rows = found.map((one) => [
    colour.bold(one.id),
    `${one.run}/${printable(one.task)}`,
    pathsOf(one),
    formatAge(nowMs - one.createdMs),
    ...(all ? [printable(one.repository)] : []),
    one.folder === undefined ? "" : `open in ${printable(one.folder)}`,
  ]);
  return `${formatTable(rows)}\n${colour.dim("both sides, and the ways on: anabranch conflicts show ID")}`;
}

function pathsOf({ paths }: ConflictSummary): string {
  const [first] = paths;
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : "";
  return first === undefined ? "-" : `${printable(first.path)} (${first.kind})${more}`;
}

async function show(
  { anabranch, terminal }: Session,
  [id = ""]: readonly string[],
  options: ConflictOptions,
): Promise<void> {
  const full = options.full === true;
  const conflict = await anabranch.ask("conflicts-show", { id, ...(full ? { full } : {}) });
  answer(terminal, conflict, () => formatConflict(conflict, terminal));
}

async function open({ anabranch, terminal }: Session, [id = ""]: readonly string[]): Promise<void> {
  const opened = await anabranch.openConflict(id);
  answer(terminal, opened, () => (terminal.plain ? opened.folder : formatOpened(opened, terminal)));
}

function formatOpened(opened: CommandResponse<"conflicts-open">, { colour }: Terminal): string {
  const rows = opened.paths.map(({ path, advice }) => [colour.bold(printable(path)), printable(advice)]);
  return [
    opened.folder,
    ...(rows.length > 0 ? [formatTable(rows, "  ")] : ["  everything merges by now"]),
    `then: anabranch land ${opened.id}   ${colour.dim(`or give it up: anabranch conflicts abort ${opened.id}`)}`,
  ].join("\n");
}

async function take({ anabranch, terminal }: Session, [side = "", id = "", path]: readonly string[]): Promise<void> {
  if (side !== "ours" && side !== "theirs") {
    throw new AnabranchError("USAGE", {
      message: `a side is ours (what has landed) or theirs (the task's), not ${JSON.stringify(side)}`,
      hint: "anabranch conflicts take theirs ID",
    });
  }
  const { conflict, landed } = await anabranch.takeSide(id, side, path);
  answer(terminal, { conflict, ...(landed === undefined ? {} : { landed }) }, () =>
    landed === undefined ? formatOpenPaths(conflict, terminal) : formatLanded(landed, terminal),
  );
}

function formatOpenPaths({ id, paths }: ConflictSummary, { plain }: Terminal): string {
  const open = paths.filter(({ choice }) => choice === undefined);
  if (plain) return open.map(({ path }) => printable(path)).join("\n");
  return [
    `noted; ${plural(open.length, "path")} still open:`,
    ...open.slice(0, 20).map(({ path }) => `  anabranch conflicts take ours|theirs ${id} ${printable(path)}`),
    ...(open.length > 20 ? [`  … and ${open.length - 20} more`] : []),
  ].join("\n");
}

async function abort({ anabranch, terminal }: Session, [id = ""]: readonly string[]): Promise<void> {
  const given = await anabranch.ask("conflicts-abort", { id });
  answer(terminal, given, () => {
    const { conflict, snapshot, kept } = given;
    if (terminal.plain) return [conflict.id, snapshot, kept ?? "-"].join("\t");
    return [
      `given up; the work of ${conflict.run}/${printable(conflict.task)} stays in the vault: anabranch git -- show ${snapshot.slice(0, 12)}`,
      ...(kept === undefined ? [] : [`what was in its workspace: anabranch git -- show ${kept}`]),
      `to land it after all: anabranch land ${conflict.run}/${printable(conflict.task)}`,
    ].join("\n");
  });
}
