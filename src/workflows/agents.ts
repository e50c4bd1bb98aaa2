import { isAbsolute, join, relative, resolve, sep } from "node:path";

import { closest } from "../base/closest.ts";
import { AnabranchError } from "../base/errors.ts";
import { AGENT_KINDS } from "../engine/agent.ts";
import { builtInAgent, settleAgent, type AgentDefinition, type Owner } from "./agent-definition.ts";
import { plainAgentFile, readAgentFile, type AgentFile } from "./agent-file.ts";
import { readAgentFolder, readAgentText, type FoundFile } from "./agent-folders.ts";
import { FILE_NAME } from "./file.ts";
import type { AgentDeclaration, RepositoryFile } from "./schema.ts";

/** All agents that can be named in a repository. */
export interface AgentDefinitions {
  /** @throws {AnabranchError} `AGENT_UNKNOWN`, `AGENT_INVALID` */
  get(name: string): AgentDefinition;
  /** Those that are in order. */
  readonly all: readonly AgentDefinition[];
  /** Those that are not, each with the reason. */
  readonly broken: readonly BrokenAgent[];
}

/** An agent that cannot be used. */
interface BrokenAgent {
  readonly name: string;
  readonly source: string;
  readonly error: AnabranchError;
}

/** Where agents are looked for. */
export interface AgentPlaces {
  /** The repository's working tree. */
  readonly root: string;
  /** Where in it the caller stands: the `.claude/agents` of this folder and of those above it count. Default: the root. */
  readonly directory?: string | undefined;
  /** The folder of the user's own settings of Claude Code; see {@link userFolderOf}. */
  readonly userFolder: string | undefined;
  readonly file: RepositoryFile;
}

/** Where the user whose environment this is keeps what is theirs of Claude Code. */
export function userFolderOf(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { CLAUDE_CONFIG_DIR: folder, HOME: home } = environment;
  if (folder !== undefined && isAbsolute(folder)) return folder;
  return home !== undefined && isAbsolute(home) ? join(home, ".claude") : undefined;
}

/**
 * All agents that can be named in a repository. Of two with one name the nearer wins: `anabranch.yaml`, then
 * `.claude/agents` from where the caller stands up to the root, then the user's own, then the kinds themselves.
 */
export async function loadAgents(places: AgentPlaces): Promise<AgentDefinitions> {
  const { root, userFolder, file } = places;
  const userAgents = userFolder === undefined ? undefined : join(userFolder, "agents");
  const projectFolders = foldersUpTo(root, places.directory ?? root)
    .map((folder) => join(folder, ".claude", "agents"))
    .filter((folder) => folder !== userAgents);
  const [own, ...project] = await Promise.all([
    userAgents === undefined ? [] : readAgentFolder(userAgents, undefined),
    ...projectFolders.map((folder) => readAgentFolder(folder, root)),
  ]);
  const fromFiles = [
    await agentsOf(own, (path) => path, "user"),
    ...(await Promise.all(project.map((found) => agentsOf(found, (path) => relative(root, path), "repository")))),
  ];
  const declared = await Promise.all(
    Object.entries(file.agents ?? {}).map(([name, declaration]) => readDeclared(name, declaration, root)),
  );
  const shadowed = new Map(fromFiles.flat().map((one) => [one.name, one.source]));
  const byName = new Map<string, AgentDefinition | BrokenAgent>();
  for (const one of [...AGENT_KINDS.map(builtInAgent), ...fromFiles.flat()]) byName.set(one.name, one);
  for (const one of declared) byName.set(one.name, withShadow(one, file.agents?.[one.name], shadowed.get(one.name)));
  return {
    all: [...byName.values()].filter((one): one is AgentDefinition => !isBroken(one)),
    broken: [...byName.values()].filter(isBroken),
    get(name) {
      const agent = byName.get(name);
      if (agent === undefined) throw unknownAgent(name, [...byName.keys()]);
      if (isBroken(agent)) throw agent.error;
      return agent;
    },
  };
}

function isBroken(one: AgentDefinition | BrokenAgent): one is BrokenAgent {
  return "error" in one;
}

