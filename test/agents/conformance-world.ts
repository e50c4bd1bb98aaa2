import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

import type { Anabranch, RunHandle, RunView, StartOptions } from "../../src/index.ts";
import type { AgentKind } from "../../src/engine/agent.ts";
import { openHome, type Home } from "../fixtures/home.ts";
import { git, makeFolder, makeRepository, removeFolder, writeFiles } from "../fixtures/repository.ts";
import { until } from "../fixtures/until.ts";
import { startModelServer, type ModelRequest, type ModelServer } from "./model-server.ts";
import { agentPlace, agentSdkFolder, makeAgentHome, PROGRAM_NAMES, writeShim, type Place } from "./places.ts";

/** One user with one kind of agent on the PATH, a repository, and a daemon, shared by the tests of that kind. */
export interface World {
  readonly server: ModelServer;
  readonly home: Home;
  readonly root: string;
  readonly place: Place;
  /** What the user's shell has set. */
  readonly environment: Record<string, string>;
  /** The same shell, with another program where the agent's is looked for; without one, with none. */
  shellWith(
    program: { readonly command: string; readonly args: readonly string[] } | undefined,
  ): Record<string, string>;
  client(environment?: Readonly<Record<string, string>>): Anabranch;
  /** Starts one agent. */
  start(prompt: string, task?: Partial<AgentTask>, options?: Partial<StartOptions>): Promise<RunHandle>;
  /** Starts one agent, and waits for its end. */
  run(prompt: string, task?: Partial<AgentTask>, options?: Partial<StartOptions>): Promise<RunView>;
  /** The requests to the model in which these words are. */
  requests(words: string): ModelRequest[];
  /** The first request with these words that comes after so many answers. */
  request(words: string, answers: number): Promise<ModelRequest>;
  close(): Promise<void>;
}

type AgentTask = Extract<NonNullable<StartOptions["tasks"]>[string], object>;

/** The task's name in all of these runs. */
export const TASK = "work";

/** The columns of the table: each kind, and Claude Code once more through its SDK. */
export const COLUMNS = ["claude", "claude-sdk", "codex", "opencode", "acp"] as const;
/** One of {@link COLUMNS}. */
export type Column = (typeof COLUMNS)[number];

/** The kind of a column. */
export function kindOf(column: Column): AgentKind {
  return column === "claude-sdk" ? "claude" : column;
}

/** See {@link World}. */
export async function openWorld(column: Column): Promise<World> {
  const kind = kindOf(column);
  const server = await startModelServer();
  const user = makeAgentHome();
  const place = agentPlace(kind, server, user);
  const home = openHome(makeFolder("anabranch-agents-"));
  if (column === "claude-sdk") home.environment["ANABRANCH_CLAUDE_SDK"] = agentSdkFolder();
  // Agents that are put off are to try again soon; and some tests take the first daemon away.
  writeFiles(home.folder, { "config/config.yaml": "agentRetry: 20ms\nkill: { interrupt: 3s, terminate: 3s }\n" });
  const root = makeRepository(
    {
      "a.txt": "a\n",
      "locked.txt": "locked\n",
      "anabranch.yaml": [
        "agents:",
        `  reader: { kind: ${kind}, permission: read-only }`,
        `  asker: { kind: ${kind}, permission: ask }`,
        "",
      ].join("\n"),
    },
    user,
  );
  let shells = 0;
  const shellWith: World["shellWith"] = (program) => {
    const bin = join(user, `bin-${shells++}`);
    if (program !== undefined) writeShim(join(bin, PROGRAM_NAMES[kind]), program.command, program.args);
    return { ...place.environment, PATH: `${bin}:${place.environment["PATH"]}` };
  };
  const { command, args } = place.program;
  const environment = shellWith({ command, args: args.filter((arg) => arg !== "--acp") });
  const usual = home.client(environment);
  const isOurs = (words: string) => (request: ModelRequest) =>
    request.place !== undefined && request.text.includes(words);

  const world: World = {
    server,
    home,
    root,
    place,
    environment,
    shellWith,
    client: (shell) => (shell === undefined ? usual : home.client(shell)),
    async start(prompt, task, { directory = root, ...options } = {}) {
      const tasks = { [TASK]: { agent: kind, prompt, ...task } };
      return world.client().start({ directory, tasks, ...options });
    },
    async run(prompt, task, options) {
      return (await world.start(prompt, task, options)).wait();
    },
    requests: (words) => server.requests.filter(isOurs(words)),
    request: (words, answers) =>
      server.waitForRequest((request) => isOurs(words)(request) && request.place?.answers === answers),
    async close() {
      await home.close();
      await server.close();
      removeFolder(home.folder);
      removeFolder(user);
    },
  };
  return world;
}

/** The task of a run with one. */
export function theTask(run: RunView): RunView["taskList"][number] {
  const task = run.taskList.find(({ agent }) => agent !== undefined);
  if (task === undefined) throw new Error(`run ${run.id} has no agent`);
  return task;
}

/** What its agent has read and written. */
export function setsOf(run: RunView): NonNullable<RunView["taskList"][number]["agent"]>["sessions"][number]["sets"] {
  return theTask(run).agent?.sessions.at(-1)?.sets;
}

/** Its transcript, for those who look why a test fails. */
export function logOf(run: RunView): string {
  const path = theTask(run).attempts.at(-1)?.log;
  return path !== undefined && existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** The paths that the agent has changed. */
export function changedPaths(run: RunView): string[] {
  return (theTask(run).attempts.at(-1)?.changeset?.changes ?? []).map(({ path }) => path).toSorted();
}

/** What has landed of a file. */
export function landedFile(run: RunView, path: string): string {
  expect(run.lane.tip, `${JSON.stringify(theTask(run).reason)}\n${logOf(run)}`).toBeDefined();
  return git(run.vault, "show", `${run.lane.tip}:${path}`);
}

/** Expects a run to have ended well; if not, its transcript is shown. */
export function expectSuccess(run: RunView): void {
  expect(run.outcome, `${JSON.stringify(theTask(run).reason)}\n${logOf(run)}`).toBe("succeeded");
}

/** Kills the daemon as the system would; the next client starts another one. */
export async function killDaemon(home: Home): Promise<void> {
  const pid = home.daemonPid();
  if (pid === undefined) throw new Error("there is no daemon");
  process.kill(pid, "SIGKILL");
  await until(() => home.daemonPid() !== pid, "the daemon is dead");
}
