import { RequestError, type ClientContext, type InitializeResponse } from "@agentclientprotocol/sdk/unstable";
import type { McpServer, SessionConfigOption, SessionModeState, SystemPrompt } from "@agentclientprotocol/sdk/unstable";
import { z } from "zod";

import { delay } from "../../base/clock.ts";
import { AnabranchError, isAnabranchError } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import type { Capabilities } from "../../engine/agent.ts";
import type { OpenOptions } from "../port.ts";
import { connect, type Connection } from "./connection.ts";
import { isUnknown, wantsLogin, wordsOf } from "./failures.ts";
import { awaitGeminiFile } from "./gemini-files.ts";
import { GEMINI_NAME, mannersOf } from "./known-agents.ts";
import { judge, type FoundProgram } from "./program.ts";
import { AcpSession } from "./session.ts";

const PROTOCOL = 1;
const PATIENCE_MS = 120_000;
/** An agent that tells its history after it has said that it is loaded is done when it is silent for so long. */
const SILENCE_MS = 150;
const LONGEST_HISTORY_MS = 10_000;

/** Modes in which an agent asks before it writes or runs something, the usual one first. */
const ASKING_MODES = ["default", "ask", "read-only", "build"];

const ModelsSchema = z.object({ models: z.object({ currentModelId: z.string() }) });

interface Opened {
  readonly sessionId: string;
  readonly modes?: SessionModeState | null | undefined;
  readonly configOptions?: readonly SessionConfigOption[] | null | undefined;
}

/**
 * Starts an agent and opens a session with it. What it can do is asked, never assumed; its mode is always set.
 * @throws {AnabranchError} as `AgentAdapter.open` does
 */