/** A folder and those above it, the root first. */
function foldersUpTo(root: string, directory: string): string[] {
  const way = relative(root, directory);
  const steps = way === "" || way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way) ? [] : way.split(sep);
  return [root, ...steps.map((_, index) => resolve(root, ...steps.slice(0, index + 1)))];
}

/** The agents of one folder. What is no agent, such as a README, is passed over. */
async function agentsOf(
  found: readonly FoundFile[],
  sourceOf: (path: string) => string,
  owner: Owner,
): Promise<(AgentDefinition | BrokenAgent)[]> {
  const read = await Promise.all(found.map((one) => readFound(one, sourceOf(one.path), owner)));
  const all = read.filter((one) => one !== undefined);
  const whole = new Map<string, { source: string; path: string }>();
  const result = new Map<string, AgentDefinition | BrokenAgent>();
  // The name of a file that cannot be read is a guess; a file that says it is that one is it.
  for (const { agent } of all) if (isBroken(agent)) result.set(agent.name, agent);
  for (const { agent, path } of all) {
    if (isBroken(agent)) continue;
    const other = whole.get(agent.name);
    result.set(agent.name, other === undefined ? agent : twice(agent, other, path));
    whole.set(agent.name, { source: agent.source, path });
  }
  return [...result.values()];
}

async function readFound(
  { path, text }: FoundFile,
  source: string,
  owner: Owner,
): Promise<{ readonly agent: AgentDefinition | BrokenAgent; readonly path: string } | undefined> {
  const guess = (/([^/]+?)(?:\.md)?$/.exec(path) ?? [])[1] ?? path;
  try {
    if (typeof text !== "string") throw text;
    const file = await readAgentFile(text, path);
    if (file === undefined) return undefined;
    for (const key of ["name", "description"] as const) {
      if (file[key] === undefined) throw missing(path, key);
    }
    return { agent: settleAgent(file.name ?? guess, source, owner, {}, file), path };
  } catch (cause) {
    return { agent: { name: guess, source, error: cause as AnabranchError }, path };
  }
}

function missing(path: string, key: string): AnabranchError {
  return new AnabranchError("AGENT_INVALID", {
    message: `${path}:1:1: ${key} is missing`,
    hint: `add a line to its front matter: ${key}: …`,
    data: { file: path, line: 1, column: 1 },
  });
}

function twice(agent: AgentDefinition, other: { readonly path: string }, path: string): BrokenAgent {
  const error = new AnabranchError("AGENT_INVALID", {
    message: `two files name their agent ${JSON.stringify(agent.name)}: ${other.path} and ${path}`,
    hint: "change the name: in one of them",
    data: { agent: agent.name, files: [other.path, path] },
  });
  return { name: agent.name, source: agent.source, error };
}

async function readDeclared(
  name: string,
  declaration: AgentDeclaration,
  root: string,
): Promise<AgentDefinition | BrokenAgent> {
  const { from } = declaration;
  const source = from === undefined ? FILE_NAME : `${FILE_NAME}, ${from}`;
  try {
    return settleAgent(
      name,
      source,
      "repository",
      declaration,
      from === undefined ? undefined : await readFrom(root, from),
    );
  } catch (error) {
    return { name, source, error: error as AnabranchError };
  }
}

async function readFrom(root: string, from: string): Promise<AgentFile> {
  const path = join(root, from);
  const text = await readAgentText(path, root);
  return (await readAgentFile(text, path)) ?? plainAgentFile(text);
}

/** A name that a file has too, which is not what the declaration says it is from, was perhaps meant to be that file. */
function withShadow(
  one: AgentDefinition | BrokenAgent,
  declaration: AgentDeclaration | undefined,
  source: string | undefined,
): AgentDefinition | BrokenAgent {
  if (source === undefined || isBroken(one) || declaration?.from !== undefined) return one;
  const remark = `${source} has the same name and is not used; from: ${source} would read it`;
  return { ...one, remarks: [...one.remarks, remark] };
}

function unknownAgent(name: string, known: readonly string[]): AnabranchError {
  const meant = closest(name, known);
  return new AnabranchError("AGENT_UNKNOWN", {
    message: `there is no agent ${JSON.stringify(name)}`,
    hint: meant === undefined ? "anabranch agents ls" : `did you mean ${meant}? anabranch agents ls`,
    data: { agent: name, known: [...known] },
  });
}
