import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

import { DIST, openHome, type Home } from "../fixtures/home.ts";
import { makeRepository } from "../fixtures/repository.ts";
import type { ModelServer } from "./model-server.ts";
import { agentHome, agentPlace, type Place } from "./places.ts";
import { scripted, type ScriptedTool, type Step } from "./script.ts";

/** A kind of agent that a person works with, and that starts others through the server of tools. */
export type ParentKind = "claude" | "codex" | "opencode";

/** A repository and a person's own settings, in which a parent agent finds `anabranch` and `claude` on the PATH. */
export interface ParentPlace {
  readonly anabranch: Home;
  readonly root: string;
  readonly home: string;
  readonly place: Place;
  readonly environment: Record<string, string>;
  /** Runs the parent's own program to its end, and returns what it prints. */
  run(
    args: readonly string[],
    options?: { readonly input?: string; readonly environment?: Record<string, string> },
  ): Promise<string>;
}

/** Makes the place; the server of tools is set up as docs/mcp.md says. */
export async function makeParentPlace(kind: ParentKind, server: ModelServer): Promise<ParentPlace> {
  const home = agentHome();
  const claude = agentPlace("claude", server, home);
  const place = agentPlace(kind, server, home);
  const anabranch = openHome(join(home, "anabranch"));
  onTestFinished(() => anabranch.close());
  const bin = join(home, "bin");
  mkdirSync(bin);
  symlinkSync(claude.program.command, join(bin, "claude"));
  if (kind === "codex") symlinkSync(place.program.command, join(bin, "codex"));
  writeFileSync(join(bin, "anabranch"), `#!/bin/sh\nexec '${process.execPath}' '${DIST}/cli.js' "$@"\n`, {
    mode: 0o755,
  });
  const agents = { child: { kind: "claude", model: claude.model } };
  const files = { "a.txt": "a\n", "anabranch.yaml": JSON.stringify({ agents }) };
  const root = realpathSync(makeRepository(files, home));
  const environment = {
    ...anabranch.environment,
    ...claude.environment,
    ...place.environment,
    HOME: home,
    PATH: `${bin}:${place.environment["PATH"]}`,
  };
  const made: ParentPlace = {
    anabranch,
    root,
    home,
    place,
    environment,
    async run(args, options = {}) {
      const env = { ...environment, ...options.environment };
      const child = spawn(place.program.command, args, { cwd: root, env });
      onTestFinished(() => void child.kill("SIGKILL"));
      child.stdin.end(options.input ?? "");
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      return stdout + stderr;
    },
  };
  await SET_UP[kind](made);
  return made;
}

const SET_UP: Readonly<Record<ParentKind, (place: ParentPlace) => Promise<void>>> = {
  claude: async (place) => {
    await place.run(["mcp", "add", "anabranch", "--", "anabranch", "mcp"]);
  },
  codex({ environment }) {
    const lines = [
      "",
      "[mcp_servers.anabranch]",
      'command = "anabranch"',
      'args = ["mcp"]',
      'env_vars = ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANABRANCH_HOME", "CODEX_HOME", "SCRIPTED_KEY"]',
      "",
    ];
    appendFileSync(join(environment["CODEX_HOME"] ?? "", "config.toml"), lines.join("\n"));
    return Promise.resolve();
  },
  opencode({ home }) {
    const path = join(home, ".config/opencode/opencode.json");
    const settings = JSON.parse(readFileSync(path, "utf8")) as object;
    const mcp = { anabranch: { type: "local", command: ["anabranch", "mcp"] } };
    writeFileSync(path, JSON.stringify({ ...settings, mcp }));
    return Promise.resolve();
  },
};

/** How each kind's model names one of our tools. */
export function toolOf(kind: ParentKind, name: string, input: ScriptedTool["input"]): ScriptedTool {
  if (kind === "codex") return { tool: name, input, namespace: "mcp__anabranch" };
  return { tool: kind === "claude" ? `mcp__anabranch__${name}` : `anabranch_${name}`, input };
}

/** Two children that each write a file; `before` is what their models do first. */
export function twoChildren(before: Partial<Step> = {}): { readonly agents: readonly object[] } {
  const child = (name: string): object => {
    const write = { tool: "Bash", input: { command: `echo ${name} > ${name}.txt`, description: "write it" } };
    const prompt = `Do ${name}. ${scripted({ ...before, ...write }, { text: `${name} is done` })}`;
    return { agent: "child", name, prompt };
  };
  return { agents: [child("one"), child("two")] };
}