export async function openSession(found: FoundProgram, options: OpenOptions): Promise<AcpSession> {
  let agentName: string | undefined;
  const session = new AcpSession(options, () => mannersOf(agentName));
  if (found.warning !== undefined) session.remark(found.warning);
  const connection = await connect({
    program: found.path,
    args: found.args,
    cwd: options.cwd,
    environment: found.environment,
    clock: options.clock,
    through: options.through,
    controlGroup: options.controlGroup,
    side: session,
  });
  try {
    const opening = new Opening(found, options, connection, session);
    const hello = await opening.initialize();
    agentName = hello.agentInfo?.name;
    const opened = await opening.open(hello);
    const asks = await opening.setMode(opened);
    await opening.setModel(opened);
    await opening.setEffort(opened);
    const { capabilities: can } = opening;
    const takesSystem = opening.takesSystem(hello);
    const isNew = options.resume === undefined;
    session.begin(connection, {
      conversation: opened.sessionId,
      capabilities: { ...can, preToolDeny: asks },
      canSteer: can.steer,
      preface: isNew && !takesSystem ? options.system : undefined,
    });
    return session;
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

class Opening {
  readonly #found: FoundProgram;
  readonly #options: OpenOptions;
  readonly #connection: Connection;
  readonly #session: AcpSession;
  readonly #agent: ClientContext;
  capabilities: Capabilities;

  constructor(found: FoundProgram, options: OpenOptions, connection: Connection, session: AcpSession) {
    this.#found = found;
    this.#options = options;
    this.#connection = connection;
    this.#session = session;
    this.#agent = connection.agent;
    this.capabilities = NOTHING_SURE;
  }

  async initialize(): Promise<InitializeResponse> {
    const hello = await this.#ask("initialize", () =>
      this.#agent.request("initialize", {
        protocolVersion: PROTOCOL,
        clientCapabilities: { fs: { readTextFile: true, writeTextFile: true } },
        clientInfo: { name: "anabranch", version: VERSION },
      }),
    );
    if (hello.protocolVersion !== PROTOCOL) {
      throw this.#failure(`it speaks version ${hello.protocolVersion} of the protocol, not ${PROTOCOL}`);
    }
    const { known, version, path } = this.#found;
    if (version === undefined) {
      const warning = judge(known, hello.agentInfo?.version, path);
      if (warning !== undefined) this.#session.remark(warning);
    }
    this.capabilities = capabilitiesOf(hello, this.#found);
    return hello;
  }

  /** Whether the agent takes a system prompt by itself. */
  takesSystem(hello: InitializeResponse): boolean {
    return Boolean(hello.agentCapabilities?.sessionCapabilities?.systemPrompt);
  }

  open(hello: InitializeResponse): Promise<Opened> {
    const { resume, forkFrom } = this.#options;
    if (resume !== undefined) return this.#resume(hello, resume);
    if (forkFrom !== undefined) return this.#fork(hello, forkFrom);
    return this.#ask("session/new", () => this.#agent.request("session/new", this.#place(hello)));
  }

  async #resume(hello: InitializeResponse, sessionId: string): Promise<Opened> {
    const can = hello.agentCapabilities;
    const place = this.#place(hello);
    try {
      if (can?.sessionCapabilities?.resume) {
        const resumed = await this.#ask("session/resume", () =>
          this.#agent.request("session/resume", { ...place, sessionId }),
        );
        return { ...resumed, sessionId };
      }
      if (can?.loadSession === true) {
        if (hello.agentInfo?.name === GEMINI_NAME) {
          await awaitGeminiFile(this.#found.environment, sessionId, this.#options.clock);
        }
        const loaded = await this.#ask("session/load", () =>
          this.#agent.request("session/load", { ...place, sessionId }),
        );
        await this.#awaitSilence();
        return { ...loaded, sessionId };
      }
    } catch (cause) {
      if (isAnabranchError(cause) && isUnknown(cause.cause)) throw unknownConversation(sessionId, cause);
      throw cause;
    }
    throw unknownConversation(sessionId, undefined, "this agent cannot go on with a conversation");
  }

  async #fork(hello: InitializeResponse, from: { conversation: string; directory: string }): Promise<Opened> {
    const { cwd } = this.#options;
    if (!this.capabilities.fork) throw this.#cannotFork("it cannot copy a conversation");
    const forked = await this.#ask("session/fork", () =>
      this.#agent.request("session/fork", { ...this.#place(hello), sessionId: from.conversation }),
    ).catch((cause: unknown) => {
      if (isAnabranchError(cause) && isUnknown(cause.cause)) throw unknownConversation(from.conversation, cause);
      throw cause;
    });
    if (cwd === from.directory || this.#found.known?.forksElsewhere === true) return forked;
    // An agent that stays where the other one works would write into its workspace.
    if ((await this.#folderOf(hello, forked.sessionId)) === cwd) return forked;
    throw this.#cannotFork(`its copy stays in ${from.directory}`);
  }

  async #folderOf(hello: InitializeResponse, sessionId: string): Promise<string | undefined> {
    if (!hello.agentCapabilities?.sessionCapabilities?.list) return undefined;
    const { cwd } = this.#options;
    const listed = await this.#ask("session/list", () => this.#agent.request("session/list", { cwd }));
    return listed.sessions.find((one) => one.sessionId === sessionId)?.cwd;
  }

  /** Sets the mode, whatever it is by default. Returns whether the agent asks before it writes or runs something. */
  async setMode({ sessionId, modes, configOptions }: Opened): Promise<boolean> {
    const option = configOptions?.find(({ category, id }) => category === "mode" || id === "mode");
    const offered = modes?.availableModes.map(({ id }) => id) ?? (option === undefined ? [] : valuesOf(option));
    if (offered.length === 0) return this.#found.known !== undefined;
    const mode = ASKING_MODES.find((id) => offered.includes(id));
    if (mode === undefined) {
      const now = modes?.currentModeId ?? option?.currentValue;
      this.#session.remark(`none of the agent's modes is known to ask (${offered.join(", ")}): it stays in ${now}`);
      return false;
    }
    if (modes !== undefined && modes !== null) {
      await this.#ask("session/set_mode", () => this.#agent.request("session/set_mode", { sessionId, modeId: mode }));
    } else if (option !== undefined) await this.#choose(sessionId, option, mode);
    return true;
  }

  async setModel(opened: Opened): Promise<void> {
    const { model } = this.#options;
    if (model === undefined) return;
    const { sessionId } = opened;
    const option = opened.configOptions?.find(({ category, id }) => category === "model" || id === "model");
    if (option !== undefined) {
      if (!valuesOf(option).includes(model)) {
        throw this.#failure(`it has no model ${model}`, `it offers ${valuesOf(option).join(", ")}`);
      }
      await this.#choose(sessionId, option, model);
    } else if (ModelsSchema.safeParse(opened).success) {
      await this.#ask("session/set_model", () =>
        this.#agent.request("session/set_model", { sessionId, modelId: model }),
      );
    } else throw this.#failure("it lets nobody choose a model", "leave out the model of this agent");
  }

  async setEffort({ sessionId, configOptions }: Opened): Promise<void> {
    const { effort } = this.#options;
    if (effort === undefined) return;
    const option = configOptions?.find(({ category }) => category === "thought_level");
    if (option !== undefined && valuesOf(option).includes(effort)) await this.#choose(sessionId, option, effort);
    else this.#session.remark(`this agent offers no effort ${effort}; it does as it usually does`);
  }

  async #choose(sessionId: string, option: SessionConfigOption, value: string): Promise<void> {
    await this.#ask("session/set_config_option", () =>
      this.#agent.request("session/set_config_option", { sessionId, configId: option.id, value }),
    );
  }

  /** Where a session works, and with what. */
  #place(hello: InitializeResponse): { cwd: string; mcpServers: McpServer[]; systemPrompt?: SystemPrompt } {
    const { cwd, toolServers, system } = this.#options;
    const mcpServers = Object.entries(toolServers).map(([name, { command, args, environment }]) => ({
      name,
      command,
      args: [...args],
      env: Object.entries(environment).map(([variable, value]) => ({ name: variable, value })),
    }));
    if (system === undefined || !this.takesSystem(hello)) return { cwd, mcpServers };
    return { cwd, mcpServers, systemPrompt: { mode: "append", content: [{ type: "text", text: system }] } };
  }

  async #awaitSilence(): Promise<void> {
    const { clock } = this.#options;
    const until = clock.monotonicMs() + LONGEST_HISTORY_MS;
    let silentMs = 0;
    while (silentMs < SILENCE_MS && clock.monotonicMs() < until) {
      await delay(clock, SILENCE_MS - silentMs);
      silentMs = clock.monotonicMs() - this.#session.lastHeardMs;
    }
  }

  /** Asks the agent for something that must not take long. */
  async #ask<T>(what: string, request: () => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    let cancel: () => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(PATIENCE_MS, () => reject(this.#failure(`it did not answer ${what}`)));
    });
    try {
      return await Promise.race([request(), late]);
    } catch (cause) {
      if (isAnabranchError(cause)) throw cause;
      // Only its end closes the connection, and its last words say more.
      if (!(cause instanceof RequestError)) throw this.#failure((await this.#connection.gone).message);
      if (wantsLogin(cause)) throw this.#login(wordsOf(cause));
      throw this.#failure(`${what}: ${wordsOf(cause)}`, undefined, cause);
    } finally {
      cancel();
    }
  }

  #login(message: string): AnabranchError {
    const title = this.#title();
    return new AnabranchError("AGENT_LOGIN", {
      message: `${title} wants somebody to log in: ${message}`,
      hint: `log in with ${title} itself, then start again`,
    });
  }

  #cannotFork(why: string): AnabranchError {
    return new AnabranchError("CANNOT_FORK", {
      message: `${this.#title()} cannot fork this conversation: ${why}`,
      hint: "start a new conversation, and tell it what matters",
    });
  }

  #failure(message: string, hint?: string, cause?: unknown): AnabranchError {
    return new AnabranchError("AGENT_FAILED", {
      message: `${this.#title()} could not be opened: ${message}`,
      hint,
      cause,
    });
  }

  #title(): string {
    return this.#found.known?.title ?? this.#found.path;
  }
}

