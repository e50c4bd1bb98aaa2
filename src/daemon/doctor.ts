import { statfs } from "node:fs/promises";
import { readFileSync, statSync } from "node:fs";
import { totalmem } from "node:os";

import { AGENT_KINDS } from "../engine/agent.ts";
import type { CheckView } from "../protocol/views.ts";
import { measureFileTrace } from "../process/file-trace.ts";
import { findMarkedByVariable } from "../process/table.ts";
import { MARKER_VARIABLE } from "../protocol/wire.ts";
import { canShareBlocks } from "../workspaces/dependencies.ts";
import { findProgram } from "./agents/detection.ts";
import type { Parts } from "./parts.ts";

/** Where the daemon that is asked listens, and since when. */
export interface DoctorContext {
  readonly state: string;
  readonly socket: string;
}

const GIB = 1024 ** 3;

/** Looks at everything that Anabranch rests on: each check with its evidence and, where it fails, what mends it. */
export async function examine(
  parts: Parts,
  context: DoctorContext,
  environment: Readonly<Record<string, string>> | undefined,
): Promise<CheckView[]> {
  return [
    nodeVersion(),
    await gitVersion(parts),
    runtimeDirectory(context),
    await diskSpace(context),
    await room(parts),
    await database(parts),
    await sharedBlocks(context),
    controlGroups(parts),
    inotify(),
    orphans(parts),
    workspaces(parts),
    memory(),
    await tracing(parts),
    await agentPrograms(parts, environment ?? definedOf(process.env)),
  ];
}

/** What it costs to find out which files the commands of an agent read. */
async function tracing(parts: Parts): Promise<CheckView> {
  const factor = await measureFileTrace(parts.clock);
  const evidence =
    factor === undefined
      ? "strace cannot be used: what the commands of agents read stays unknown"
      : `strace: commands that are traced take ${factor.toFixed(1)} times as long`;
  return { name: "trace", result: "ok", evidence };
}

/** Programs of agents are no must: what is not found is only told. */
async function agentPrograms(parts: Parts, environment: Readonly<Record<string, string>>): Promise<CheckView> {
  const found = await Promise.all(
    AGENT_KINDS.map(async (kind) => ({ kind, ...(await findProgram(parts, { kind, environment })) })),
  );
  const evidence = found.map(({ kind, path, version }) =>
    path === undefined ? `${kind} not found` : `${kind} ${version} (${path})`,
  );
  const warnings = found.flatMap(({ kind, warning }) => (warning === undefined ? [] : [`${kind}: ${warning}`]));
  if (warnings.length === 0) return { name: "agents", result: "ok", evidence: evidence.join(", ") };
  return {
    name: "agents",
    result: "warn",
    evidence: [...evidence, ...warnings].join(", "),
    fix: "anabranch agents ls",
  };
}

function definedOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function nodeVersion(): CheckView {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  const fits = major > 20 || (major === 20 && minor >= 19);
  return fits
    ? { name: "node", result: "ok", evidence: node }
    : { name: "node", result: "fail", evidence: node, fix: "install Node 20.19 or newer" };
}

async function gitVersion(parts: Parts): Promise<CheckView> {
  const version = await parts.git.text({}, ["version"]).catch((cause: unknown) => String(cause));
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  const fits = major > 2 || (major === 2 && minor >= 39);
  return fits
    ? { name: "git", result: "ok", evidence: version }
    : { name: "git", result: "fail", evidence: version, fix: "install git 2.39 or newer" };
}

function runtimeDirectory({ socket }: DoctorContext): CheckView {
  const mode = statSync(socket, { throwIfNoEntry: false })?.mode;
  const evidence = `${socket}${mode === undefined ? ", which is gone" : ""}`;
  return mode === undefined
    ? { name: "socket", result: "fail", evidence, fix: "anabranch daemon restart" }
    : { name: "socket", result: "ok", evidence };
}

