/**
 * The daemon's composition root: everything is put together here, in this order, and nowhere else.
 *
 * starting → serving → stopping. It reports `ready`, or the error that kept it from starting, as one line on the file
 * descriptor it was given. Killed in any state, the next one finds in the store and on disk all it needs.
 */
import { closeSync, mkdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import type { Server } from "node:http";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";

import { createAdapters } from "../agents/adapters.ts";
import { systemClock } from "../base/clock.ts";
import { directoriesFor } from "../base/directories.ts";
import { EXIT_CODES } from "../base/error-codes.ts";
import { toAnabranchError } from "../base/errors.ts";
import { systemRandom } from "../base/ids.ts";
import { fileLog, type Log } from "../base/log.ts";
import { Recent } from "../base/recent.ts";
import { Semaphore } from "../base/semaphore.ts";
import { Turns } from "../base/turns.ts";
import { VERSION } from "../base/version.ts";
import { Scheduler } from "../engine/scheduler.ts";
import { createGit } from "../git/git.ts";
import { leaveTaskControlGroup, probeControlGroups } from "../process/cgroup.ts";
import { endOwnPrograms, OWNER_VARIABLE } from "../process/own-programs.ts";
import { PROTOCOL_VERSION, READY_VARIABLE, type DaemonFile, type StartReport } from "../protocol/wire.ts";
import type { Store } from "../store/port.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import { loadPorts, loadWorkspaces } from "../store/workspaces.ts";
import { layoutFor, type Layout } from "../workspaces/layout.ts";
import { WorkspacePool } from "../workspaces/pool.ts";
import { PortPool } from "../workspaces/ports.ts";
import { openTrash } from "../workspaces/trash.ts";
import { openVault, replaceFile, type Vault } from "../workspaces/vault.ts";
import { Mailbox } from "./agents/mailbox.ts";
import { NoticeBoard } from "./notice-board.ts";
import { Announcements } from "./announcements.ts";
import { Accepter } from "./accepter.ts";
import { ChildLimits } from "./child-limits.ts";
import { loadDaemonConfig, type DaemonConfig } from "./config.ts";
import { ConflictDesk } from "./conflict-desk.ts";
import { Emitter } from "./events/emitter.ts";
import { EventLog } from "./events/event-log.ts";
import { Retention } from "./events/retention.ts";
import { Forecaster } from "./forecaster.ts";
import { Hold } from "./hold.ts";
import { Deliveries } from "./deliveries.ts";
import { createHandlers, createStreamers } from "./handlers.ts";
import { TriggerBook } from "./events/trigger-book.ts";
import { TriggerDesk } from "./events/trigger-desk.ts";
import { TriggerEngine } from "./events/trigger-engine.ts";
import { openSources } from "./events/open-sources.ts";
import { keepHouse } from "./housekeeping.ts";
import { Lander } from "./lander.ts";
import { LeaseBook } from "./lease-book.ts";
import { Limits } from "./limits.ts";
import { takeLock } from "./lock.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { RepositoryMemory } from "./memory.ts";
import { readRoom } from "./room.ts";
import { OutboxWorker } from "./outbox-worker.ts";
import type { Parts } from "./parts.ts";
import { Reconciler } from "./reconciler.ts";
import { RunBook } from "./run-book.ts";
import { RunFiles } from "./run-files.ts";
import { createApi, listen } from "./server.ts";
import { Spending } from "./spending.ts";
import { WaitingCallers } from "./waiting-callers.ts";
import { Verifier } from "./verifier.ts";

/** A new workspace is made rather than waited for while making one takes no longer than this. */
const CHEAP_WORKSPACE_MS = 300;

async function main(): Promise<void> {
  const directories = directoriesFor(process.env);
  mkdirSync(directories.state, { recursive: true, mode: 0o700 });
  process.chdir(directories.state);
  const layout = layoutFor(directories.state);
  const unlock = takeLock(layout.lock);
  const groups = `anabranch-${basename(directories.runtime)}`;
  leaveTaskControlGroup(groups);
  await endOwnPrograms(groups, systemClock);
  process.env[OWNER_VARIABLE] = groups;
  const config = await loadDaemonConfig(directories.config);
  const store = openSqliteStore(layout.database);
  const log = fileLog(layout.log, systemClock);
  const stopping = new AbortController();
  const { parts, closeVaults } = await assemble(layout, store, config, log, groups, stopping.signal);
  const verifier = new Verifier(parts);
  const lander = new Lander(parts, verifier);
  const accepter = new Accepter(parts, verifier);
  const reconciler = new Reconciler(parts, lander);
  const desk = new ConflictDesk(parts, lander);
  const forecaster = new Forecaster(parts, config.forecastMs);
  new Deliveries(parts).start();
  const outbox = new OutboxWorker(parts, config.notify, process.env);
  const triggerBook = new TriggerBook(parts.store);
  const engine = new TriggerEngine(parts, reconciler, triggerBook);
  const retention = new Retention(parts, config.events);
  const emitter = new Emitter(parts);
  const { sources, hooks } = openSources(parts, config, triggerBook, emitter);
  const triggers = { engine, desk: new TriggerDesk(parts, triggerBook, engine, () => sources.refresh()) };
  const socket = join(directories.runtime, "daemon.sock");
  const closeAll = async (): Promise<void> => {
    await sources.close();
    await forecaster.stop();
    await outbox.stop();
    await parts.adapters.close();
    await closeVaults();
  };
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    setImmediate(() => void shutDown(server, store, closeAll, layout, unlock, log, groups));
  };
  const startedMs = systemClock.wallMs();
  const context = {
    parts,
    reconciler,
    lander,
    accepter,
    verifier,
    desk,
    forecaster,
    triggers,
    retention,
    emitter,
    hooks,
    config,
    version: VERSION,
    startedMs,
    stop,
    state: directories.state,
    socket,
  };
  const api = createApi(parts, createHandlers(context), createStreamers(context), VERSION);
  await parts.notices.recover();
  await verifier.recover();
  await accepter.recover();
  await reconciler.recover();
  await engine.recover();
  sources.refresh().catch((cause: unknown) => log("error", "a source of events failed", { cause: String(cause) }));
  await forecaster.start();
  let server = await listen(api, socket);
  const file: DaemonFile = { pid: process.pid, socket, version: VERSION, protocol: PROTOCOL_VERSION, startedMs };
  await replaceFile(layout.daemonFile, JSON.stringify(file));
  log("info", "serving", { pid: process.pid, version: VERSION, socket });
  report({ ready: true, socket });
  outbox.start();
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  void parts.trash.empty();
  desk.recover().catch((cause: unknown) => log("error", "left workspaces stay as they are", { cause: String(cause) }));
  keepHouse({
    parts,
    retention,
    engine,
    idleMs: config.idleMs,
    keepMs: config.keepMs,
    socket,
    server: () => server,
    listenAgain: async () => {
      server = await listen(api, socket);
    },
    stop,
  });
}