const NOTHING_SURE: Capabilities = {
  fork: false,
  forkCwd: false,
  forkPrefix: false,
  steer: false,
  preToolDeny: false,
  readEvents: false,
  writeEvents: true,
  cost: false,
  structured: false,
  sharedProcess: false,
};

function capabilitiesOf(hello: InitializeResponse, { known }: FoundProgram): Capabilities {
  const session = hello.agentCapabilities?.sessionCapabilities;
  const fork = Boolean(session?.fork);
  return {
    ...NOTHING_SURE,
    fork,
    forkCwd: fork && (known?.forksElsewhere ?? Boolean(session?.list)),
    steer: Steering.safeParse(hello._meta).success,
    readEvents: mannersOf(hello.agentInfo?.name).delegatesFiles,
  };
}

const Steering = z.object({ steering: z.object({ supported: z.literal(true) }) });

function valuesOf(option: SessionConfigOption): string[] {
  if (option.type !== "select") return [];
  return option.options.flatMap((one) => ("options" in one ? one.options.map(({ value }) => value) : [one.value]));
}

function unknownConversation(conversation: string, cause: unknown, why?: string): AnabranchError {
  return new AnabranchError("CONVERSATION_UNKNOWN", {
    message: why ?? `the agent knows no conversation ${conversation}`,
    hint: "start a new conversation; it may belong to another folder",
    data: { conversation },
    cause,
  });
}
