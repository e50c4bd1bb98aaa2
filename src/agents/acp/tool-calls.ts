import type { PermissionOption, RequestPermissionResponse } from "@agentclientprotocol/sdk/unstable";
import { resolve } from "node:path";

import type { AgentEvent, GateAnswer, ToolAction, ToolRequest } from "../port.ts";
import { diffsIn, wordsIn, type ToolFields } from "./updates.ts";

/** What the tool calls of a session need of it. */
export interface ToolCallContext {
  readonly cwd: string;
  /** Whether what the agent calls a command's title is the command. */
  readonly titlesAreCommands: () => boolean;
  readonly ask: (request: ToolRequest) => Promise<GateAnswer>;
  readonly emit: (event: AgentEvent) => void;
  /** Whether the agent surely writes this file through us. */
  readonly delegates: (path: string) => boolean;
  /** Tells the agent why it was refused, where it can be told. */
  readonly explain: (reason: string) => void;
}

interface Call {
  request: ToolRequest;
  isStarted: boolean;
  ruling: GateAnswer | undefined;
  readonly written: Set<string>;
}

const ACTIONS: Readonly<Record<string, ToolAction>> = {
  read: "read",
  search: "read",
  edit: "write",
  delete: "write",
  move: "write",
  execute: "execute",
};
const SUMMARY_LENGTH = 200;

/**
 * The tool calls of a session.
 *
 * unknown → (told or asked about) open → (asked: allowed or refused, told) started → (completed, failed, refused or the
 * turn is over) closed
 *
 * A call that is closed stays so, whatever is told of it later.
 */
export class ToolCalls {
  readonly #context: ToolCallContext;
  readonly #open = new Map<string, Call>();
  readonly #closed = new Set<string>();

  constructor(context: ToolCallContext) {
    this.#context = context;
  }

