export { Anabranch, connect, defineWorkflow } from "./sdk/anabranch.ts";
export type { ConnectOptions } from "./sdk/daemon-link.ts";
export type { RunHandle } from "./sdk/run-handle.ts";
export type { StartOptions } from "./sdk/start-options.ts";
export { AnabranchError, isAnabranchError } from "./base/errors.ts";
export type { ErrorShape } from "./base/errors.ts";
export type { ErrorCode, ErrorKind } from "./base/error-codes.ts";
export type {
  AttemptView,
  ChangesetView,
  EventView,
  PlanView,
  RunSummary,
  RunView,
  TaskView,
} from "./protocol/views.ts";
export type { TaskDefinition, WorkflowDefinition } from "./workflows/schema.ts";
