import type { Clock } from "../../base/clock.ts";
import type { AgentAdapter } from "../port.ts";
import { openSession } from "./opening.ts";
import { createPrograms } from "./program.ts";

/**
 * Any agent that speaks the Agent Client Protocol; Gemini where none is named. Each session has a process of its own:
 * the agent runs commands itself, and they must carry the environment and the marker of one task.
 */
export function createAcpAdapter(clock: Clock): AgentAdapter {
  const programs = createPrograms(clock);
  return {
    kind: "acp",
    // Those of Gemini: what is planned before an agent has said what it can do must hold.
    capabilities: {
      fork: false,
      forkCwd: false,
      forkPrefix: false,
      steer: false,
      preToolDeny: true,
      readEvents: true,
      writeEvents: true,
      cost: false,
      structured: false,
      sharedProcess: false,
    },
    detect: (place) => programs.detect(place),
    open: async (options) => openSession(await programs.find(options), options),
    close: () => Promise.resolve(),
  };
}
