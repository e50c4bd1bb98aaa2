import { AnabranchError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { loadAgentPin, type AgentPin } from "../../store/agent-pins.ts";
import type { AgentDefinition } from "../../workflows/agent-definition.ts";
import type { Parts } from "../parts.ts";

/** Whether a person has seen what a repository's agent brings: `changed` means that it was something else. */
type Trust = "not-needed" | "trusted" | "untrusted" | "changed";

/** How an agent stands, and what was seen of it before. */
export interface Standing {
  readonly trust: Trust;
  readonly pin: AgentPin | undefined;
}

/** Finds out how an agent of a repository stands. One that nothing was ever run in has seen nothing. */
export async function standingOf(
  parts: Parts,
  repositoryId: string | undefined,
  agent: AgentDefinition,
): Promise<Standing> {
  if (agent.wants.length === 0) return { trust: "not-needed", pin: undefined };
  const pin = repositoryId === undefined ? undefined : await loadAgentPin(parts.store, repositoryId, agent.name);
  if (pin === undefined) return { trust: "untrusted", pin };
  return { trust: pin.contentHash === agent.contentHash ? "trusted" : "changed", pin };
}

/**
 * Refuses agents that bring what nobody has seen.
 * @throws {AnabranchError} `AGENT_UNTRUSTED`
 */
export async function refuseUntrusted(
  parts: Parts,
  repositoryId: string,
  agents: readonly AgentDefinition[],
): Promise<void> {
  for (const agent of agents) {
    const { trust, pin } = await standingOf(parts, repositoryId, agent);
    if (trust === "untrusted" || trust === "changed") throw untrusted(agent, pin);
  }
}

function untrusted(agent: AgentDefinition, pin: AgentPin | undefined): AnabranchError {
  const name = printable(agent.name);
  const what = pin === undefined ? agent.wants : differences(pin.wants, agent.wants);
  const why = pin === undefined ? "brings what nobody has agreed to" : "has changed since it was agreed to";
  return new AnabranchError("AGENT_UNTRUSTED", {
    message: `agent ${name} of ${printable(agent.source)} ${why}: ${what.join("; ")}`,
    hint: `look at it and agree: anabranch agents trust ${/^[\w-]+$/.test(agent.name) ? name : JSON.stringify(name)}`,
    data: { agent: agent.name, source: agent.source, wants: [...agent.wants], changed: pin !== undefined },
  });
}

/** What is wanted now and was not then, and the reverse. */
export function differences(before: readonly string[], now: readonly string[]): string[] {
  return [
    ...now.filter((line) => !before.includes(line)).map((line) => `now it ${line}`),
    ...before.filter((line) => !now.includes(line)).map((line) => `no longer it ${line}`),
  ];
}
