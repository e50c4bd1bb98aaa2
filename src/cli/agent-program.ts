import { addCommand, type Loader } from "./program.ts";

/** Adds the commands about the agents that can be named, and which of them may write where. */
export function addAgentCommands(): void {
  const load: Loader = () => import("./commands/agents.ts");
  const agents = addCommand(
    "agents",
    "list the agents that can be named here, and whether they can run",
    load,
    `
Agents are those of anabranch.yaml, of .claude/agents in the repository and in your home,
and the kinds themselves.

Examples:
  anabranch agents                          the same as agents ls
  anabranch agents show reviewer            everything that is known of it
  anabranch agents trust reviewer           agree to what it brings: tool servers, hooks, a program`,
    { words: ["ls"] },
  );
  addCommand(
    "ls",
    "list the agents that can be named here",
    load,
    `
Examples:
  anabranch agents ls --json`,
    { words: ["ls"], parent: agents },
  );
  addCommand(
    "show <name>",
    "show everything that is known of an agent",
    load,
    `
Examples:
  anabranch agents show reviewer`,
    { words: ["show"], parent: agents },
  );
  addCommand(
    "trust <name>",
    "agree to what an agent of this repository brings; asks first",
    load,
    `
It holds until what the agent brings changes.

Examples:
  anabranch agents trust reviewer
  anabranch agents trust reviewer --yes     without being asked`,
    { words: ["trust"], parent: agents },
  ).option("--yes", "agree without being asked");

  addCommand(
    "leases",
    "list who alone may write where, and until when",
    () => import("./commands/leases.ts"),
    `
A task with "exclusive: true" has a lease of what it says it "writes:".

Examples:
  anabranch leases
  anabranch leases --json`,
  );
}
