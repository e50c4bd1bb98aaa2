import { realpathSync } from "node:fs";
import { posix } from "node:path";

import { AnabranchError } from "../base/errors.ts";
import type { LeaseView } from "../protocol/views.ts";
import type { LeaseRow } from "../store/leases.ts";
import { findCaller, type CallerClaims } from "./caller.ts";
import type { HandlerContext, Handlers } from "./handlers.ts";
import { placeInside, type InsideWorkspace } from "./inside-workspace.ts";
import type { LiveRun, LiveTask } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { repositoryAround } from "./resolve.ts";

type LeaseHandlers = Pick<Handlers, "claim" | "release" | "leases">;

const USUAL_CLAIM_MS = 600_000;

/** Makes the handlers of leases. */
export function createLeaseHandlers({ parts }: HandlerContext): LeaseHandlers {
  return {
    async claim({ directory, scope, ttlMs = USUAL_CLAIM_MS }, caller) {
      const { run, task } = await requireTaskAtWork(parts, caller, "claim");
      const inside = await placeInside(parts, directory);
      const row = await parts.leases.claim({
        repositoryId: run.row.repositoryId,
        run: run.row.id,
        task: task.row.name,
        attempt: task.row.attempt,
        scope: scope.map((glob) => fromRoot(glob, inside)),
        ttlMs,
      });
      return viewLease(row);
    },

    async release({ id }, caller) {
      const { run, task } = await requireTaskAtWork(parts, caller, "release");
      const held = parts.leases.held(run.row.repositoryId);
      const row = held.find((lease) => lease.id === id && lease.run === run.row.id && lease.task === task.row.name);
      if (row === undefined) {
        throw new AnabranchError("NOT_FOUND", {
          message: `${run.row.id}/${task.row.name} holds no lease ${JSON.stringify(id)}`,
          hint: "anabranch leases",
          data: { id },
        });
      }
      if (row.renews) {
        throw new AnabranchError("USAGE", {
          message: `lease ${id} is that of an exclusive task: it is held until its work has landed`,
          hint: "release only what was claimed on the way",
        });
      }
      await parts.leases.release(row);
      return viewLease(row);
    },

    async leases({ directory }) {
      const inside = await placeInside(parts, directory);
      const repositoryId = inside?.repository.id ?? (await repositoryAround(parts, directory));
      return repositoryId === undefined ? [] : parts.leases.held(repositoryId).map(viewLease);
    },
  };
}

/**
 * The task that asks, while it is at work.
 * @throws {AnabranchError} `USAGE`, `NOT_ALLOWED_IN_TASK`
 */
async function requireTaskAtWork(
  parts: Parts,
  claims: CallerClaims,
  what: string,
): Promise<{ run: LiveRun; task: LiveTask }> {
  const caller = await findCaller(parts, claims);
  if (caller === undefined) {
    throw new AnabranchError("USAGE", {
      message: `only a task has leases to ${what}: they end with it`,
      hint: "give a task the globs it writes, and exclusive: true",
    });
  }
  const run = parts.book.get(caller.run);
  const task = run?.tasks.get(caller.task);
  const isAtWork = task?.row.state === "preparing" || task?.row.state === "working";
  if (run !== undefined && task !== undefined && isAtWork && task.row.cancel === undefined) return { run, task };
  throw new AnabranchError("NOT_ALLOWED_IN_TASK", {
    message: `task ${caller.task} of run ${caller.run} is being stopped or is over, and has no leases to ${what}`,
    hint: `anabranch show ${caller.run}`,
    data: { ...caller },
  });
}

/** A glob as it is meant from the root of the repository. */
function fromRoot(glob: string, inside: InsideWorkspace | undefined): string {
  const text = glob.startsWith("/")
    ? withoutTree(posix.normalize(glob), inside?.workspace.tree)
    : /^\.\.?(\/|$)/.test(glob)
      ? posix.join(inside?.subdirectory ?? "", glob)
      : posix.normalize(glob);
  if (text !== undefined && !/^(\/|\.\.(\/|$))/.test(text)) return text;
  throw new AnabranchError("USAGE", {
    message: `${JSON.stringify(glob)} is not in the workspace of the task that claims it`,
    hint: "give globs from the repository's root, such as src/api/**",
  });
}

function withoutTree(path: string, tree: string | undefined): string | undefined {
  if (tree === undefined) return undefined;
  for (const root of [tree, realpathSync(tree)]) {
    if (path === root || path.startsWith(`${root}/`)) return path.slice(root.length + 1) || ".";
  }
  return undefined;
}

function viewLease({ id, run, task, token, scope, createdMs, expiresMs, renews }: LeaseRow): LeaseView {
  return { id, run, task, token, scope: [...scope], createdMs, expiresMs, renews };
}
