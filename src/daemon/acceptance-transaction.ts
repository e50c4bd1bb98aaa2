import { AnabranchError, toAnabranchError } from "../base/errors.ts";
import { faultPoint } from "../base/fault.ts";
import type { RefUpdate } from "../git/refs.ts";
import { refusal, sample } from "../landing/accept-plan.ts";
import { restoreAcceptance, tidyAcceptance, writeAcceptance } from "../landing/acceptance-steps.ts";
import type { PathNote } from "../landing/acceptance.ts";
import { receiptRef, writeReceipt, type LandedChangeset, type LandingRecord } from "../landing/receipt.ts";
import { insertAcceptance, moveAcceptance, type AcceptanceRow, type AcceptanceState } from "../store/acceptances.ts";
import { appendEvent } from "../store/events.ts";
import { loadLandings } from "../store/landings.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { AcceptanceJournal } from "./acceptance-views.ts";
import type { LiveRun } from "./live-run.ts";
import { expectAcceptance } from "./own-changes.ts";
import type { Parts } from "./parts.ts";

type Row = AcceptanceRow<AcceptanceJournal>;

/**
 * Journals an acceptance that is ready, and writes it.
 * @throws {AnabranchError} `ACCEPT_REFUSED` when somebody else was faster; then all of it is taken back
 */
export async function performAcceptance(
  parts: Parts,
  run: LiveRun,
  id: string,
  record: AcceptanceJournal,
): Promise<Row> {
  const marks = [{ name: `${keptRef(id)}/after`, to: record.after }];
  if (record.tip !== undefined) marks.push({ name: `${keptRef(id)}/tip`, to: record.tip });
  await parts.vaultOf(run.row.repositoryId).refs.update(marks);
  const journal = { id, run: run.row.id, record, createdMs: parts.clock.wallMs() };
  await parts.book.commit([insertAcceptance(journal), ...expectAcceptance(parts, run, record, "after")]);
  faultPoint("accept.journalled");
  const row: Row = { ...journal, version: 1, state: "writing", endedMs: undefined };
  const notes = await writeAcceptance(parts, record).catch((cause: unknown) => toAnabranchError(cause));
  if (Array.isArray(notes) && notes.length === 0) return conclude(parts, row);
  const { left } = await takeBackAcceptance(parts, row);
  if (notes instanceof AnabranchError) throw notes;
  const refused = [...notes, ...left];
  throw refusal(record, refused, {
    message: `somebody was faster: ${sample(refused.map(({ path, why }) => `${path} (${why})`))}; all else is taken back`,
    hint: `anabranch accept ${run.row.id}`,
  });
}

/** Ends an acceptance that was begun: forward where it was being written, back where it was being taken back. */
export async function settleAcceptance(parts: Parts, row: Row): Promise<void> {
  const notes = row.state === "writing" ? await writeAcceptance(parts, row.record) : undefined;
  if (notes?.length === 0) await conclude(parts, row);
  else await takeBackAcceptance(parts, row);
}

/** @returns what was left alone; the row is `accepted` again where nothing can be taken back any more */
export async function takeBackAcceptance(parts: Parts, from: Row): Promise<{ row: Row; left: PathNote[] }> {
  const row = from.state === "undoing" ? from : await move(parts, from, "undoing", "run.undoing");
  const root = { root: row.record.repository.root };
  const left = await restoreAcceptance(parts, row.record);
  if (left === undefined) {
    const still = await move(parts, row, "accepted", "run.accepted", root);
    return { row: still, left: [{ path: "HEAD", why: "it has gone on from what was accepted" }] };
  }
  await (await vaultOf(parts, row)).refs.update(unmark(row));
  const undone = await move(parts, row, "undone", "run.unaccepted", { ...root, left: left.map(({ path }) => path) });
  faultPoint("accept.unrecorded");
  await tidyAcceptance(row.record, false);
  return { row: undone, left };
}

/** All is written: the receipt, the row and the event say so. */
async function conclude(parts: Parts, row: Row): Promise<Row> {
  const { record } = row;
  const vault = await vaultOf(parts, row);
  const receipt = await writeReceipt(vault, row.run, row.id, await landingRecord(parts, row));
  // The receipt holds what the marks held.
  await vault.refs.update([{ name: receiptRef(row.id), to: receipt }, ...unmark(row)]);
  faultPoint("accept.receipt");
  const commits = record.commits.map(({ oid }) => oid);
  const data = { root: record.repository.root, paths: record.paths.length, commits };
  const accepted = await move(parts, row, "accepted", "run.accepted", data);
  faultPoint("accept.recorded");
  await tidyAcceptance(record, true);
  return accepted;
}

async function move(
  parts: Parts,
  row: Row,
  state: AcceptanceState,
  event: string,
  data: Readonly<Record<string, unknown>> = {},
): Promise<Row> {
  const atMs = parts.clock.wallMs();
  const endedMs = state === "undoing" ? null : atMs;
  const run = await requireRun(parts, row);
  const { repositoryId, cause, spec } = run.row;
  await parts.book.commit([
    moveAcceptance(row, state, endedMs),
    ...(state === "undoing" ? expectAcceptance(parts, run, row.record, "before") : []),
    appendEvent({
      atMs,
      type: event,
      run: row.run,
      task: undefined,
      repositoryId,
      cause,
      data: { acceptance: row.id, workflow: spec.name, ...data },
    }),
  ]);
  return { ...row, state, version: row.version + 1, endedMs: endedMs ?? undefined };
}

async function vaultOf(parts: Parts, row: Row): Promise<Vault> {
  return parts.vaultOf((await requireRun(parts, row)).row.repositoryId);
}

async function requireRun(parts: Parts, row: Row): Promise<LiveRun> {
  const run = await parts.book.find(row.run);
  if (run === undefined) throw new AnabranchError("INTERNAL", { message: `run ${row.run} is gone` });
  return run;
}

async function landingRecord(parts: Parts, { run, record, createdMs }: Row): Promise<LandingRecord> {
  const landings = await loadLandings<LandingRecord>(parts.store, run);
  const landed = landings.flatMap(({ record: { changesets } }) => changesets);
  const sources = new Map(landed.map((changeset) => [changeset.commit, changeset]));
  const changesets = record.commits.flatMap(({ oid, source }): LandedChangeset[] => {
    const changeset = sources.get(source);
    return changeset === undefined ? [] : [{ ...changeset, commit: oid }];
  });
  const { tip, branch, repository, verification } = record;
  return {
    target: tip === undefined ? { kind: "tree", name: repository.root } : { kind: "branch", name: branch ?? "HEAD" },
    before: record.before,
    after: tip ?? record.after,
    tree: verification.tree,
    changesets,
    verification,
    notices: record.notices,
    atMs: createdMs,
    accepted: {
      base: record.base,
      lane: record.lane,
      before: record.before,
      after: record.after,
      resolved: record.resolved,
      waivers: record.waivers,
    },
  };
}

/** The refs in the vault that keep what an acceptance needs until its receipt does. */
function keptRef(id: string): string {
  return `refs/acceptances/${id}`;
}

function unmark({ id, record }: Row): RefUpdate[] {
  const names = ["after", ...(record.tip === undefined ? [] : ["tip"])];
  return names.map((name) => ({ name: `${keptRef(id)}/${name}`, to: null }));
}
