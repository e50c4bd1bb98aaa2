import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";

import type { AgentPlace } from "../port.ts";
import { fieldsOf, listOf, parseFields, textOf, type Fields } from "../fields.ts";

/** The servers of tools that a definition does not describe as a program, as Claude Code is told of them. */
export interface OtherServers {
  readonly servers: Readonly<Record<string, Fields>>;
  /** Those that the user does not have. */
  readonly missing: readonly string[];
}

/** Finds what a definition names, in the user's own settings where it is only a name. */
export async function findOtherServers(place: AgentPlace, native: Fields): Promise<OtherServers> {
  const named = listOf(native["mcpServers"]).map(fieldsOf);
  const isNameOnly = named.some(({ server }) => server === undefined);
  const own = isNameOnly ? await readOwnServers(place) : {};
  const servers = new Map<string, Fields>();
  const missing: string[] = [];
  for (const { name, server } of named) {
    const known = textOf(name) ?? "";
    const found = server ?? (Object.hasOwn(own, known) ? own[known] : undefined);
    if (found === undefined) missing.push(known);
    else servers.set(known, fieldsOf(found));
  }
  return { servers: Object.fromEntries(servers), missing };
}

async function readOwnServers({ environment }: AgentPlace): Promise<Fields> {
  const folder = [environment["CLAUDE_CONFIG_DIR"], environment["HOME"]].find(
    (path) => path !== undefined && isAbsolute(path),
  );
  if (folder === undefined) return {};
  const text = await readFile(join(folder, ".claude.json"), "utf8").catch(() => "");
  return fieldsOf(parseFields(text)?.["mcpServers"]);
}
