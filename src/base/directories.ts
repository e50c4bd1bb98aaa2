import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where one user's Anabranch keeps its things. All paths are absolute. */
export interface Directories {
  /** Database, vaults, workspaces, task output. */
  readonly state: string;
  /** The user's own `config.yaml`. */
  readonly config: string;
  /** The socket; short, because socket paths are limited to about 100 bytes. */
  readonly runtime: string;
}

/**
 * Finds the directories from `ANABRANCH_HOME` or the XDG variables, with native fallbacks on macOS.
 * Relative XDG values are ignored, as that standard asks.
 *
 * @example
 * directoriesFor({ HOME: "/home/ada" }).state // "/home/ada/.local/state/anabranch"
 */
export function directoriesFor(environment: Readonly<Record<string, string | undefined>>): Directories {
  const home = environment["ANABRANCH_HOME"];
  if (home !== undefined && home !== "") {
    const root = isAbsolute(home) ? home : join(process.cwd(), home);
    return { state: join(root, "state"), config: join(root, "config"), runtime: runtimeFor(join(root, "state")) };
  }
  const state = join(xdg(environment, "XDG_STATE_HOME", ".local/state", "Library/Application Support"), "anabranch");
  const config = join(xdg(environment, "XDG_CONFIG_HOME", ".config", "Library/Preferences"), "anabranch");
  return { state, config, runtime: runtimeFor(state) };
}

function xdg(
  environment: Readonly<Record<string, string | undefined>>,
  variable: string,
  fallback: string,
  macFallback: string,
): string {
  const value = environment[variable];
  if (value !== undefined && isAbsolute(value)) return value;
  const home = environment["HOME"] || homedir();
  return join(home, process.platform === "darwin" ? macFallback : fallback);
}

// Under /tmp and named by the state directory: short whatever the home folder's length, and the same for a login
// shell, cron and a desktop session, which differ in XDG_RUNTIME_DIR and TMPDIR.
function runtimeFor(state: string): string {
  const name = createHash("sha256").update(state).digest("hex").slice(0, 12);
  return join("/tmp", `anabranch-${process.getuid?.() ?? 0}`, name);
}
