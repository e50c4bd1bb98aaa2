import { describe, expect, it } from "vitest";

import { ERROR_CODES, EXIT_CODES, HTTP_STATUS, type ErrorKind } from "../../src/base/error-codes.ts";

/** Scripts match on these. A new code is a new line; a code that was published is never renamed or given another kind. */
const CODES = {
  USAGE: "usage",
  NOT_FOUND: "missing",
  AMBIGUOUS_ID: "usage",
  NOT_ALLOWED_IN_TASK: "conflict",
  FILE_EXISTS: "conflict",
  NOT_A_REPOSITORY: "environment",
  BARE_REPOSITORY: "environment",
  REPOSITORY_BUSY: "conflict",
  REPOSITORY_UNSUPPORTED: "environment",
  UNREADABLE_FILES: "environment",
  UNKNOWN_BASE: "missing",
  GIT_MISSING: "environment",
  GIT_FAILED: "internal",
  CONFIG_SYNTAX: "config",
  CONFIG_INVALID: "config",
  WORKFLOW_UNKNOWN: "missing",
  GRAPH_CYCLE: "config",
  GRAPH_INVALID: "config",
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
  LEASE_HELD: "conflict",
  LEASE_LOST: "conflict",
  NOTICE_CLOSED: "conflict",
  ACCEPT_REFUSED: "conflict",
  NOTHING_TO_ACCEPT: "missing",
  RUN_ACTIVE: "conflict",
  TARGET_BUSY: "conflict",
  LAND_REFUSED: "conflict",
  CONFLICT_CLOSED: "conflict",
  CONFLICT_MARKERS: "conflict",
  TARGET_GONE: "missing",
  BASE_RED: "gate",
  MERGE_CONFLICT: "conflict",
  VERIFY_FAILED: "gate",
  STORE_NEWER: "environment",
  STORE_CORRUPT: "environment",
  STORE_LOCKED: "environment",
  STORE_CONFLICT: "internal",
  DAEMON_UNREACHABLE: "unreachable",
  DAEMON_START_FAILED: "unreachable",
  DAEMON_RUNNING: "conflict",
  DAEMON_VERSION: "unreachable",
  RUNTIME_DIRECTORY_UNSAFE: "environment",
  WAIT_TIMEOUT: "limit",
  INTERRUPTED: "interrupted",
  INTERNAL: "internal",
};

/** For each kind: the exit code of the command line, and the HTTP status of the daemon's answer. */
const KINDS: Readonly<Record<string, readonly [exit: number, status: number]>> = {
  failed: [1, 422],
  environment: [1, 503],
  internal: [1, 500],
  usage: [2, 400],
  config: [2, 422],
  missing: [3, 404],
  conflict: [5, 409],
  gate: [6, 422],
  limit: [7, 429],
  unreachable: [69, 503],
  interrupted: [130, 503],
};

describe("errors are pinned", () => {
  it("by their codes and kinds", () => {
    expect(ERROR_CODES).toEqual(CODES);
  });

  it("by the exit code and status of each kind", () => {
    const kinds = Object.keys(EXIT_CODES) as ErrorKind[];
    expect(Object.fromEntries(kinds.map((kind) => [kind, [EXIT_CODES[kind], HTTP_STATUS[kind]]]))).toEqual(KINDS);
  });
});
