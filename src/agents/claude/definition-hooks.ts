/**
 * The hooks that a definition brings. Claude Code says when one is due; its command is run here, because the setting
 * that keeps the hooks of the user and of the repository out keeps out those of definitions too.
 *
 * Invariants:
 * 1. A hook can only refuse more: what it allows is still asked of the gate, and what a tool was asked to do stays.
 * 2. A hook that fails refuses nothing, unless it says `onFailure: block`.
 */
import type { Clock } from "../../base/clock.ts";
import { runProgram, type ProgramEnd } from "../../process/program.ts";
import { fieldsOf, listOf, numberOf, parseFields, textOf, type Fields } from "../fields.ts";

/** One command that a definition wants to be run. */
export interface DefinitionHook {
  readonly event: string;
  readonly matcher: string | undefined;
  readonly command: string;
  /** With arguments it is a program, and without a line for the shell. */
  readonly args: readonly string[] | undefined;
  readonly patienceMs: number;
  readonly blocks: boolean;
}

/** Runs hooks, as long as their session is open. */
export interface HookRunner {
  /** Resolves with what Claude Code is to do; it never throws. */
  run(hook: DefinitionHook, input: Fields): Promise<Fields>;
  /** Ends those that run. */
  stop(): void;
}

const DEFAULT_PATIENCE_S = 600;
const OUTPUT_CAP_BYTES = 1024 * 1024;

/** The hooks of a definition. */
export function definitionHooks(native: Fields): DefinitionHook[] {
  return listOf(native["hooks"]).flatMap((one) => {
    const { event, matcher, action } = fieldsOf(one);
    const { command, args, timeout, onFailure } = fieldsOf(action);
    if (typeof event !== "string" || typeof command !== "string") return [];
    return [
      {
        event,
        matcher: textOf(matcher),
        command,
        args: args === undefined ? undefined : listOf(args).map(String),
        patienceMs: (numberOf(timeout) || DEFAULT_PATIENCE_S) * 1000,
        blocks: onFailure === "block",
      },
    ];
  });
}

/** Where hooks run. */
export interface HookPlace {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly onRemark: (text: string) => void;
}

/** See {@link HookRunner}. */
export function createHookRunner({ cwd, environment, clock, onRemark }: HookPlace): HookRunner {
  const over = new AbortController();

  async function endOf(hook: DefinitionHook, input: Fields): Promise<ProgramEnd> {
    const late = new AbortController();
    const cancel = clock.after(hook.patienceMs, () => late.abort());
    const { command, args } = hook;
    try {
      return await runProgram({
        ...(args === undefined ? { program: "bash", args: ["--norc", "-c", command] } : { program: command, args }),
        cwd,
        environment: { ...environment, CLAUDE_PROJECT_DIR: cwd },
        input: JSON.stringify(input),
        outputCapBytes: OUTPUT_CAP_BYTES,
        signal: AbortSignal.any([late.signal, over.signal]),
      });
    } finally {
      cancel();
    }
  }

  return {
    async run(hook, input) {
      let failure: string;
      try {
        const { status, signal, stdout, stderr } = await endOf(hook, input);
        if (status === 0) return answerIn(hook.event, stdout.toString("utf8"), onRemark);
        if (status === 2) return refusal(hook.event, stderr);
        failure = `it ended with ${signal ?? `status ${String(status)}`}: ${stderr.trim()}`;
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
      }
      if (hook.blocks) return refusal(hook.event, failure);
      onRemark(`a hook on ${hook.event} failed: ${failure}`);
      return {};
    },
    stop: () => over.abort(),
  };
}

/** What a hook says with status 2. */
function refusal(event: string, said: string): Fields {
  const reason = said.trim() || "a hook of its definition refuses it";
  if (event !== "PreToolUse") return { decision: "block", reason };
  return {
    hookSpecificOutput: { hookEventName: event, permissionDecision: "deny", permissionDecisionReason: reason },
  };
}

function answerIn(event: string, said: string, onRemark: (text: string) => void): Fields {
  const answer = parseFields(said);
  if (answer === undefined) return event === "UserPromptSubmit" && said.trim() !== "" ? context(event, said) : {};
  const { hookSpecificOutput, async: _, asyncTimeout: __, ...rest } = answer;
  if (hookSpecificOutput === undefined) return rest;
  const { updatedInput, updatedPermissions, ...specific } = fieldsOf(hookSpecificOutput);
  // The gate was asked about what the agent wanted to do, and not about this.
  if (updatedInput !== undefined || updatedPermissions !== undefined)
    onRemark(`a hook on ${event} wanted to change what was asked for; it was not changed`);
  return { ...rest, hookSpecificOutput: specific };
}

function context(hookEventName: string, additionalContext: string): Fields {
  return { hookSpecificOutput: { hookEventName, additionalContext } };
}
