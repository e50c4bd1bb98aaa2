import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { onTestFinished } from "vitest";

import type { AgentKind } from "../../src/engine/agent.ts";
import { makeFolder, removeFolder } from "../fixtures/repository.ts";
import type { ModelServer } from "./model-server.ts";
import programs from "./programs.json" with { type: "json" };

const BUILD = resolve(import.meta.dirname, "../../.build");
const CACHE = resolve(process.env["ANABRANCH_TEST_AGENTS"] ?? join(BUILD, "agents"));

/** Where one kind's real program runs so that it talks to the scripted model only. */
export interface Place {
  readonly environment: Record<string, string>;
  readonly program: { readonly command: string; readonly args: readonly string[] };
  readonly model: string;
}

/** Makes a home folder for agents, removed at the test's end. */
export function agentHome(): string {
  const home = makeAgentHome();
  onTestFinished(() => removeFolder(home));
  return home;
}

/**
 * Makes a home folder that several tests share; whoever makes it removes it. It is not below the system's temporary
 * folder: codex has no sandbox there.
 */
export function makeAgentHome(): string {
  const homes = join(BUILD, "agent-homes");
  mkdirSync(homes, { recursive: true });
  return makeFolder("home-", homes);
}

/** Writes a kind's settings into a home folder. An ACP agent is Gemini. */
export function agentPlace(kind: AgentKind, server: ModelServer, home: string): Place {
  const common = {
    PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
    HOME: home,
    LC_ALL: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
  };
  const { environment, program, model } = PLACES[kind](server.url, home);
  return { environment: { ...common, ...environment }, program, model };
}

/** The name that a kind's program has on the PATH. */
export const PROGRAM_NAMES: Readonly<Record<AgentKind, string>> = {
  claude: "claude",
  codex: "codex",
  opencode: "opencode",
  acp: "gemini",
};

/** Writes a program that starts another one, with its own arguments first. */
export function writeShim(path: string, command: string, args: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\nexec ${[command, ...args].map((word) => `'${word}'`).join(" ")} "$@"\n`, {
    mode: 0o755,
  });
}

/** The folder with the agent SDK, whose `node_modules` holds it. */
export function agentSdkFolder(): string {
  return cacheFolder("claude-sdk");
}

const PLACES: Readonly<Record<AgentKind, (url: string, home: string) => Place>> = {
  claude: (url) => ({
    program: { command: native("claude", /^@anthropic-ai\/claude-code-[a-z0-9-]+$/, /^claude$/), args: [] },
    model: "claude-sonnet-4-5",
    environment: {
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: "sk-ant-invented",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_TELEMETRY: "1",
      // What it tries again by itself takes minutes.
      CLAUDE_CODE_MAX_RETRIES: "1",
    },
  }),
  codex(url, home) {
    const folder = join(home, ".codex");
    settings(
      join(folder, "config.toml"),
      [
        'model = "gpt-5.5"',
        'model_provider = "scripted"',
        "check_for_update_on_startup = false",
        "[analytics]",
        "enabled = false",
        "[model_providers.scripted]",
        'name = "scripted"',
        `base_url = "${url}/v1"`,
        'env_key = "SCRIPTED_KEY"',
        'wire_api = "responses"',
        "request_max_retries = 0",
        "stream_max_retries = 0",
      ].join("\n"),
    );
    return {
      program: { command: native("codex", /^@openai\/codex-[a-z0-9-]+$/, /\/bin\/codex$/), args: [] },
      model: "gpt-5.5",
      environment: { CODEX_HOME: folder, SCRIPTED_KEY: "invented" },
    };
  },
  opencode(url, home) {
    const model = { name: "Scripted", limit: { context: 200_000, output: 8000 }, cost: { input: 3, output: 15 } };
    settings(
      join(home, ".config/opencode/opencode.json"),
      JSON.stringify({
        model: "scripted/m1",
        autoupdate: false,
        share: "disabled",
        provider: {
          scripted: {
            npm: "@ai-sdk/openai-compatible",
            name: "scripted",
            options: { baseURL: `${url}/v1`, apiKey: "invented" },
            models: { m1: { ...model, cost: { ...model.cost, cache_read: 0.3, cache_write: 3.75 } } },
          },
        },
      }),
    );
    return {
      program: { command: native("opencode", /^opencode-[a-z0-9-]+-[a-z0-9-]+$/, /^bin\/opencode$/), args: [] },
      model: "scripted/m1",
      environment: {
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_MODELS_FETCH: "1",
        OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      },
    };
  },
  acp(url, home) {
    settings(
      join(home, ".gemini/settings.json"),
      JSON.stringify({
        security: { auth: { selectedType: "gemini-api-key" }, folderTrust: { enabled: false } },
        model: { name: "gemini-2.5-flash" },
        privacy: { usageStatisticsEnabled: false },
        // What it tries again by itself takes a minute.
        general: { maxAttempts: 1, disableAutoUpdate: true, disableUpdateNag: true, enableAutoUpdate: false },
      }),
    );
    const script = join(cacheFolder("gemini"), "node_modules/@google/gemini-cli/bundle/gemini.js");
    return {
      program: { command: process.execPath, args: [script, "--acp"] },
      model: "gemini-2.5-flash",
      environment: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: "invented" },
    };
  },
};

function settings(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function cacheFolder(program: keyof typeof programs): string {
  const folder = join(CACHE, (programs[program][0] ?? "").replaceAll(/[@/]/g, "_"));
  if (existsSync(folder)) return folder;
  throw new Error(`${folder} is missing: npm run agents:install fetches the agents' programs`);
}

/** The program itself: what npm puts on the PATH needs the scripts that are not run here, or one more Node. */
function native(program: keyof typeof programs, packageName: RegExp, filePath: RegExp): string {
  const modules = join(cacheFolder(program), "node_modules");
  const packages = readdirSync(modules).flatMap((name) =>
    name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
  );
  const fits = packages.filter((name) => packageName.test(name)).toSorted((left, right) => rank(left) - rank(right));
  for (const name of fits) {
    const files = readdirSync(join(modules, name), { recursive: true, encoding: "utf8" });
    const file = files.find((path) => filePath.test(path));
    if (file !== undefined) return join(modules, name, file);
  }
  throw new Error(`no program of ${program} in ${modules}`);
}

/** The plainest build: what is made for this C library, and for any processor only where nothing else is there. */
function rank(packageName: string): number {
  return Number(packageName.includes("musl")) * 2 + Number(packageName.includes("baseline"));
}