async function diskSpace({ state }: DoctorContext): Promise<CheckView> {
  const { bavail, bsize, blocks } = await statfs(state);
  const [freeBytes, allBytes] = [bavail * bsize, blocks * bsize];
  const evidence = `${(freeBytes / GIB).toFixed(1)} GiB of ${(allBytes / GIB).toFixed(1)} GiB free at ${state}`;
  if (freeBytes > 2 * GIB) return { name: "disk", result: "ok", evidence };
  return {
    name: "disk",
    result: freeBytes > GIB / 4 ? "warn" : "fail",
    evidence,
    fix: "anabranch gc, or free some space",
  };
}

async function room({ hold }: Parts): Promise<CheckView> {
  await hold.look();
  return hold.why === undefined
    ? { name: "room to start", result: "ok", evidence: "enough of disk and memory: tasks start" }
    : {
        name: "room to start",
        result: "fail",
        evidence: `no task starts, ${hold.why}`,
        fix: "anabranch gc, or free some space; hold: in config.yaml says how much is wanted",
      };
}

async function database(parts: Parts): Promise<CheckView> {
  const problems = await parts.store.findProblems();
  return problems.length === 0
    ? { name: "database", result: "ok", evidence: `${parts.layout.database} is whole` }
    : {
        name: "database",
        result: "fail",
        evidence: problems.slice(0, 3).join("; "),
        fix: `anabranch daemon stop && mv ${parts.layout.database} ${parts.layout.database}.damaged`,
      };
}

async function sharedBlocks({ state }: DoctorContext): Promise<CheckView> {
  const shares = await canShareBlocks(state);
  return {
    name: "copy-on-write",
    result: "ok",
    evidence: shares
      ? "copies of dependencies share their blocks"
      : "not on this file system: dependencies are copied in full",
  };
}

function controlGroups(parts: Parts): CheckView {
  return {
    name: "control groups",
    result: "ok",
    evidence:
      parts.controlGroups === undefined
        ? "cannot be made here: what a task leaves behind is found by its marker, group and folder"
        : "one for each task: nothing it starts can stay behind",
  };
}

const FEW_WATCHES = 64;

function inotify(): CheckView {
  const read = (name: string): number | undefined => {
    try {
      return Number(readFileSync(`/proc/sys/fs/inotify/${name}`, "utf8"));
    } catch {
      return undefined;
    }
  };
  const instances = read("max_user_instances");
  if (instances === undefined)
    return { name: "file watching", result: "ok", evidence: "no limit to read on this system" };
  const evidence = `${instances} instances, ${read("max_user_watches")} watches for each user`;
  return instances >= FEW_WATCHES
    ? { name: "file watching", result: "ok", evidence }
    : { name: "file watching", result: "warn", evidence, fix: "sysctl fs.inotify.max_user_instances=512" };
}

/** Processes that carry a task's marker although no task is at work. */
function orphans(parts: Parts): CheckView {
  const markers = new Set<string>();
  for (const run of parts.book.all()) {
    for (const { row, attempt } of run.tasks.values()) {
      if (attempt !== undefined && row.state !== "ended") markers.add(attempt.marker);
    }
  }
  const found = findMarkedByVariable(MARKER_VARIABLE).filter(({ value }) => !markers.has(value));
  if (found.length === 0) return { name: "orphan processes", result: "ok", evidence: "none" };
  const pids = found.map(({ pid }) => pid).join(" ");
  return {
    name: "orphan processes",
    result: "warn",
    evidence: `${found.length} processes carry the marker of a task that is over: ${pids}`,
    fix: `kill ${pids}`,
  };
}

function workspaces(parts: Parts): CheckView {
  const all = parts.pool.all();
  const leased = parts.pool.leased().length;
  const evidence = `${all.length} in all, ${leased} in use`;
  return { name: "workspaces", result: "ok", evidence };
}

function memory(): CheckView {
  const bytes = process.memoryUsage.rss();
  const evidence = `the daemon uses ${(bytes / 1024 ** 2).toFixed(0)} MiB of ${(totalmem() / GIB).toFixed(1)} GiB`;
  return { name: "memory", result: "ok", evidence };
}
