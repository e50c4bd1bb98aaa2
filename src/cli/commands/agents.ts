import { createInterface } from "node:readline/promises";

import { AnabranchError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { CommandResponse } from "../../protocol/commands.ts";
import type { AgentDefinitionView } from "../../protocol/views.ts";
import { formatAgent, programText, TRUST_WORDS } from "../agent-text.ts";
import type { CommandAction } from "../command.ts";
import { formatTable } from "../format.ts";
import { withSession, type Session } from "../session.ts";
import { answer, type Terminal } from "../terminal.ts";

/** What the commands about agents are given. */
export interface AgentOptions {
  readonly yes?: boolean;
}

type Work = (session: Session, name: string, options: AgentOptions) => Promise<void>;

const WORKS: Readonly<Record<string, Work>> = { ls: list, show, trust };

/** `anabranch agents`: lists and shows agents, and agrees to what they bring. The first argument says which. */
export const action: CommandAction<AgentOptions> = (args, options) =>
  withSession(options, async (session) => {
    const [word = "ls", name = ""] = args;
    await (WORKS[word] ?? list)(session, name, options);
    return 0;
  });

async function list({ anabranch, terminal, directory }: Session): Promise<void> {
  const found = await anabranch.agents(directory);
  answer(terminal, found, () => formatList(found, terminal));
}

function formatList({ agents, broken }: CommandResponse<"agents">, { colour, plain }: Terminal): string {
  const rows = agents.map(({ name, kind, source, model = "-", trust, program }) => [
    plain ? printable(name) : colour.bold(printable(name)),
    kind,
    printable(source),
    printable(model),
    TRUST_WORDS[trust],
    printable(programText(program)),
  ]);
  const faults = broken.map(({ name, source, reason }) => [
    plain ? printable(name) : colour.bold(printable(name)),
    "-",
    printable(source),
    "-",
    plain ? "broken" : colour.red("broken"),
    printable(reason.message),
  ]);
  if (plain) return [...rows, ...faults].map((row) => row.join("\t")).join("\n");
  return formatTable([["NAME", "KIND", "FROM", "MODEL", "TRUST", "HERE"].map(colour.dim), ...rows, ...faults]);
}

async function show({ anabranch, terminal, directory }: Session, name: string): Promise<void> {
  const agent = await anabranch.agent(name, directory);
  answer(terminal, agent, () => formatAgent(agent, terminal));
}

async function trust({ anabranch, terminal, directory }: Session, name: string, { yes }: AgentOptions): Promise<void> {
  const seen = await anabranch.agent(name, directory);
  const isNew = seen.trust === "untrusted" || seen.trust === "changed";
  if (isNew && yes !== true) await confirm(seen, terminal);
  const agent = isNew ? await anabranch.trustAgent(seen, directory) : seen;
  answer(terminal, agent, () => {
    if (terminal.plain) return [printable(name), agent.trust].join("\t");
    if (agent.trust === "not-needed") return `agent ${printable(name)} brings nothing that needs to be agreed to`;
    return `agent ${printable(name)} may be used here, as long as it brings just this:\n${bullets(agent.wants)}`;
  });
}

/**
 * Asks whoever sits there.
 * @throws {AnabranchError} `AGENT_UNTRUSTED` when the answer is no, `USAGE` when nobody sits there
 */
async function confirm(agent: AgentDefinitionView, { err, errorColour }: Terminal): Promise<void> {
  const name = printable(agent.name);
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new AnabranchError("USAGE", {
      message: `agent ${name} brings what must be agreed to, and there is no terminal to ask on: ${agent.wants.join("; ")}`,
      hint: `look at it, then say so: anabranch agents trust ${name} --yes`,
    });
  }
  err(`${errorColour.bold(`agent ${name}`)} of ${printable(agent.source)}\n${bullets(agent.wants)}\n`);
  if (agent.changes.length > 0) err(`since it was agreed to:\n${bullets(agent.changes)}\n`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const said = await terminal.question("May it be used here? [y/N] ").finally(() => terminal.close());
  if (/^y(es)?$/i.test(said.trim())) return;
  throw new AnabranchError("AGENT_UNTRUSTED", {
    message: `agent ${name} stays as it was`,
    hint: `all of it: anabranch agents show ${name}`,
  });
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `  - ${printable(line)}`).join("\n");
}
