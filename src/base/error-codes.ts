/**
 * What went wrong, in kinds. The kind decides the exit code of the command line and the HTTP status.
 */
export type ErrorKind =
  | "failed"
  | "usage"
  | "config"
  | "missing"
  | "environment"
  | "conflict"
  | "gate"
  | "limit"
  | "unreachable"
  | "interrupted"
  | "internal";

/** Exit code of the command line for each kind of error. */
export const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  failed: 1,
  environment: 1,
  internal: 1,
  usage: 2,
  config: 2,
  missing: 3,
  conflict: 5,
  gate: 6,
  limit: 7,
  unreachable: 69,
  interrupted: 130,
};

/** HTTP status of the daemon's answer for each kind of error. */
export const HTTP_STATUS: Readonly<Record<ErrorKind, 400 | 403 | 404 | 409 | 422 | 429 | 500 | 503>> = {
  failed: 422,
  usage: 400,
  config: 422,
  missing: 404,
  environment: 503,
  conflict: 409,
  gate: 422,
  limit: 429,
  unreachable: 503,
  interrupted: 503,
  internal: 500,
};

/** Every error code there is, with its kind. `docs/errors.md` describes each one; a test holds the two together. */
export const ERROR_CODES = {
  // the command line and its requests
  USAGE: "usage",
  NOT_FOUND: "missing",
  AMBIGUOUS_ID: "usage",
  NOT_ALLOWED_IN_TASK: "conflict",
  FILE_EXISTS: "conflict",
  // the user's repository
  NOT_A_REPOSITORY: "environment",
  BARE_REPOSITORY: "environment",
  REPOSITORY_BUSY: "conflict",
  REPOSITORY_UNSUPPORTED: "environment",
  UNREADABLE_FILES: "environment",
  UNKNOWN_BASE: "missing",
  GIT_MISSING: "environment",
  GIT_FAILED: "internal",
  // anabranch.yaml and the graph it describes
  CONFIG_SYNTAX: "config",
  CONFIG_INVALID: "config",
  WORKFLOW_UNKNOWN: "missing",
  GRAPH_CYCLE: "config",
  GRAPH_INVALID: "config",
  TRIGGER_INVALID: "config",
  // events, and what they lead to
  EVENT_INVALID: "usage",
  TRIGGER_UNKNOWN: "missing",
  TRIGGERS_CHANGED: "gate",
  TRIGGERS_UNTRUSTED: "gate",
  CHAIN_STOPPED: "limit",
  APPROVAL_DENIED: "gate",
  APPROVAL_EXPIRED: "gate",
  // workspaces and tasks
  COMMAND_MISSING: "environment",
  DISK_FULL: "environment",
  READ_ONLY: "environment",
  NO_FREE_PORT: "environment",
  WORKSPACE_GONE: "failed",
  SETUP_FAILED: "failed",
  TASK_FAILED: "failed",
  TASK_TIMEOUT: "failed",
  TASK_LOST: "failed",
  CANCELLED: "failed",
  RACE_LOST: "failed",
  SKIPPED: "failed",
  OUTPUT_INVALID: "failed",
  NO_CHANGESET: "missing",
  RESTART_LIMIT: "limit",
  // agents
  AGENT_UNKNOWN: "missing",
  AGENT_INVALID: "config",
  AGENT_UNTRUSTED: "gate",
  AGENT_MISSING: "environment",
  AGENT_TOO_OLD: "environment",
  AGENT_LOGIN: "environment",
  AGENT_FAILED: "failed",
  AGENT_GONE: "failed",
  CONVERSATION_UNKNOWN: "missing",
  CANNOT_FORK: "conflict",
  SESSION_CLOSED: "conflict",
  BUDGET_SPENT: "limit",
  TOO_DEEP: "limit",
  TOO_MANY_CHILDREN: "limit",
  CANNOT_ADOPT: "conflict",
  LEASE_HELD: "conflict",
  LEASE_LOST: "conflict",
  NOTICE_CLOSED: "conflict",
  // landing
  MERGE_CONFLICT: "conflict",
  VERIFY_FAILED: "gate",
  BASE_RED: "gate",
  TARGET_GONE: "missing",
  TARGET_BUSY: "conflict",
  LAND_REFUSED: "conflict",
  CONFLICT_CLOSED: "conflict",
  CONFLICT_MARKERS: "conflict",
  ACCEPT_REFUSED: "conflict",
  NOTHING_TO_ACCEPT: "missing",
  RUN_ACTIVE: "conflict",
  // the store
  STORE_NEWER: "environment",
  STORE_CORRUPT: "environment",
  STORE_LOCKED: "environment",
  STORE_CONFLICT: "internal",
  // the daemon
  DAEMON_UNREACHABLE: "unreachable",
  DAEMON_START_FAILED: "unreachable",
  DAEMON_RUNNING: "conflict",
  DAEMON_VERSION: "unreachable",
  RUNTIME_DIRECTORY_UNSAFE: "environment",
  SERVICE_MISSING: "environment",
  SERVICE_FAILED: "environment",
  NOTIFY_FAILED: "environment",
  WAIT_TIMEOUT: "limit",
  INTERRUPTED: "interrupted",
  INTERNAL: "internal",
} as const satisfies Record<string, ErrorKind>;

/** The stable name of an error: what scripts match on. */
export type ErrorCode = keyof typeof ERROR_CODES;
