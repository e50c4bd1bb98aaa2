import { join } from "node:path";

import { AnabranchError } from "../../base/errors.ts";
import { findRepository, type Repository } from "../../git/repository.ts";
import type { AgentDefinitionView, AgentProgramView, AgentSummary } from "../../protocol/views.ts";
import { replaceAgentPin } from "../../store/agent-pins.ts";
import { findRepositoryRow } from "../../store/repositories.ts";
import type { AgentDefinition } from "../../workflows/agent-definition.ts";
import { loadAgents, userFolderOf, type AgentDefinitions } from "../../workflows/agents.ts";
import { loadRepositoryFile } from "../../workflows/file.ts";
import type { HandlerContext, Handlers } from "../handlers.ts";
import { placeInside } from "../inside-workspace.ts";
import type { Parts } from "../parts.ts";
import { requireRepository } from "../submission.ts";
import { findProgram } from "./detection.ts";
import { differences, standingOf } from "./trust.ts";

type DefinitionHandlers = Pick<Handlers, "agents" | "agents-show" | "agents-trust">;

/** Where somebody asks about agents, and with which environment. */
interface Asked {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Makes the handlers of what agents there are, and what they may bring. */
export function createDefinitionHandlers({ parts }: HandlerContext): DefinitionHandlers {
  return {
    async agents({ directory, environment }) {
      const { agents, repositoryId } = await lookAround(parts, { directory, environment });
      const find = rememberPrograms(parts, environment);
      return {
        agents: await Promise.all(agents.all.map(async (one) => summarize(parts, repositoryId, one, await find(one)))),
        broken: agents.broken.map(({ name, source, error }) => ({ name, source, reason: error.toJSON() })),
      };
    },

    async "agents-show"({ name, ...asked }) {
      const { agents, repositoryId } = await lookAround(parts, asked);
      return viewDefinition(parts, repositoryId, agents.get(name), asked);
    },

    async "agents-trust"({ name, contentHash, ...asked }) {
      const { agents, repository } = await lookAround(parts, asked);
      const agent = agents.get(name);
      if (agent.contentHash !== contentHash) {
        throw new AnabranchError("AGENT_UNTRUSTED", {
          message: `agent ${name} has changed since it was looked at`,
          hint: `look again: anabranch agents show ${name}`,
          data: { agent: name, wants: [...agent.wants] },
        });
      }
      const row = await requireRepository(parts, repository);
      const { wants } = agent;
      const pin = { repositoryId: row.id, name, contentHash, wants, createdMs: parts.clock.wallMs() };
      if (wants.length > 0) await parts.store.commit([replaceAgentPin(pin)]);
      return viewDefinition(parts, row.id, agent, asked);
    },
  };
}

/** The agents around a folder. Inside of a workspace they are those of the user's own working tree. */
async function lookAround(
  parts: Parts,
  { directory, environment }: Asked,
): Promise<{ agents: AgentDefinitions; repository: Repository; repositoryId: string | undefined }> {
  const inside = await placeInside(parts, directory);
  const repository = await findRepository(parts.git, inside?.root ?? directory);
  const subdirectory = inside?.subdirectory ?? repository.subdirectory;
  const [file, row] = await Promise.all([
    loadRepositoryFile(repository.root),
    findRepositoryRow(parts.store, repository.commonDirectory),
  ]);
  const agents = await loadAgents({
    root: repository.root,
    directory: join(repository.root, subdirectory),
    userFolder: userFolderOf(environment),
    file,
  });
  return { agents, repository, repositoryId: row?.id };
}

/** Looks for each program once, however many agents it is the program of. */
function rememberPrograms(
  parts: Parts,
  environment: Readonly<Record<string, string>>,
): (agent: AgentDefinition) => Promise<AgentProgramView> {
  const found = new Map<string, Promise<AgentProgramView>>();
  return ({ kind, program }) => {
    const key = JSON.stringify([kind, program]);
    const looking = found.get(key) ?? findProgram(parts, { kind, environment, program });
    found.set(key, looking);
    return looking;
  };
}

async function summarize(
  parts: Parts,
  repositoryId: string | undefined,
  agent: AgentDefinition,
  program: AgentProgramView,
): Promise<AgentSummary> {
  const { name, kind, source, description, model } = agent;
  const { trust } = await standingOf(parts, repositoryId, agent);
  return {
    name,
    kind,
    source,
    ...(description === undefined ? {} : { description }),
    ...(model === undefined ? {} : { model }),
    trust,
    program,
  };
}

async function viewDefinition(
  parts: Parts,
  repositoryId: string | undefined,
  agent: AgentDefinition,
  { environment }: Asked,
): Promise<AgentDefinitionView> {
  const { kind, program, system, effort, tools, disallowedTools, permission, leases, trace } = agent;
  const { trust, pin } = await standingOf(parts, repositoryId, agent);
  return {
    ...(await summarize(parts, repositoryId, agent, await findProgram(parts, { kind, environment, program }))),
    ...(system === undefined ? {} : { system }),
    ...(effort === undefined ? {} : { effort }),
    ...(tools === undefined ? {} : { tools: [...tools] }),
    ...(disallowedTools === undefined ? {} : { disallowedTools: [...disallowedTools] }),
    permission,
    leases,
    ...(trace === undefined ? {} : { trace }),
    budget: { ...agent.budget },
    toolServers: Object.keys(agent.toolServers),
    honoured: [...agent.honoured],
    remarks: [...agent.remarks],
    wants: [...agent.wants],
    changes: trust === "changed" && pin !== undefined ? differences(pin.wants, agent.wants) : [],
    contentHash: agent.contentHash,
  };
}
