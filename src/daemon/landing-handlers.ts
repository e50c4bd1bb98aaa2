import { AnabranchError } from "../base/errors.ts";
import { findRepository } from "../git/repository.ts";
import type { CommandResponse } from "../protocol/commands.ts";
import { findRepositoryRow } from "../store/repositories.ts";
import { auditReceipts } from "./audit.ts";
import { findConflict, requireConflict } from "./conflict-lookup.ts";
import { listConflicts, viewConflict } from "./conflict-views.ts";
import type { SettledConflict } from "./conflict-desk.ts";
import type { HandlerContext, Handlers } from "./handlers.ts";
import { landTask, type LateLanding } from "./late-landing.ts";
import { summarizeConflict, viewLanding } from "./landing-views.ts";
import { repositoryAround, resolveId, resolveTask } from "./resolve.ts";

type LandingHandlers = Pick<
  Handlers,
  "conflicts" | "conflicts-show" | "conflicts-open" | "conflicts-take" | "conflicts-abort" | "land" | "audit"
>;

/** Makes the handlers of what people do about landings. */
export function createLandingHandlers({ parts, lander, desk }: HandlerContext): LandingHandlers {
  return {
    async conflicts({ directory }) {
      const repositoryId = await repositoryAround(parts, directory);
      // A repository that nothing was ever run in has none; without a folder all are meant.
      if (directory !== undefined && repositoryId === undefined) return [];
      return listConflicts(parts, repositoryId);
    },

    async "conflicts-show"({ id, full }) {
      return viewConflict(parts, lander, await requireConflict(parts, id), full === true);
    },

    async "conflicts-open"({ id, environment }) {
      const { conflict, folder, base, paths, again } = await desk.open(id, { environment });
      return { id: conflict.id, folder, base, paths: paths.map((one) => ({ ...one })), again };
    },

    async "conflicts-take"({ id, side, path, environment }, _caller, signal) {
      const { conflict, landed } = await desk.take(id, side, path, { environment, signal });
      const summary = summarizeConflict(await requireConflict(parts, conflict.id));
      return { conflict: summary, ...(landed === undefined ? {} : { landed: viewSettled(conflict, landed) }) };
    },

    async "conflicts-abort"({ id }) {
      const { conflict, kept } = await desk.abort(id);
      return {
        conflict: summarizeConflict(await requireConflict(parts, conflict.id)),
        snapshot: conflict.record.candidate.snapshot,
        ...(kept === undefined ? {} : { kept }),
      };
    },

    async land({ id, directory, environment }, _caller, signal) {
      const wish = { environment, signal };
      const conflict = await findConflict(parts, id);
      if (conflict !== undefined) return viewSettled(conflict, await desk.land(conflict.id, wish));
      const { run, task } = await resolveTask(parts, id, directory);
      return viewLate(run.row.id, task.row.name, await landTask(parts, lander, run, task, wish));
    },

    async audit({ id, directory }) {
      const repository = await findRepository(parts.git, directory);
      const row = await findRepositoryRow(parts.store, repository.commonDirectory);
      if (row === undefined) {
        throw new AnabranchError("NOT_FOUND", {
          message: `Anabranch keeps no vault for ${directory} yet`,
          hint: "start a run here first",
        });
      }
      const run = id === undefined ? undefined : (await resolveId(parts, id, directory)).run.row.id;
      const receipts = await auditReceipts(parts, parts.vaultOf(row.id), row.commonDirectory, run);
      return { proved: receipts.filter(({ proved }) => proved).length, receipts };
    },
  };
}

function viewLate(run: string, task: string, { row, already }: LateLanding): CommandResponse<"land"> {
  return { run, task, landing: viewLanding(row), already };
}

function viewSettled(
  { id, run, task }: { readonly id: string; readonly run: string; readonly task: string },
  settled: SettledConflict,
): CommandResponse<"land"> {
  const { kept } = settled;
  return { ...viewLate(run, task, settled), conflict: id, ...(kept === undefined ? {} : { kept }) };
}