async function assemble(
  layout: Layout,
  store: Store,
  config: DaemonConfig,
  log: Log,
  groups: string,
  stopping: AbortSignal,
): Promise<{ parts: Parts; closeVaults: () => Promise<void> }> {
  const clock = systemClock;
  const git = createGit(process.env, clock);
  const vaults = new Map<string, Vault>();
  const remembered = new RepositoryMemory();
  const [workspaces, ports] = await Promise.all([loadWorkspaces(store), loadPorts(store)]);
  const mayGrow = (repositoryId: string, size: number): boolean => {
    const [coldMs = Number.POSITIVE_INFINITY] = remembered.spinUp(repositoryId).cold;
    return coldMs <= CHEAP_WORKSPACE_MS && size < 2 * config.parallel;
  };
  const announcements = new Announcements(config.notify);
  const book = new RunBook(store, clock, log, announcements);
  const limits = new Limits(config);
  const parts: Parts = {
    clock,
    random: systemRandom,
    adapters: createAdapters(clock),
    stopping,
    mailbox: new Mailbox(store, clock, systemRandom),
    notices: new NoticeBoard(store, clock, systemRandom, announcements),
    announcements,
    waiting: new WaitingCallers(clock),
    agentRetryMs: config.agentRetryMs,
    log,
    layout,
    store,
    events: new EventLog({ store }),
    git,
    book,
    spending: new Spending({ store, clock, book }, config.prices),
    leases: new LeaseBook({ clock, random: systemRandom, log, store, book }, config.leaseMs),
    files: new RunFiles(layout),
    pool: new WorkspacePool(workspaces, mayGrow),
    ports: new PortPool(ports),
    trash: openTrash(layout.trash),
    memory: new MemoryWatch(clock),
    remembered,
    surveys: new Recent({ entries: 100, weight: 100 }),
    controlGroups: probeControlGroups(groups),
    limits,
    scheduler: new Scheduler({
      total: limits.total,
      of: (limit) => limits.capacityOf(limit),
      perMinute: (limit) => limits.perMinuteOf(limit),
    }),
    hold: new Hold(clock, layout.state, () => readRoom(layout.state), config.hold),
    children: new ChildLimits({ store, book }, config.children),
    ladder: { interruptMs: config.interruptMs, terminateMs: config.terminateMs },
    preparing: new Turns(),
    filling: new Semaphore(Math.max(2, availableParallelism())),
    copying: new Semaphore(2),
    vaultOf: (repositoryId) => {
      const known = vaults.get(repositoryId) ?? openVault(git, repositoryId, layout.vault(repositoryId));
      vaults.set(repositoryId, known);
      return known;
    },
  };
  const closeVaults = async (): Promise<void> => {
    await Promise.all([...vaults.values()].map((vault) => vault.close()));
  };
  return { parts, closeVaults };
}

async function shutDown(
  server: Server,
  store: Store,
  closeVaults: () => Promise<void>,
  layout: Layout,
  unlock: () => void,
  log: Log,
  owner: string,
): Promise<void> {
  log("info", "stopping", { pid: process.pid });
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  systemClock.after(LONGEST_FAREWELL_MS, () => server.closeAllConnections());
  await closed;
  await closeVaults();
  await store.close();
  await endOwnPrograms(owner, systemClock);
  removeOwnFile(layout.daemonFile);
  unlock();
  process.exit(0);
}

const LONGEST_FAREWELL_MS = 500;

function removeOwnFile(path: string): void {
  try {
    const file = JSON.parse(readFileSync(path, "utf8")) as DaemonFile;
    if (file.pid === process.pid) rmSync(path);
  } catch {
    // It is gone already.
  }
}

function report(message: StartReport): void {
  const descriptor = Number(process.env[READY_VARIABLE] ?? Number.NaN);
  if (!Number.isInteger(descriptor)) return;
  try {
    writeSync(descriptor, `${JSON.stringify(message)}\n`);
    closeSync(descriptor);
  } catch {
    // Whoever started this daemon did not wait.
  }
}

main().catch((cause: unknown) => {
  const error = toAnabranchError(cause);
  report({ ready: false, error: error.toJSON() });
  process.stderr.write(`${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
  process.exit(EXIT_CODES[error.kind]);
});
