import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Git, GitPlace } from "./git.ts";
import { findRepository } from "./repository.ts";

/** Where a merge driver is set up: for one repository, or for all of a user's. */
export type DriverScope =
  | { readonly kind: "repository"; readonly directory: string }
  | { readonly kind: "user"; readonly environment: Readonly<Record<string, string | undefined>> };

/** A merge driver: what git calls it, how it is started, and for which files. */
export interface MergeDriver {
  readonly name: string;
  readonly about: string;
  readonly command: string;
  readonly patterns: readonly string[];
}

/** What setting a driver up, or taking it out, did. */
export interface DriverChange {
  /** The file with the attributes. */
  readonly path: string;
  readonly changed: boolean;
}

/**
 * Sets a merge driver up: its command in git's configuration, its files in git's attributes. Doing it again changes
 * nothing; everything else in both stays as it is.
 *
 * @throws {AnabranchError} `NOT_A_REPOSITORY`, `GIT_FAILED`
 */
export async function installMergeDriver(git: Git, scope: DriverScope, driver: MergeDriver): Promise<DriverChange> {
  const { path, place, level } = await findSettings(git, scope);
  const before = await readText(path);
  const isSame = (await readDriver(git, place, level, driver.name)) === driver.command;
  const after = `${withoutBlock(before, driver.name)}${blockOf(driver)}`;
  if (isSame && after === before) return { path, changed: false };
  await git.run(place, ["config", level, `merge.${driver.name}.name`, driver.about]);
  await git.run(place, ["config", level, `merge.${driver.name}.driver`, driver.command]);
  await replaceText(path, after);
  return { path, changed: true };
}

/** Takes a merge driver out again: the attributes first, so that git never names a driver that is not there. */
export async function uninstallMergeDriver(git: Git, scope: DriverScope, name: string): Promise<DriverChange> {
  const { path, place, level } = await findSettings(git, scope);
  const before = await readText(path);
  const after = withoutBlock(before, name);
  const isConfigured = (await readDriver(git, place, level, name)) !== undefined;
  if (after === before && !isConfigured) return { path, changed: false };
  if (after === "" && before !== "") await rm(path, { force: true });
  else if (after !== before) await replaceText(path, after);
  if (isConfigured) await git.run(place, ["config", level, "--remove-section", `merge.${name}`]);
  return { path, changed: true };
}

interface Settings {
  readonly path: string;
  readonly place: GitPlace;
  readonly level: "--local" | "--global";
}

async function findSettings(git: Git, scope: DriverScope): Promise<Settings> {
  if (scope.kind === "repository") {
    const { commonDirectory } = await findRepository(git, scope.directory);
    return {
      path: join(commonDirectory, "info", "attributes"),
      place: { cwd: scope.directory },
      level: "--local",
    };
  }
  const place = { cwd: "/" };
  const named = await git.run(place, ["config", "--global", "--type=path", "core.attributesFile"], { allow: [1] });
  const chosen = named.stdout.toString("utf8").replace(/\n$/, "");
  return { path: chosen === "" ? usualAttributes(scope.environment) : chosen, place, level: "--global" };
}

/** Where git looks for a user's attributes when nothing else is configured. */
function usualAttributes({ HOME = "", XDG_CONFIG_HOME }: Readonly<Record<string, string | undefined>>): string {
  const folder = XDG_CONFIG_HOME === undefined || XDG_CONFIG_HOME === "" ? join(HOME, ".config") : XDG_CONFIG_HOME;
  return join(folder, "git", "attributes");
}

async function readDriver(git: Git, place: GitPlace, level: string, name: string): Promise<string | undefined> {
  const { stdout, status } = await git.run(place, ["config", level, `merge.${name}.driver`], { allow: [1] });
  return status === 0 ? stdout.toString("utf8").replace(/\n$/, "") : undefined;
}

function blockOf({ name, patterns }: MergeDriver): string {
  const lines = patterns.map((pattern) => `${pattern} merge=${name}`);
  return [opening(name), ...lines, closing(name), ""].join("\n");
}

function withoutBlock(text: string, name: string): string {
  const start = text.indexOf(opening(name));
  const end = text.indexOf(closing(name), start);
  if (start < 0 || end < 0) return text === "" || text.endsWith("\n") ? text : `${text}\n`;
  const rest = `${text.slice(0, start)}${text.slice(end + closing(name).length).replace(/^\n/, "")}`;
  return rest === "" || rest.endsWith("\n") ? rest : `${rest}\n`;
}

function opening(name: string): string {
  return `# >>> ${name}: taken out again by "${name} setup git --undo"`;
}

function closing(name: string): string {
  return `# <<< ${name}`;
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw cause;
  });
}

async function replaceText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.new`;
  await writeFile(draft, text);
  await rename(draft, path);
}
