import { createHash } from "node:crypto";

import { printableJson } from "../base/printable.ts";
import type { ToolServer } from "../engine/agent.ts";
import type { AgentFile } from "./agent-file.ts";

/** What a definition brings that works beyond its text. */
export interface Reach {
  readonly toolServers: Readonly<Record<string, ToolServer>>;
  readonly otherServers: AgentFile["otherServers"];
  readonly hooks: AgentFile["hooks"];
  readonly permissionMode: AgentFile["permissionMode"];
  /** It may name a command of the repository, which runs whatever it says. */
  readonly initialPrompt: string | undefined;
  readonly program: { readonly command: string; readonly args: readonly string[] } | undefined;
}

/** What a person must have seen before it is used: a line for each thing, in which nothing is hidden. */
export function wantsOf(reach: Reach): string[] {
  const { toolServers, otherServers, hooks, permissionMode, program, initialPrompt } = reach;
  return [
    ...(program === undefined ? [] : [`is run by the program ${words([program.command, ...program.args])}`]),
    ...Object.entries(toolServers).map(
      ([name, server]) => `starts the tool server ${word(name)}: ${serverText(server)}`,
    ),
    ...otherServers.map(({ name, server }) =>
      server === undefined
        ? `is given your own tool server ${word(name)}`
        : `connects to the tool server ${word(name)}: ${printableJson(server)}`,
    ),
    ...hooks.map(
      ({ event, matcher, action }) =>
        `has a hook on ${event}${matcher === undefined ? "" : ` of ${word(matcher)}`}: ${printableJson(action)}`,
    ),
    ...(permissionMode === "bypassPermissions" || permissionMode === "dontAsk"
      ? [`wants never to be asked: permissionMode ${permissionMode}`]
      : []),
    ...(initialPrompt?.trimStart().startsWith("/") === true
      ? [`begins with the command ${printableJson(initialPrompt)}`]
      : []),
  ];
}

/** Names what is wanted: another line, another name. Nothing wanted has none. */
export function hashOf(wants: readonly string[]): string {
  return wants.length === 0 ? "" : createHash("sha256").update(wants.join("\n")).digest("hex");
}

function serverText({ command, args, environment }: ToolServer): string {
  const variables = Object.entries(environment).map(([name, value]) => `${word(name)}=${word(value)}`);
  return words([command, ...args]) + (variables.length === 0 ? "" : ` with ${variables.join(" ")}`);
}

function words(list: readonly string[]): string {
  return list.map(word).join(" ");
}

// What is not plain is shown as JSON: control characters as escapes, and each word with its ends.
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : printableJson(text);
}
