import { existsSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

import type { Manners } from "./session.ts";

/** What is known of a program beside what it says of itself. */
export interface KnownAgent {
  readonly title: string;
  /** The npm package it comes in. */
  readonly packageName: string;
  readonly programs: readonly string[];
  /** What makes it speak the protocol, where its own arguments do not say so yet. */
  readonly args: readonly string[];
  readonly speaksBy: RegExp;
  /** The oldest and the newest version that was tried. */
  readonly tried: { readonly oldest: string; readonly newest: string } | undefined;
  readonly install: string;
  /** Whether its copy of a conversation works in another folder; `undefined`: it has to be seen. */
  readonly forksElsewhere: boolean | undefined;
  /** What it gets besides the session's own environment. */
  readonly environment: (given: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
}

/** Settings below the user's own: it is quiet, and does not try a request again for minutes in which nobody hears of it. */
const DEFAULTS = fileURLToPath(new URL("./gemini-defaults.json", import.meta.url));
const DEFAULTS_VARIABLE = "GEMINI_CLI_SYSTEM_DEFAULTS_PATH";
const SYSTEM_DEFAULTS = "/etc/gemini-cli/system-defaults.json";

const GEMINI: KnownAgent = {
  title: "Gemini CLI",
  packageName: "@google/gemini-cli",
  programs: ["gemini"],
  args: ["--acp"],
  speaksBy: /^--(experimental-)?acp$/,
  tried: { oldest: "0.61.0", newest: "0.61.0" },
  install: "npm install -g @google/gemini-cli",
  forksElsewhere: false,
  environment: (given) => ({
    // Else it starts a second Node only to give it more memory: twice the time and the memory.
    GEMINI_CLI_NO_RELAUNCH: "true",
    ...(given[DEFAULTS_VARIABLE] === undefined && !existsSync(SYSTEM_DEFAULTS)
      ? { [DEFAULTS_VARIABLE]: DEFAULTS }
      : {}),
  }),
};

/** The program that is used where none is named. */
export const DEFAULT_AGENT = GEMINI;

/** The programs whose ways are known. */
const KNOWN_AGENTS: readonly KnownAgent[] = [
  GEMINI,
  {
    title: "opencode",
    packageName: "opencode-ai",
    programs: ["opencode"],
    args: ["acp"],
    speaksBy: /^acp$/,
    tried: { oldest: "1.18.33", newest: "1.18.33" },
    install: "npm install -g opencode-ai",
    forksElsewhere: false,
    environment: (given) => ({
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      // It asks only where it is told to.
      OPENCODE_PERMISSION: JSON.stringify({ ...permissionsIn(given), edit: "ask", bash: "ask" }),
    }),
  },
  {
    title: "codex-acp",
    packageName: "@agentclientprotocol/codex-acp",
    programs: ["codex-acp"],
    args: [],
    speaksBy: /^$/,
    tried: undefined,
    install: "npm install -g @agentclientprotocol/codex-acp",
    forksElsewhere: true,
    environment: () => ({ NO_BROWSER: "1" }),
  },
  {
    title: "claude-agent-acp",
    packageName: "@agentclientprotocol/claude-agent-acp",
    programs: ["claude-agent-acp"],
    args: [],
    speaksBy: /^$/,
    tried: undefined,
    install: "npm install -g @agentclientprotocol/claude-agent-acp",
    forksElsewhere: true,
    environment: () => ({
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_TELEMETRY: "1",
    }),
  },
];

/** Finds a program by the package it comes in or, for want of one, by its name. */
export function knownAgent(packageName: string | undefined, path: string): KnownAgent | undefined {
  const name = basename(path).replace(/\.(exe|cmd|js|mjs)$/, "");
  return (
    KNOWN_AGENTS.find((agent) => agent.packageName === packageName) ??
    KNOWN_AGENTS.find((agent) => agent.programs.includes(name))
  );
}

function permissionsIn(environment: Readonly<Record<string, string>>): object {
  try {
    const given: unknown = JSON.parse(environment["OPENCODE_PERMISSION"] ?? "{}");
    return typeof given === "object" && given !== null ? given : {};
  } catch {
    return {};
  }
}

/** What Gemini calls itself. */
export const GEMINI_NAME = "gemini-cli";

const PLAIN: Manners = {
  titlesAreCommands: false,
  delegatesFiles: false,
  alwaysSpeaks: false,
};

/** The manners of an agent, by the name that it gives itself. */
export function mannersOf(name: string | undefined): Manners {
  if (name !== GEMINI_NAME) return PLAIN;
  return {
    titlesAreCommands: true,
    delegatesFiles: true,
    alwaysSpeaks: true,
  };
}
