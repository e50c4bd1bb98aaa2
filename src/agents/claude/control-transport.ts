/**
 * Speaks with Claude Code over its standard input and output, in the lines that its own SDK uses.
 *
 * Both sides may ask (`control_request`) and are answered once (`control_response`, by the same id); everything else is
 * a message of the conversation.
 *
 * Invariants:
 * 1. The hooks are told before anything is said, so no tool is used without them.
 * 2. Each question of the program is answered unless it is withdrawn; one that nobody can answer is answered no.
 */
import { AnabranchError } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import { startLineProgram } from "../../process/line-program.ts";
import { fieldsOf, parseFields, textOf, type Fields } from "../fields.ts";
import { argumentsOf, type Launch } from "./launch.ts";
import {
  HOOKED_AFTER,
  HOOK_PATIENCE_S,
  hookTable,
  messageOf,
  overlong,
  stray,
  type Listener,
  type Transport,
} from "./transport.ts";

const HOOKS = {
  PreToolUse: { hookCallbackIds: ["before"], timeout: HOOK_PATIENCE_S, onFailure: "block" },
  PostToolUse: { matcher: HOOKED_AFTER, hookCallbackIds: ["after"], timeout: HOOK_PATIENCE_S },
};
const DEFINITION_HOOK = /^definition-(\d+)$/;

function hooksOf({ hooks }: Launch): object {
  return hookTable<object>(HOOKS, hooks, ({ matcher }, index) => ({
    ...(matcher === undefined ? {} : { matcher }),
    hookCallbackIds: [`definition-${index}`],
    timeout: HOOK_PATIENCE_S,
  }));
}

/** Starts the program. */
export async function startControlTransport(launch: Launch, listener: Listener, clock: Clock): Promise<Transport> {
  const pending = new Map<string, { resolve: (answer: Fields) => void; reject: (error: AnabranchError) => void }>();
  let lastRequest = 0;
  const program = await startLineProgram({
    program: launch.program,
    args: argumentsOf(launch),
    cwd: launch.cwd,
    environment: launch.environment,
    controlGroup: launch.options.controlGroup,
    through: launch.options.through,
    clock,
    onLine: (line) => hear(line),
    onOverlong: (sizeBytes) => listener.onRemark(overlong(sizeBytes)),
  });
  const write = (message: object): Promise<void> => program.write(JSON.stringify(message));

  function hear(line: string): void {
    const message = parseFields(line);
    if (message === undefined) listener.onRemark(stray(line));
    else if (message["type"] === "control_request") void answer(message);
    else if (message["type"] === "control_response") settle(fieldsOf(message["response"]));
    else if (message["type"] !== "control_cancel_request") listener.onMessage(message);
  }

  async function answer({ request_id, request }: Fields): Promise<void> {
    const asked = fieldsOf(request);
    const reply = (response: object): Promise<void> =>
      write({ type: "control_response", response: { request_id, ...response } });
    if (asked["subtype"] === "hook_callback") {
      await reply({ subtype: "success", response: await answerHook(asked) });
    } else if (asked["subtype"] === "can_use_tool") {
      await reply({ subtype: "success", response: await listener.onPermission(asked) });
    } else {
      await reply({ subtype: "error", error: "nobody here can answer this" });
    }
  }

  function answerHook({ callback_id, input }: Fields): Promise<Fields> {
    const index = DEFINITION_HOOK.exec(textOf(callback_id) ?? "")?.[1];
    const hook = index === undefined ? undefined : launch.hooks[Number(index)];
    return hook === undefined ? listener.onHook(fieldsOf(input)) : listener.onDefinitionHook(hook, fieldsOf(input));
  }

  function settle(response: Fields): void {
    const id = textOf(response["request_id"]) ?? "";
    const asked = pending.get(id);
    pending.delete(id);
    if (response["subtype"] === "success") asked?.resolve(fieldsOf(response["response"]));
    else asked?.reject(refused(textOf(response["error"]) ?? "it gave no reason"));
  }

  function ask(request: Fields): Promise<Fields> {
    const id = `anabranch-${(lastRequest += 1)}`;
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject });
      void write({ type: "control_request", request_id: id, request });
    });
  }

  void program.gone.then(({ lastWords }) => {
    for (const { reject } of pending.values()) reject(ended(lastWords));
    pending.clear();
  });
  ask({ subtype: "initialize", hooks: hooksOf(launch) })
    .then((answer) => {
      if (answer["hook_on_failure_supported"] !== true) throw refused("its hooks cannot block");
    })
    .catch((error: unknown) => {
      listener.onRemark(`claude does not take hooks and was ended: ${String(error)}`);
      program.signal("SIGKILL");
    });
  return {
    pid: program.pid,
    gone: program.gone,
    say: (spoken) => write(messageOf(spoken, launch.conversation)),
    interrupt: async () => void (await ask({ subtype: "interrupt" })),
    usage: () => ask({ subtype: "get_usage", skip_behaviors: true }),
    cost: async () => costIn(textOf((await ask({ subtype: "get_session_cost" }))["text"]) ?? ""),
    close: (patienceMs) => program.close(patienceMs),
  };
}

function refused(reason: string): AnabranchError {
  return new AnabranchError("AGENT_FAILED", { message: `claude refused a request: ${reason}` });
}

function ended(lastWords: string): AnabranchError {
  return new AnabranchError("AGENT_GONE", { message: `claude has ended: ${lastWords || "without a word"}` });
}

/** It is told in words for people, and only roughly. */
function costIn(text: string): number | undefined {
  const told = /cost:\s+\$(\d+(?:\.\d+)?)/.exec(text)?.[1];
  return told === undefined ? undefined : Number(told);
}
