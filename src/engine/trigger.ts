import type { Budget } from "./agent.ts";
import type { Outcome } from "./task.ts";

/** What has become of a file. A rename is a deletion and a creation. */
export const FILE_CHANGES = ["created", "changed", "deleted"] as const;
/** What has become of a file. */
export type FileChange = (typeof FILE_CHANGES)[number];

/** What is done about a timer that was due while nobody was there: nothing, one event for all, or one for each. */
export const MISSED = ["skip", "once", "all"] as const;

/** How whoever calls a webhook shows that it may. */
export const SIGNATURES = ["token", "github", "hmac"] as const;

/** What a trigger waits for. Globs are as in a shell, `**` included; several mean any of them. */
export type EventSource =
  | { readonly type: "files"; readonly globs: readonly string[]; readonly changes: readonly FileChange[] }
  | {
      readonly type: "ref";
      /** `commit`: a branch has moved; `branch` and `tag`: one was made, moved or deleted. */
      readonly kind: "commit" | "branch" | "tag";
      readonly names: readonly string[];
      /** Globs of the author, as `Name <address>`. */
      readonly authors: readonly string[];
      /** Globs of paths that the commits change. */
      readonly paths: readonly string[];
    }
  | {
      readonly type: "timer";
      readonly when:
        | { readonly cron: string; readonly timeZone: string | undefined }
        | { readonly everyMs: number }
        | { readonly atMs: number };
      readonly missed: (typeof MISSED)[number];
    }
  | { readonly type: "webhook"; readonly hook: string; readonly signature: (typeof SIGNATURES)[number] }
  | { readonly type: "log"; readonly file: string; readonly match: string }
  | {
      readonly type: "task";
      readonly workflow: string;
      readonly task: string;
      readonly outcomes: readonly Outcome[];
    }
  | { readonly type: "run"; readonly workflow: string; readonly outcomes: readonly Outcome[] }
  /** Something of a workflow's tasks has landed, or a run was accepted. */
  | { readonly type: "landing"; readonly workflow: string }
  | { readonly type: "custom"; readonly names: readonly string[] };

/** How the events of one trigger become firings. The semantics stand in `docs/events.md`. */
export interface FlowSpec {
  /** More than so many in a time are dropped. */
  readonly rateLimit: { readonly limit: number; readonly perMs: number } | undefined;
  readonly debounce:
    | { readonly quietMs: number; readonly maxMs: number | undefined; readonly edge: "trailing" | "leading" | "both" }
    | undefined;
  readonly batch: { readonly size: number; readonly withinMs: number } | undefined;
  /** More than so many in a time have to wait. */
  readonly throttle: { readonly limit: number; readonly perMs: number } | undefined;
}

/** How the firings of all triggers that name one group meet. */
export interface GroupSpec {
  readonly name: string;
  /** How many of the group run at once. */
  readonly limit: number;
  /**
   * `queue`: the others wait; `replace-pending`: only the newest waits; `cancel-in-progress`: what runs is cancelled for
   * the newest; `skip`: what comes while one runs is dropped.
   */
  readonly policy: "queue" | "replace-pending" | "cancel-in-progress" | "skip";
}

/** A trigger with everything settled. */
export interface TriggerSpec {
  readonly name: string;
  readonly source: EventSource;
  /** What fields of the event, by their path, must match: globs, any of them. */
  readonly where: Readonly<Record<string, readonly string[]>>;
  /** The workflow it starts. */
  readonly workflow: string | undefined;
  /** The targets it notifies, by their names in the user's configuration. */
  readonly notify: readonly string[];
  /** A person is asked first; without an answer by then, it is no. */
  readonly approval: { readonly expiresMs: number } | undefined;
  /** The branch that the work of its runs lands on. */
  readonly target: string | undefined;
  readonly flow: FlowSpec;
  readonly group: GroupSpec | undefined;
  /** The path of the field by which an event counts once in 24 hours. */
  readonly idempotencyKey: string | undefined;
  /** Among firings that wait, a higher one goes first. */
  readonly priority: number;
  /** Whether it may fire on what it has led to itself. */
  readonly again: boolean;
}

/** All triggers of a repository. */
export interface TriggerSetSpec {
  readonly triggers: readonly TriggerSpec[];
  readonly chains: { readonly depth: number; readonly budget: Budget };
}

/** What a trigger is shown of an event. */
export interface TriggerEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly type: string;
  readonly repositoryId: string | undefined;
  readonly run: string | undefined;
  readonly task: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The events that sources append, and those of runs that triggers wait for. */
export const EVENT_TYPES = {
  /** `{ paths: [{ path, change }], count, bulk }`; of a bulk change, the first thousand paths. */
  files: "files.changed",
  /** `{ ref, kind: "branch" | "tag", name, change: "created" | "moved" | "deleted", from?, to?, author?, subject?, paths? }` */
  ref: "ref.changed",
  /** `{ trigger, dueMs, missed, more? }` */
  timer: "timer.due",
  /** `{ hook, event?, delivery?, body }` */
  webhook: "webhook.received",
  /** `{ trigger, file, line, groups }`; of what a second could not take, `{ trigger, file, skipped }` */
  log: "log.matched",
  /** `{ text, value? }` */
  report: "task.report",
  /** What `emit` appends has its name after this. */
  customPrefix: "custom.",
} as const;

/** How far a firing is; `daemon/events/trigger-engine.ts` says what each state means. */
export const FIRING_STATES = ["held", "approval", "queued", "running", "ended", "replaced", "dropped", "dead"] as const;
/** How far a firing is. */
export type FiringState = (typeof FIRING_STATES)[number];