  /** Takes what the agent tells. */
  told(fields: ToolFields): void {
    const { toolCallId: id, status } = fields;
    if (this.#closed.has(id)) return;
    const call = this.#merge(fields);
    const isOver = status === "completed" || status === "failed";
    // What is pending may tell its paths a moment later.
    const isKnown = status === "in_progress" || call.request.paths.length > 0 || call.request.command !== undefined;
    if (isOver || isKnown) this.#start(call);
    if (!isOver) return;
    if (status === "completed") for (const path of diffsIn(fields.content)) this.#wrote(call, this.#absolute(path));
    this.#end(id, status === "completed", wordsIn(fields.content));
  }

  /** Answers whether a tool may go on. */
  async asked(fields: ToolFields, options: readonly PermissionOption[]): Promise<RequestPermissionResponse> {
    if (this.#closed.has(fields.toolCallId)) return CANCELLED;
    const call = this.#merge(fields);
    const answer = await this.#context.ask(call.request);
    // The turn may be over by the time a person has answered.
    if (this.#open.get(fields.toolCallId) !== call) return CANCELLED;
    this.#start(call);
    const { action, paths } = call.request;
    call.ruling = answer;
    // Refused there, the agent learns why; refused here, only that it was.
    const isRefusedLater = action === "write" && paths.length > 0 && paths.every(this.#context.delegates);
    const option = options.find(({ kind }) => kind === (answer.allow || isRefusedLater ? "allow_once" : "reject_once"));
    if (answer.allow && option === undefined) {
      return this.#refuse(fields.toolCallId, "the agent offers no way to allow it this once", options);
    }
    if (!answer.allow && !isRefusedLater) return this.#refuse(fields.toolCallId, answer.reason, options);
    return option === undefined ? CANCELLED : selected(option);
  }

  /** What was decided about a file that an open call writes. */
  rulingFor(path: string): GateAnswer | undefined {
    return this.#callFor(path, (call) => call.ruling !== undefined)?.ruling;
  }

  /** The open call that a file belongs to. */
  requestFor(path: string): ToolRequest | undefined {
    return this.#callFor(path, () => true)?.request;
  }

  /** A file was written through us. */
  wrote(path: string): void {
    const call = this.#callFor(path, () => true);
    if (call === undefined) this.#context.emit({ type: "file", access: "write", path });
    else this.#wrote(call, path);
  }

  /** The turn is over. */
  endAll(): void {
    for (const [id, call] of this.#open) {
      this.#start(call);
      this.#end(id, false, "");
    }
    this.#closed.clear();
  }

  #callFor(path: string, fits: (call: Call) => boolean): Call | undefined {
    return [...this.#open.values()].findLast((call) => fits(call) && call.request.paths.includes(path));
  }

  #merge(fields: ToolFields): Call {
    const known = this.#open.get(fields.toolCallId);
    const call: Call = known ?? {
      request: { id: fields.toolCallId, tool: "tool", action: "other", paths: [], summary: "" },
      isStarted: false,
      ruling: undefined,
      written: new Set(),
    };
    call.request = this.#request(call.request, fields, known === undefined);
    this.#open.set(fields.toolCallId, call);
    return call;
  }

  #request(before: ToolRequest, fields: ToolFields, isFirst: boolean): ToolRequest {
    const { toolCallId: id, kind, title, locations, rawInput, content } = fields;
    const diffs = diffsIn(content);
    const paths = [
      ...new Set([...(locations ?? []).map(({ path }) => path), ...diffs].map((path) => this.#absolute(path))),
    ];
    const named = kind === undefined || kind === null ? before.action : (ACTIONS[kind] ?? "other");
    const action = named === "other" && diffs.length > 0 ? "write" : named;
    const line = oneLine(title ?? "");
    const command = commandIn(rawInput) ?? (this.#context.titlesAreCommands() ? (title ?? undefined) : undefined);
    return {
      id,
      tool: toolName(fields) ?? (isFirst ? (kind ?? before.tool) : before.tool),
      action,
      paths: paths.length > 0 ? paths : before.paths,
      command: action === "execute" ? (command ?? before.command) : undefined,
      summary: line === "" ? before.summary : line,
    };
  }

  #absolute(path: string): string {
    return resolve(this.#context.cwd, path);
  }

  #refuse(id: string, reason: string, options: readonly PermissionOption[]): RequestPermissionResponse {
    this.#end(id, false, reason);
    this.#context.explain(reason);
    const option =
      options.find(({ kind }) => kind === "reject_once") ?? options.find(({ kind }) => kind === "reject_always");
    return option === undefined ? CANCELLED : selected(option);
  }

  #start(call: Call): void {
    if (call.isStarted) return;
    call.isStarted = true;
    this.#context.emit({ type: "tool.start", request: call.request });
  }

  #end(id: string, ok: boolean, output: string): void {
    if (!this.#open.delete(id)) return;
    this.#closed.add(id);
    this.#context.emit({ type: "tool.end", id, ok, output: output === "" ? undefined : output });
  }

  #wrote(call: Call, path: string): void {
    if (call.written.has(path)) return;
    call.written.add(path);
    this.#context.emit({ type: "file", access: "write", path });
  }
}

const CANCELLED: RequestPermissionResponse = { outcome: { outcome: "cancelled" } };

function selected({ optionId }: PermissionOption): RequestPermissionResponse {
  return { outcome: { outcome: "selected", optionId } };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, SUMMARY_LENGTH);
}

/** The agent's own name of a tool. The protocol has none, but some say it beside, or in the call's id. */
function toolName({ toolCallId, _meta }: ToolFields): string | undefined {
  const claude: unknown = _meta?.["claudeCode"];
  if (typeof claude === "object" && claude !== null && "toolName" in claude && typeof claude.toolName === "string") {
    return claude.toolName;
  }
  return /^([a-z]\w*?)[-_]\d{10,}[-_]/i.exec(toolCallId)?.[1];
}

function commandIn(rawInput: unknown): string | undefined {
  if (typeof rawInput !== "object" || rawInput === null || !("command" in rawInput)) return undefined;
  const { command } = rawInput;
  if (typeof command === "string") return command;
  return Array.isArray(command) ? command.map(String).join(" ") : undefined;
}
