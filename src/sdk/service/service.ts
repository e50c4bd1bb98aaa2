/**
 * The daemon as a service of the user's own: systemd (Linux) or launchd (macOS) starts it when the user logs in, or the
 * machine does where the user lingers, and again when it fails.
 *
 * absent → installed → absent. Both commands may be given again and again; whatever a first try left is put right.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";

import { AnabranchError } from "../../base/errors.ts";
import { runProgram, type ProgramEnd } from "../../process/program.ts";
import { MARKER_VARIABLE } from "../../protocol/wire.ts";
import { daemonScript } from "../daemon.ts";
import { launchAgentText } from "./launch-agent.ts";
import { serviceProgram, type ServiceProgram } from "./service-program.ts";
import { unitText } from "./systemd-unit.ts";

/** Where a service is installed. */
export interface ServicePlace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The daemon's own file, where it is not the one beside this. */
  readonly script?: string;
}

/** What was done about a service. */
export interface ServiceChange {
  /** The file that describes it. */
  readonly path: string;
  readonly name: string;
  /** Whether the file was written, or removed; else it stood as it should. */
  readonly changed: boolean;
  /** What a person may want to do next. */
  readonly notes: readonly string[];
}

/**
 * Installs the daemon as a service.
 * @param running whether a daemon runs already: that one stays, and the service takes over after it
 * @throws {AnabranchError} `SERVICE_MISSING`, `SERVICE_FAILED`, `NOT_ALLOWED_IN_TASK`
 */
export async function installService(place: ServicePlace, running: boolean): Promise<ServiceChange> {
  const service = openService(place);
  await service.requireService();
  const changed = writeWhole(service.path, service.text);
  await service.enable(running);
  return { path: service.path, name: service.name, changed, notes: await service.notes() };
}

/**
 * Removes the service. A daemon that runs goes on until it has nothing to do.
 * @throws {AnabranchError} `SERVICE_MISSING`, `SERVICE_FAILED`, `NOT_ALLOWED_IN_TASK`
 */
export async function uninstallService(place: ServicePlace): Promise<ServiceChange> {
  const service = openService(place);
  const changed = existsSync(service.path);
  if (changed) {
    await service.requireService();
    await service.disable();
    rmSync(service.path, { force: true });
    await service.reload();
  }
  return { path: service.path, name: service.name, changed, notes: [] };
}

interface Service {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  requireService(): Promise<void>;
  enable(running: boolean): Promise<void>;
  disable(): Promise<void>;
  /** Makes the change of the file known. */
  reload(): Promise<void>;
  notes(): Promise<string[]>;
}

function openService(place: ServicePlace): Service {
  if (place.environment[MARKER_VARIABLE] !== undefined) {
    throw new AnabranchError("NOT_ALLOWED_IN_TASK", {
      message: "what starts by itself is not for tasks to decide",
      hint: "run it yourself, outside of the task: anabranch daemon install",
    });
  }
  const program = serviceProgram(place.script ?? daemonScript(), place.environment);
  return place.platform === "darwin" ? launchAgent(place, program) : systemdUnit(place, program);
}

function systemdUnit({ environment }: ServicePlace, program: ServiceProgram): Service {
  const unit = `${program.name}.service`;
  const config = environment["XDG_CONFIG_HOME"] || join(homeOf(environment), ".config");
  const systemctl = (...args: string[]): Promise<ProgramEnd> => run(environment, "systemctl", ["--user", ...args]);
  return {
    name: unit,
    path: join(config, "systemd/user", unit),
    text: unitText(program),
    async requireService() {
      const end = await systemctl("show-environment").catch((cause: unknown) => missing("systemctl", cause));
      if (end.status !== 0) missing(`systemctl --user: ${end.stderr.trim()}`, undefined);
    },
    async enable(running) {
      await done(systemctl("daemon-reload"), "systemctl --user daemon-reload");
      await done(systemctl("enable", unit), `systemctl --user enable ${unit}`);
      if (!running) await done(systemctl("start", unit), `systemctl --user start ${unit}`);
    },
    disable: () => done(systemctl("disable", unit), `systemctl --user disable ${unit}`),
    reload: () => done(systemctl("daemon-reload"), "systemctl --user daemon-reload"),
    async notes() {
      const user = environment["USER"] || userInfo().username;
      const linger = await run(environment, "loginctl", ["show-user", user, "--property=Linger"]).catch(
        () => undefined,
      );
      if (linger?.stdout.toString("utf8").trim() === "Linger=yes") return [];
      return ["it starts when you log in; to have it start with the machine: loginctl enable-linger"];
    },
  };
}

function launchAgent({ environment }: ServicePlace, program: ServiceProgram): Service {
  const label = `dev.${program.name}`;
  const path = join(homeOf(environment), "Library/LaunchAgents", `${label}.plist`);
  const domain = `gui/${process.getuid?.() ?? 0}`;
  const launchctl = (...args: string[]): Promise<ProgramEnd> => run(environment, "launchctl", args);
  return {
    name: label,
    path,
    text: launchAgentText(label, program),
    async requireService() {
      await launchctl("version").catch((cause: unknown) => missing("launchctl", cause));
    },
    async enable() {
      // What is loaded is not read again.
      await launchctl("bootout", `${domain}/${label}`);
      await done(launchctl("bootstrap", domain, path), `launchctl bootstrap ${domain} ${path}`);
    },
    async disable() {
      await launchctl("bootout", `${domain}/${label}`);
    },
    reload: () => Promise.resolve(),
    notes: () => Promise.resolve([]),
  };
}

function homeOf(environment: ServicePlace["environment"]): string {
  return environment["HOME"] || homedir();
}

function run(environment: ServicePlace["environment"], program: string, args: readonly string[]): Promise<ProgramEnd> {
  return runProgram({ program, args, environment, outputCapBytes: 1024 * 1024 });
}

async function done(running: Promise<ProgramEnd>, command: string): Promise<void> {
  const end = await running;
  if (end.status === 0) return;
  throw new AnabranchError("SERVICE_FAILED", {
    message: `${command} failed: ${end.stderr.trim() || end.stdout.toString("utf8").trim() || `status ${end.status}`}`,
    hint: command,
  });
}

function missing(what: string, cause: unknown): never {
  throw new AnabranchError("SERVICE_MISSING", {
    message: `there is nothing here to install a service with: ${what} cannot be used`,
    hint: "nothing is lost: the daemon starts with the first command, and takes up what an earlier one left",
    cause,
  });
}

/** Writes a file as a whole, unless it holds that already. */
function writeWhole(path: string, text: string): boolean {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return false;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return true;
}
