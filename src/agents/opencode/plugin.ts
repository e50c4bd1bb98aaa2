import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A folder of ours that one server reads: our plugin, and what the commands of each session find around them. */
export interface PluginFolder {
  /** The address that its settings name. */
  readonly url: string;
  /** Says what the commands of a session, and of its helpers, have in their environment. */
  setEnvironment(session: string, environment: Readonly<Record<string, string>>): void;
  forget(session: string): void;
  remove(): void;
}

/** Makes the folder; nobody else may read it. */
export function createPluginFolder(): PluginFolder {
  const folder = mkdtempSync(join(tmpdir(), "anabranch-opencode-"));
  const sessions = join(folder, "sessions");
  mkdirSync(sessions, { mode: 0o700 });
  const plugin = join(folder, "anabranch.mjs");
  writeFileSync(plugin, SOURCE, { mode: 0o600 });
  const fileOf = (session: string): string => join(sessions, `${encodeURIComponent(session)}.json`);
  return {
    url: pathToFileURL(plugin).href,
    // What the server must keep to itself is taken from its commands.
    setEnvironment: (session, environment) =>
      writeFileSync(fileOf(session), JSON.stringify({ ...environment, ...KEPT_FROM_COMMANDS }), { mode: 0o600 }),
    forget: (session) => rmSync(fileOf(session), { force: true }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** With these a command could answer its own questions. */
export const KEPT_FROM_COMMANDS = { OPENCODE_SERVER_PASSWORD: "", OPENCODE_CONFIG_CONTENT: "" };

/**
 * Runs inside of opencode. Whatever its settings allow is asked instead, also of helpers, which have no rules of their
 * session; and a command gets the environment of the session that it serves.
 */
const SOURCE = `import { readFileSync } from "node:fs";

const asking = (rule) =>
  rule === "allow" ? "ask"
  : typeof rule === "object" && rule !== null
    ? Object.fromEntries(Object.entries(rule).map(([name, inner]) => [name, asking(inner)]))
  : rule;

const rules = (permission) => (typeof permission === "string" ? { "*": asking(permission) } : asking(permission ?? {}));

const environmentOf = (session) => {
  try {
    return JSON.parse(readFileSync(new URL("sessions/" + encodeURIComponent(session) + ".json", import.meta.url), "utf8"));
  } catch {
    return undefined;
  }
};

export const Anabranch = async ({ client }) => ({
  async config(config) {
    config.permission = { "*": "ask", ...rules(config.permission) };
    for (const agent of Object.values(config.agent ?? {})) {
      if (agent?.permission !== undefined) agent.permission = rules(agent.permission);
    }
  },
  async "shell.env"({ sessionID }, output) {
    let session = sessionID;
    for (let depth = 0; session !== undefined && depth < 8; depth += 1) {
      const environment = environmentOf(session);
      if (environment !== undefined) return void Object.assign(output.env, environment);
      session = (await client.session.get({ path: { id: session } })).data?.parentID;
    }
  },
});
`;
