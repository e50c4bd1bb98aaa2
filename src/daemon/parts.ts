import type { Adapters } from "../agents/adapters.ts";
import type { Clock } from "../base/clock.ts";
import type { RandomBytes } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { Recent } from "../base/recent.ts";
import type { Semaphore } from "../base/semaphore.ts";
import type { Turns } from "../base/turns.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import type { Git } from "../git/git.ts";
import type { ControlGroups } from "../process/cgroup.ts";
import type { KillLadder } from "../process/ladder.ts";
import type { Store } from "../store/port.ts";
import type { Layout } from "../workspaces/layout.ts";
import type { WorkspacePool } from "../workspaces/pool.ts";
import type { PortPool } from "../workspaces/ports.ts";
import type { BaseSurvey } from "../workspaces/source.ts";
import type { Trash } from "../workspaces/trash.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { ChildLimits } from "./child-limits.ts";
import type { Announcements } from "./announcements.ts";
import type { Mailbox } from "./agents/mailbox.ts";
import type { EventLog } from "./events/event-log.ts";
import type { Hold } from "./hold.ts";
import type { LeaseBook } from "./lease-book.ts";
import type { Limits } from "./limits.ts";
import type { MemoryWatch } from "./memory-watch.ts";
import type { RepositoryMemory } from "./memory.ts";
import type { NoticeBoard } from "./notice-board.ts";
import type { RunBook } from "./run-book.ts";
import type { RunFiles } from "./run-files.ts";
import type { Spending } from "./spending.ts";
import type { WaitingCallers } from "./waiting-callers.ts";

/** What the daemon's modules are made of; put together once, in `main.ts`. */
export interface Parts {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly layout: Layout;
  readonly store: Store;
  readonly events: EventLog;
  readonly git: Git;
  readonly book: RunBook;
  readonly leases: LeaseBook;
  readonly spending: Spending;
  readonly files: RunFiles;
  readonly pool: WorkspacePool;
  readonly ports: PortPool;
  readonly trash: Trash;
  readonly memory: MemoryWatch;
  readonly remembered: RepositoryMemory;
  /** What was found in the trees of the newest bases. */
  readonly surveys: Recent<BaseSurvey>;
  readonly adapters: Adapters;
  /** Aborts when the daemon is about to go: what ends from then on ends because of that, and nothing is made of it. */
  readonly stopping: AbortSignal;
  readonly mailbox: Mailbox;
  readonly notices: NoticeBoard;
  readonly announcements: Announcements;
  readonly waiting: WaitingCallers;
  /** See the daemon's configuration. */
  readonly agentRetryMs: number;
  readonly controlGroups: ControlGroups | undefined;
  readonly limits: Limits;
  readonly children: ChildLimits;
  readonly scheduler: Scheduler;
  readonly hold: Hold;
  readonly ladder: KillLadder;
  /** The vault of a repository, opened on first use. */
  readonly vaultOf: (repositoryId: string) => Vault;
  /** Those who share a workspace prepare it one after another. */
  readonly preparing: Turns;
  /** Keeps checking out and resetting from taking all of the disk. */
  readonly filling: Semaphore;
  /** The same for copying dependencies, which takes much longer. */
  readonly copying: Semaphore;
}
